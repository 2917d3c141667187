"""Rank ranges: which places on the board the data leave open for each contender.

A contender's best place is one behind all that are surely better; its worst, before all that are surely
worse (Mogstad, Romano, Shaikh & Wilhelm 2024). Two ways to be sure: from counts alone, for the board that is
watched live, and from the covariance of all contenders, which knows what they share and tells more apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from evaluation.stats.covariances import Approvals
from evaluation.stats.intervals import Interval, Standing, subtract

DRAWS = 10_000


class Bound(Protocol):
    """The interval of an approval at a level."""

    def __call__(self, standing: Standing, /, *, level: float) -> Interval: ...


@dataclass(frozen=True)
class RankRange:
    """From the best place to the worst, from 1."""

    best: int
    worst: int


def rank_ranges(approvals: Approvals, *, level: float = 0.95, seed: int = 0) -> list[RankRange]:
    """The places each contender may hold, all ranges right together with probability ``level``.

    A contender without votes may hold any place that is not taken.
    """
    above = surely_above(approvals, level=level, seed=seed)
    return [
        RankRange(best=1 + int(better), worst=len(above) - int(worse))
        for better, worse in zip(above.sum(axis=0), above.sum(axis=1), strict=True)
    ]


def surely_above(
    approvals: Approvals, *, level: float = 0.95, seed: int = 0, draws: int = DRAWS
) -> NDArray[np.bool_]:
    """(c, c): whether the first is better than the second, all answers right together.

    All hypotheses "the first is no better" are tested by their difference over its standard error, against
    the largest of the same over all that are open, simulated from the covariance. Those that are rejected
    leave the others less to be measured against, until none is rejected any more: the step-down of Romano &
    Wolf 2005, which keeps the error also about directions because the hypotheses are one-sided (Mogstad et
    al. 2024, section 3.3). The quantile found for a normal distribution is taken at the same tail of
    Student's, by each difference's own degrees of freedom.
    """
    known = ~np.isnan(approvals.estimates)
    among = np.ix_(known, known)
    errors, freedom = approvals.errors()[among], approvals.freedom[among]
    estimates = approvals.estimates[known]
    count = len(estimates)
    usable = errors > 0
    statistic = np.divide(
        estimates[:, None] - estimates[None, :], errors, out=np.zeros((count, count)), where=usable
    )
    noise = _draw(approvals.covariance[among], draws, np.random.default_rng(seed))
    rejected = np.zeros((count, count), dtype=bool)
    while (open_ones := usable & ~rejected).any():
        reach = _largest(noise, errors, open_ones, level)
        found = open_ones & (statistic > _students(reach, freedom))
        if not found.any():
            break
        rejected |= found
    above = np.zeros((len(known), len(known)), dtype=bool)
    above[among] = rejected
    return above


def _draw(covariance: NDArray[np.float64], draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(draws, c) of a normal distribution around zero with this covariance, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    noise: NDArray[np.float64] = rng.standard_normal((draws, len(covariance))) @ root.T
    return noise


def _largest(
    noise: NDArray[np.float64], errors: NDArray[np.float64], open_ones: NDArray[np.bool_], level: float
) -> float:
    """The quantile of the largest studentised difference among those that are open."""
    largest = np.full(len(noise), -np.inf)
    for one in np.flatnonzero(open_ones.any(axis=1)):
        others = open_ones[one]
        differences = (noise[:, [one]] - noise[:, others]) / errors[one, others]
        np.maximum(largest, differences.max(axis=1), out=largest)
    return float(np.quantile(largest, level))


def _students(normal: float, freedom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Student's quantiles with the same tail beyond them as the normal one has."""
    quantiles: NDArray[np.float64] = -stdtrit(freedom, ndtr(-normal))
    return quantiles


def rank_ranges_by_counts(
    standings: Sequence[Standing | None], *, level: float = 0.95, bound: Bound = Standing.interval
) -> list[RankRange]:
    """The same from each contender's own counts, as if contenders shared nothing: wider, never narrower.

    "Surely" is a difference that excludes zero at a level shared between all pairs of contenders
    (Bonferroni). With ``bound`` `watched_interval` they are right at all looks together. None stands for a
    contender without answers: its place is open.
    """
    pairs = comb(len(standings), 2)
    strict = 1 - (1 - level) / max(1, pairs)
    bounds = [bound(known, level=strict) if known else None for known in standings]
    ranges = []
    for mine in bounds:
        better = sum(_surely_above(other, mine) for other in bounds)
        worse = sum(_surely_above(mine, other) for other in bounds)
        ranges.append(RankRange(best=1 + better, worst=len(bounds) - worse))
    return ranges


def _surely_above(first: Interval | None, second: Interval | None) -> bool:
    """Whether the interval of first minus second lies above zero, as if they shared nothing."""
    return first is not None and second is not None and subtract(first, second).low > 0
