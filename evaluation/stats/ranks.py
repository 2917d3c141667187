"""Rank ranges: which places on the board the data leave open for each contender."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt

from evaluation.stats.intervals import Interval, Standing


@dataclass(frozen=True)
class RankRange:
    """From the best place to the worst, from 1."""

    best: int
    worst: int


def rank_ranges(standings: Sequence[Standing | None], *, level: float = 0.95) -> list[RankRange]:
    """The places each contender may hold, all ranges right together with probability ``level`` at least.

    A contender's best place is one behind all that are surely better; its worst, before all that are surely
    worse (Mogstad, Romano, Shaikh & Wilhelm 2024). "Surely" is a difference that excludes zero at a level
    shared between all pairs of contenders (Bonferroni). None stands for a contender without answers: its
    place is open.
    """
    pairs = comb(len(standings), 2)
    strict = 1 - (1 - level) / max(1, pairs)
    bounds = [known.interval(level=strict) if known else None for known in standings]
    ranges = []
    for mine in bounds:
        better = sum(_surely_above(other, mine) for other in bounds)
        worse = sum(_surely_above(mine, other) for other in bounds)
        ranges.append(RankRange(best=1 + better, worst=len(bounds) - worse))
    return ranges


def _surely_above(first: Interval | None, second: Interval | None) -> bool:
    """Whether the interval of first minus second lies above zero (Newcombe 1998, method 10: MOVER).

    Contenders share pairs and players, so their estimates move together; leaving that out makes the
    difference look less certain than it is, which errs on the safe side.
    """
    if first is None or second is None:
        return False
    reach = sqrt((first.estimate - first.low) ** 2 + (second.high - second.estimate) ** 2)
    return first.estimate - second.estimate > reach
