"""Slices: drawn towards the total where they say little, left alone where they say much, or not shown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

from evaluation.stats.intervals import Standing
from evaluation.stats.slices import FEWEST_ANSWERS, WIDEST, pool_slices, stand_by_slice
from evaluation.stats.votes import Votes, count_standings


def test_slices_that_are_alike_are_told_more_sharply_than_by_themselves() -> None:
    slices = [Standing(yes, 50) for yes in (30, 29, 31, 30, 32, 28)]
    for one in pool_slices(Standing(180, 300), slices):
        assert one.pooled is not None and one.own is not None
        assert one.pooled.high - one.pooled.low < 0.75 * (one.own.high - one.own.low)
        assert abs(one.pooled.estimate - 0.6) < abs(one.own.estimate - 0.6) + 1e-3


def test_a_slice_that_differs_with_many_votes_stays_where_it_is() -> None:
    slices = [Standing(900, 1000), Standing(300, 1000), Standing(600, 1000)]
    for one, share in zip(pool_slices(Standing(1800, 3000), slices), (0.9, 0.3, 0.6), strict=True):
        assert one.pooled is not None
        assert one.pooled.estimate == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize(
    "few",
    [
        None,
        Standing(4, 6),  # too few votes
        Standing(40, 60, effect=10),  # of people who are very much alike
        Standing(40, 60, effect=1, clusters=3),  # of three people
    ],
)
def test_where_votes_do_not_suffice_it_says_so(few: Standing | None) -> None:
    rest = Standing(300, 500)
    [one, other] = pool_slices(Standing(340, 560), [few, rest])
    assert not one.enough and one.pooled is None
    assert other.enough
    assert (one.own is None) == (few is None)


def test_a_contender_without_votes_has_no_slices_to_show() -> None:
    assert not any(one.enough for one in pool_slices(None, [None, None]))


def test_no_interval_is_narrower_than_that_of_a_total_that_all_slices_equal() -> None:
    """The total itself is uncertain, by its design effect; slices that agree with it cannot be surer."""
    total = Standing(600, 1000, effect=5, clusters=40)
    width = total.interval().high - total.interval().low
    for one in pool_slices(total, [Standing(60, 100, effect=5, clusters=40)] * 10):
        assert one.pooled is not None
        assert one.pooled.high - one.pooled.low >= 0.9 * width


def test_intervals_cover_slices_drawn_around_a_total_as_often_as_they_say() -> None:
    draws, covered, shown = np.random.default_rng(5), 0, 0
    for _ in range(60):
        answers = draws.integers(5, 150, 4)
        truth = draws.beta(0.6 * 25, 0.4 * 25, 4)
        yes = draws.binomial(answers, truth)
        slices = [Standing(int(d), int(n)) for d, n in zip(yes, answers, strict=True)]
        pooled = pool_slices(Standing(int(yes.sum()), int(answers.sum())), slices)
        for one, share in zip(pooled, truth, strict=True):
            if one.pooled:
                shown += 1
                covered += one.pooled.low <= share <= one.pooled.high
    assert 0.91 <= covered / shown <= 0.99


def test_the_estimate_is_the_beta_binomials_where_total_and_spread_are_known() -> None:
    """Against scipy's beta-binomial on a grid of the same spreads: a large total leaves one centre."""
    answers, yes = np.full(60, 40), np.repeat([16, 20, 24, 28, 32, 24], 10)
    found = pool_slices(
        Standing(6_000_000, 10_000_000), [Standing(int(d), int(n)) for d, n in zip(yes, answers, strict=True)]
    )
    spread = np.geomspace(0.01, 1, 400) * np.sqrt(0.12)
    strength = (0.24 / spread**2 - 1)[:, None]
    fit = np.exp(betabinom.logpmf(yes, answers, 0.6 * strength, 0.4 * strength).sum(axis=1))
    weight = fit * spread**2 / (1 + (spread / 0.15) ** 2)
    means = weight @ ((0.6 * strength + yes) / (strength + answers)) / weight.sum()
    assert [one.pooled and one.pooled.estimate for one in found] == pytest.approx(means.tolist(), abs=0.004)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.floats(1, 9)), min_size=1, max_size=5))
def test_what_is_shown_lies_within_its_interval_and_keeps_to_the_limits(
    rows: list[tuple[int, int, float]],
) -> None:
    slices = [Standing(d, d + n, effect, clusters=20) if d + n else None for d, n, effect in rows]
    yes, answers = sum(d for d, _, _ in rows), sum(d + n for d, n, _ in rows)
    total = Standing(yes, answers, 2.0, clusters=30) if answers else None
    for one in pool_slices(total, slices):
        if one.pooled:
            assert 0 <= one.pooled.low <= one.pooled.estimate <= one.pooled.high <= 1
            assert one.pooled.high - one.pooled.low <= WIDEST
            assert one.worth >= FEWEST_ANSWERS


def test_votes_stand_in_their_slices_and_those_of_none_stand_in_none() -> None:
    votes = Votes(
        np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 2, 2]), np.array([True, False, True, True, False]),
        np.arange(3), np.array([[True, False], [True, True], [False, True]]),
    )  # fmt: skip
    slices = np.array([0, 1, 0, 1, -1])
    table = stand_by_slice(votes, [slices == number for number in range(3)])
    counts = [[one and (one.yes, one.answers) for one in row] for row in table]
    assert counts == [[(2, 2), (0, 1), None], [None, (1, 2), None]]
    assert [row[0] for row in table] == count_standings(votes.only(slices == 0))
