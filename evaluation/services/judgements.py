"""What a user that learned from people's answers is worth: asked about things it never saw in training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.services.agreement import People, SpaceAgreement, as_poll, compare, describe_people
from evaluation.stats.agreement import NOBODY, majorities
from search.catalogues.judgements import Judgements
from search.engine.bootstrap import Estimate, estimate_share
from search.engine.navigation.judgements import measure_distances, share_choosing_first, shares_choosing
from search.engine.training.judgements import (
    DEFAULTS,
    SETTLED,
    JudgementSettings,
    divide_things,
    learn_places,
    measure_places,
    remember_places,
)
from search.models import Catalogue
from search.services.judged_users import OpenLesson, open_lesson
from search.services.judgements import JudgedCatalogue, open_judged, open_sight

LEARNED, MEMORY = "learned", "memory"
FEWEST_THINGS = 15  # that folds may be made of; copies of one thing are one
Floats = NDArray[np.float64]
Say = Callable[[str, int, int], None]  # what is done, folds done, folds in all


class NothingToLearn(Exception):
    """Judgements that folds cannot be made of; the text says what is missing."""


@dataclass(frozen=True)
class UserRow:
    """One user, on questions whose reference was not seen in training; ``all_unseen``: none of the three was.

    ``seen``: agreement with the majority on the questions it learned from; None for what learned nothing.
    """

    user: str
    unseen: SpaceAgreement
    all_unseen: Estimate
    seen: float | None


@dataclass(frozen=True)
class LearningTable:
    """The learned user first. ``differences``: what it has more than each other, on the same questions.

    ``units``: how many things were judged, copies of one counted once. ``versions``: of the spaces that were
    learned from.
    """

    judged: JudgedCatalogue
    units: int
    versions: Mapping[str, str]
    people: People
    folds: int
    seed: int
    settings: JudgementSettings
    chosen: list[tuple[float, float]]
    decided: int
    all_unseen: int
    rows: list[UserRow]
    differences: list[tuple[str, Estimate]]

    def as_json(self) -> dict[str, Any]:
        """The table under the keys that do not change."""
        judgements, catalogue = self.judged.judgements, self.judged.catalogue
        return {
            "questions": len(judgements),
            "human_human": self.people.agreement.mean,
            "rows": [
                {
                    **row.unseen.as_json(),
                    "all_unseen": row.all_unseen.mean,
                    "all_unseen_low": row.all_unseen.low,
                    "all_unseen_high": row.all_unseen.high,
                    "seen": row.seen,
                }
                for row in self.rows
            ],
            "differences": [{"against": name, **asdict(estimate)} for name, estimate in self.differences],
            "folds": self.folds,
            "seed": self.seed,
            "decided": self.decided,
            "decided_all_unseen": self.all_unseen,
            "units": self.units,
            "settings": asdict(self.settings),
            "settled": SETTLED,
            "chosen": [{"width": width, "strength": strength} for width, strength in self.chosen],
            "catalogue": catalogue.slug,
            "lights": list(self.judged.lights),
            "versions": {
                "catalogue": catalogue.content_hash,
                "judgements": judgements.sha256,
                "spaces": dict(self.versions),
                **{name: version(name) for name in ("dopeornope", "numpy", "scipy")},
            },
        }


@dataclass(frozen=True)
class _Folds:
    """What users answered of things left out: distances (q, 2) by user, and who was asked about what."""

    distances: dict[str, Floats]
    all_unseen: NDArray[np.bool_]
    seen: dict[str, float]
    chosen: list[tuple[float, float]]


def measure_judgements(
    *,
    catalogue: Catalogue,
    path: Path,
    folds: int,
    seed: int,
    say: Say,
    settings: JudgementSettings = DEFAULTS,
) -> LearningTable:
    """Learn with each fold of the judged things left out, and ask about them.

    Nothing is learned from a question about a thing left out. Raises NothingToLearn, NoSuchSpace,
    TooMuchJudged, JudgementsRejected, NothingToCompare and ArtifactDamaged.
    """
    judged = open_judged(catalogue=catalogue, path=path)
    judgements = judged.judgements
    people = describe_people(as_poll(judgements))
    opened = open_lesson(judged)
    units = len(np.unique(opened.lesson.units))
    needed = max(FEWEST_THINGS, folds)
    if units < needed:
        raise NothingToLearn(
            f"{units} different items were judged, and {needed} are needed to leave some out."
        )
    found = _ask(opened, judgements, folds, seed, settings, say)
    distances = found.distances | {
        name: measure_distances(open_sight(judged, name), judgements.triplets).astype(float)
        for name in opened.spaces
    }
    rows = [_row(name, one, judgements, found) for name, one in distances.items()]
    rows[2:] = sorted(rows[2:], key=lambda row: -row.unseen.majority.mean)
    decided = majorities(judgements.votes) != NOBODY
    return LearningTable(
        judged=judged,
        units=units,
        versions=opened.versions,
        people=people,
        folds=folds,
        seed=seed,
        settings=settings,
        chosen=found.chosen,
        decided=int(decided.sum()),
        all_unseen=int((decided & found.all_unseen).sum()),
        rows=rows,
        differences=[
            (row.user, _differ(distances[LEARNED], distances[row.user], judgements)) for row in rows[1:]
        ],
    )


def _ask(
    opened: OpenLesson,
    judgements: Judgements,
    folds: int,
    seed: int,
    settings: JudgementSettings,
    say: Say,
) -> _Folds:
    triplets = judgements.triplets
    distances = {name: np.zeros((len(judgements), 2)) for name in (LEARNED, MEMORY)}
    seen: dict[str, list[Floats]] = {LEARNED: [], MEMORY: []}
    all_unseen = np.zeros(len(judgements), bool)
    chosen = []
    things = np.arange(len(judgements.names))
    for fold, left_out in enumerate(divide_things(things, opened.lesson.units, folds, seed=seed)):
        say("learn", fold, folds)
        known = np.ones(len(judgements.names), bool)
        known[left_out] = False
        lesson = opened.lesson.among(known)
        if not lesson.votes.any():
            raise NothingToLearn("No question is about things of the other folds only: judge more questions.")
        learned = learn_places(lesson, settings, seed=seed)
        chosen.append((learned.width, learned.strength))
        asked = ~known[triplets[:, 0]]
        all_unseen |= ~known[triplets].any(axis=1)
        taught = known[triplets].all(axis=1)
        remembered = remember_places(lesson, settings, seed=seed)
        for name, places in ((LEARNED, learned.places), (MEMORY, remembered)):
            distances[name][asked] = measure_places(places, triplets[asked])
            seen[name].append(_right(measure_places(places, triplets[taught]), judgements.votes[taught]))
    shares = {name: float(np.concatenate(parts).mean()) for name, parts in seen.items()}
    return _Folds(distances, all_unseen, shares, chosen)


def _row(name: str, distances: Floats, judgements: Judgements, found: _Folds) -> UserRow:
    decided = majorities(judgements.votes) != NOBODY
    units = judgements.triplets[decided & found.all_unseen, 0]
    right = _right(distances[found.all_unseen], judgements.votes[found.all_unseen])
    return UserRow(
        user=name,
        unseen=compare(name, shares_choosing(distances), distances, as_poll(judgements)),
        all_unseen=estimate_share(right[None], units) if len(units) else Estimate(np.nan, np.nan, np.nan),
        seen=found.seen.get(name),
    )


def _differ(ours: Floats, theirs: Floats, judgements: Judgements) -> Estimate:
    decided = majorities(judgements.votes) != NOBODY
    gap = _right(ours, judgements.votes) - _right(theirs, judgements.votes)
    return estimate_share(gap[None], judgements.triplets[decided, 0])


def _right(distances: Floats, votes: NDArray[np.int64]) -> Floats:
    """Whether the nearer option is the majority's, of questions that have one; half where equally near."""
    most = majorities(votes)
    decided = most != NOBODY
    chosen = share_choosing_first(distances[decided])
    return np.where(most[decided] == 0, chosen, 1 - chosen)
