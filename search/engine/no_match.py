"""When to say "no good match": answers of nearest neighbours with a promise, by split-conformal calibration.

Grid Dynamics, "Building a reverse image search engine", leaves open from which distance on two things are not
to be called alike. Here the distances of held-out queries settle it, each asked twice: with what it shows
among the items, and with that removed. A new query of the same kind is exchangeable with them, so where its
score would rank among theirs is even, and a limit at a rank keeps its promise whatever the distribution
(Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005, 2.2; by category 4.5; for the share
of wrong answers Angelopoulos et al., Conformal Risk Control, 2024, theorem 1). Promises are averages over
calibrations: at most ``alpha`` of those who hear an answer they should not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from search.engine.errors import ArtifactDamaged

Score = Literal["distance", "ratio"]
Answer = Literal["match", "similar", "nothing"]
SCORES: Final[tuple[Score, ...]] = get_args(Score)

LEAST_OF_CATEGORY: Final = 100  # queries; with fewer a category shares limits with others as small
ALPHA: Final = 0.05
# An index that is hardly ever right keeps its promise too: it tells one photo in twenty "this is it" of
# another item, and hardly any of its own. So of photos that are told so, their item there, most are right.
LEAST_SURE: Final = 0.8
LEAST_TOLD: Final = 20  # queries that this is counted on

Distances = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """What n queries were answered.

    ``distances`` (n, 2): to the first candidate and to the second one that shows something else, infinite
    where there is none. ``categories`` (n,): of the first candidate, which a new query has too; blank where
    unknown. ``right`` (n,): whether the first candidate is what the query shows.
    """

    distances: Distances
    categories: npt.NDArray[np.str_]
    right: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        count = len(self.distances)
        if self.distances.shape != (count, 2) or not len(self.categories) == len(self.right) == count:
            raise ValueError("Distances are (n, 2); there is one category and one verdict for each of them.")

    def of(self, chosen: npt.NDArray[np.bool_]) -> Asked:
        """Those of the queries that are ``chosen`` (n,)."""
        return Asked(self.distances[chosen], self.categories[chosen], self.right[chosen])


@dataclass(frozen=True)
class Limits:
    """What settles the answer of one category, or of all that are too small for limits of their own.

    A score below ``accept`` is "this is it", a first distance above ``nothing`` otherwise is "nothing like
    it here"; so is one above ``farthest``, whatever its score: something quite unlike all that was ever shown
    may still be much nearer to one item than to the next. None: too few queries were asked, and this is never
    said. ``present`` and ``absent`` count queries; the others are counted on the same queries and no promise:
    ``shown``, of right first answers, those that are accepted; ``sure``, of present queries that are told so,
    those that are right; ``kept``, of present queries, those that get neither clear answer.
    """

    accept: float | None
    nothing: float | None
    farthest: float | None
    present: int
    absent: int
    shown: float
    sure: float
    kept: float


@dataclass(frozen=True)
class Calibration:
    """Limits by score and category; blank is all those that have none of their own.

    Each query is counted in one of them. ``chosen`` is the score to go by.
    """

    alpha: float
    chosen: Score
    limits: Mapping[Score, Mapping[str, Limits]]

    @property
    def queries(self) -> int:
        """On how many the limits were counted, each asked with its item there and with it removed."""
        return sum(limits.present for limits in self.limits[self.chosen].values())

    def find(self, category: str, score: Score | None = None) -> tuple[str, Limits]:
        """The limits for a first candidate of this category, and whose they are: blank for all the others."""
        known = self.limits[score or self.chosen]
        own = category if category in known else ""
        return own, known[own]

    def as_json(self) -> dict[str, Any]:
        limits = {
            score: {category: vars(found) for category, found in known.items()}
            for score, known in self.limits.items()
        }
        return {"alpha": self.alpha, "chosen": self.chosen, "limits": limits}

    @classmethod
    def from_json(cls, values: Any) -> Calibration:
        """Raises ArtifactDamaged for anything that `as_json` does not give."""
        try:
            limits: dict[Score, dict[str, Limits]] = {
                score: {name: Limits(**found) for name, found in values["limits"][score].items()}
                for score in SCORES
            }
            made = cls(float(values["alpha"]), values["chosen"], limits)
            sound = made.chosen in SCORES and all(
                "" in known and all(_is_sound(found) for found in known.values()) for known in limits.values()
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            sound = False
        if not sound:
            raise ArtifactDamaged("A calibration is not what was stored: build the contenders again.")
        return made


def first_two(distances: npt.ArrayLike, things: npt.ArrayLike) -> Distances:
    """Of (n, k) candidates, best first: the distance to the first, and to the first other thing, (n, 2).

    ``things`` (n, k) numbers what candidates show: near-duplicates have one number, so that the second is
    never just another picture of the first. Infinite where there is none.
    """
    apart, shown = np.asarray(distances, dtype=np.float64), np.asarray(things)
    other = shown != shown[:, :1]
    second = np.where(other, apart, np.inf).min(axis=1, initial=np.inf)
    first = apart[:, 0] if apart.shape[1] else np.full(len(apart), np.inf)
    return np.stack([first, second], axis=1)


def score_of(distances: Distances, score: Score) -> Distances:
    """(n, 2) distances to (n,) scores: lower is a better match.

    The ratio is the first by the second; 1, the worst there is, where both are nought or there is no second.
    """
    first, second = distances[:, 0], distances[:, 1]
    if score == "distance":
        return first
    comparable = np.isfinite(second) & (second > 0)
    return np.divide(first, second, out=np.ones_like(first), where=comparable)


def lowest_limit(scores: npt.ArrayLike, alpha: float) -> float | None:
    """The limit below which a further score lies with probability ``alpha`` at most, the n exchangeable.

    The k-th smallest, k = floor(alpha (n + 1)); None where k is nought. Ties count against the new one.
    """
    values = np.sort(np.asarray(scores, dtype=np.float64))
    rank = math.floor(Fraction(str(alpha)) * (len(values) + 1))
    return float(values[rank - 1]) if rank else None


def highest_limit(scores: npt.ArrayLike, alpha: float) -> float | None:
    """The limit above which a further score lies with probability ``alpha`` at most, likewise."""
    limit = lowest_limit(-np.asarray(scores, dtype=np.float64), alpha)
    return None if limit is None else -limit


def calibrate(present: Asked, absent: Asked, *, alpha: float = ALPHA, chosen: Score = "ratio") -> Calibration:
    """Limits for each category of which both kinds of queries are `LEAST_OF_CATEGORY`, and for all others.

    ``present`` are queries asked of all items, ``absent`` the same with what each shows removed. Promised by
    the limits of a category, about queries whose first candidate has it: of absent ones at most ``alpha`` get
    "this is it"; of present ones at most ``alpha`` get it for another item, and at most ``alpha`` get
    "nothing like it here". Raises ValueError for an alpha outside 0 to 1 or a distance that is no number.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is a share between 0 and 1, not {alpha}.")
    both = (present, absent)
    if any(np.isnan(asked.distances).any() for asked in both):
        raise ValueError("A distance of a calibration query is not a number.")
    large = [
        category
        for category in sorted({str(value) for value in absent.categories} - {""})
        if min(np.count_nonzero(asked.categories == category) for asked in both) >= LEAST_OF_CATEGORY
    ]
    limits: dict[Score, dict[str, Limits]] = {}
    for score in SCORES:
        limits[score] = {
            category: _settle(*_take(both, category, large), alpha, score) for category in ("", *large)
        }
    return Calibration(alpha, chosen, limits)


