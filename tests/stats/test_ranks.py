"""Rank ranges: published separations, no false ones among equals, true ones found."""

import numpy as np
import pytest

from evaluation.stats.intervals import Standing
from evaluation.stats.ranks import RankRange, rank_ranges


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [
        ((56, 70), (48, 80), True),  # .0524 to .3339
        ((9, 10), (3, 10), True),  # .1705 to .8090
        ((6, 7), (2, 7), True),  # .0582 to .8062
        ((5, 56), (0, 29), False),  # -.0381 to .1926
        ((0, 10), (0, 20), False),  # -.1611 to .2775
    ],
)
def test_two_contenders_are_apart_where_the_published_difference_is(
    first: tuple[int, int], second: tuple[int, int], apart: bool
) -> None:
    """Newcombe (1998), Statistics in Medicine 17:873, table II, method 10."""
    ranges = rank_ranges([Standing(*first), Standing(*second)])
    expected = [RankRange(1, 1), RankRange(2, 2)] if apart else [RankRange(1, 2), RankRange(1, 2)]
    assert ranges == expected


def test_twelve_equal_contenders_are_hardly_ever_told_apart() -> None:
    rng = np.random.default_rng(4)
    told_apart = 0
    for _ in range(150):
        yes = rng.binomial(300, 0.6, size=12)
        ranges = rank_ranges([Standing(int(one), 300) for one in yes])
        told_apart += any(one != RankRange(1, 12) for one in ranges)
    assert told_apart / 150 <= 0.05


def test_clear_differences_narrow_the_ranges() -> None:
    ranges = rank_ranges([Standing(900, 1000), Standing(600, 1000), Standing(590, 1000), Standing(100, 1000)])
    assert ranges == [RankRange(1, 1), RankRange(2, 3), RankRange(2, 3), RankRange(4, 4)]


def test_without_votes_every_place_is_open() -> None:
    assert rank_ranges([Standing(900, 1000), None, Standing(100, 1000)]) == [
        RankRange(1, 2),
        RankRange(1, 3),
        RankRange(2, 3),
    ]
    assert rank_ranges([]) == []
