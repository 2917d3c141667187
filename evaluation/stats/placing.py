"""The order of a board: who stands where by approvals that are watched."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.stats.intervals import Interval, Standing
from evaluation.stats.ranks import RankRange, rank_ranges_by_counts
from evaluation.stats.sequences import watched_interval


@dataclass(frozen=True)
class Place:
    """Of the contender with this number among those given; without votes it has neither rank nor interval."""

    number: int
    rank: int | None
    span: RankRange
    interval: Interval | None


def place_all(standings: Sequence[Standing | None], *, level: float = 0.95) -> list[Place]:
    """Contenders best first, those without votes last; of equals, in the order given."""
    shares = [-one.share if one else 1.0 for one in standings]
    order = sorted(range(len(standings)), key=lambda number: shares[number])
    ranges = rank_ranges_by_counts(
        [standings[number] for number in order], level=level, bound=watched_interval
    )
    places = []
    for rank, (number, span) in enumerate(zip(order, ranges, strict=True), start=1):
        standing = standings[number]
        interval = watched_interval(standing, level=level) if standing else None
        places.append(Place(number, rank if standing else None, span, interval))
    return places