def choose_score(present: Asked, absent: Asked, *, alpha: float = ALPHA) -> Score:
    """The score that accepts more right answers while promises are kept; the ratio where both do alike.

    Ask it of other queries than `calibrate`: a choice made on the same ones would spoil its promise.
    """
    shown = {}
    for score in SCORES:
        limit = _promised_limit(present, absent, alpha, score)
        own = score_of(present.distances, score)[present.right]
        shown[score] = 0.0 if limit is None else _share(own < limit)
    return "distance" if shown["distance"] > shown["ratio"] else "ratio"


def judge(
    calibration: Calibration, distances: tuple[float, float], category: str, *, score: Score | None = None
) -> Answer:
    """The answer to a query, by its two distances as in `Asked` and the category of its first candidate."""
    _, limits = calibration.find(category, score)
    found = score_of(np.array([distances], dtype=np.float64), score or calibration.chosen)
    return _answer(limits, distances[0], float(found[0]))


def _answer(limits: Limits, first: float, score: float) -> Answer:
    if limits.farthest is not None and not first <= limits.farthest:
        return "nothing"
    if limits.accept is not None and score < limits.accept:
        return "match"
    return "nothing" if limits.nothing is not None and not first <= limits.nothing else "similar"


def _settle(present: Asked, absent: Asked, alpha: float, score: Score) -> Limits:
    found = score_of(present.distances, score)
    promised = _promised_limit(present, absent, alpha, score)
    # Any lower limit keeps what this one promises.
    accept = None if promised is None else _surest_limit(found, present.right, below=promised)
    nothing = highest_limit(present.distances[:, 0], alpha)
    farthest = None if nothing is None else float(present.distances[:, 0].max())
    counts = (len(present.right), len(absent.right))
    bare = Limits(
        _finite(accept), _finite(nothing), _finite(farthest), *counts, shown=0.0, sure=0.0, kept=0.0
    )
    answers = np.array(
        [_answer(bare, first, value) for first, value in zip(present.distances[:, 0], found, strict=True)],
        dtype="U7",
    )
    told = answers == "match"
    return replace(
        bare,
        shown=_share(told[present.right]),
        sure=_share(present.right[told]),
        kept=_share(answers == "similar"),
    )


def _take(both: tuple[Asked, Asked], category: str, large: list[str]) -> tuple[Asked, Asked]:
    """The queries whose limits are this category's: blank, those of none of the ``large``."""
    one, other = both
    if category:
        return one.of(one.categories == category), other.of(other.categories == category)
    return one.of(~np.isin(one.categories, large)), other.of(~np.isin(other.categories, large))


def _promised_limit(present: Asked, absent: Asked, alpha: float, score: Score) -> float | None:
    """The highest limit of "this is it" that keeps both promises about it; None where too few were asked."""
    # Right answers cannot be wrong ones at any limit: as if their score were infinite.
    wrong = np.where(present.right, np.inf, score_of(present.distances, score))
    bounds = [lowest_limit(values, alpha) for values in (score_of(absent.distances, score), wrong)]
    return None if None in bounds else min(bound for bound in bounds if bound is not None)


def _surest_limit(scores: Distances, right: npt.NDArray[np.bool_], *, below: float) -> float | None:
    """The highest limit, at most ``below``, under which enough of the queries are right; None: there is none.

    Shares of right ones need not fall as limits rise, so what is told is counted at each limit itself.
    """
    order = np.argsort(scores, kind="stable")
    order = order[scores[order] < below]
    ranked = np.append(scores[order], below)
    told = np.arange(1, len(order) + 1)
    # Where the next score is the same, no limit lies between the two.
    ends = ranked[1:] > ranked[:-1]
    good = ends & (told >= LEAST_TOLD) & (np.cumsum(right[order]) >= LEAST_SURE * told)
    return float(ranked[1:][good][-1]) if good.any() else None


def _finite(limit: float | None) -> float | None:
    return limit if limit is not None and math.isfinite(limit) else None


def _share(which: npt.NDArray[np.bool_]) -> float:
    return float(which.mean()) if len(which) else 0.0


def _is_sound(limits: Limits) -> bool:
    numbers = [limits.shown, limits.sure, limits.kept, limits.present, limits.absent]
    numbers += [limit for limit in (limits.accept, limits.nothing, limits.farthest) if limit is not None]
    return all(isinstance(number, int | float) and math.isfinite(number) for number in numbers)
