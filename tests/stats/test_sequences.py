"""The interval that may be looked at after every vote."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from evaluation.stats.intervals import Standing
from evaluation.stats.sequences import TIGHTEST, mixture_quantile, watched_interval


def test_the_quantile_is_smallest_where_it_was_asked_to_be() -> None:
    answers = np.arange(1, 5000)
    quantiles = [mixture_quantile(int(n)) for n in answers]
    assert answers[int(np.argmin(quantiles))] == TIGHTEST
    assert min(quantiles) == pytest.approx(3.035, abs=0.001)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_a_normal_walk_looked_at_at_every_step_leaves_the_sequence_as_seldom_as_it_says(level: float) -> None:
    """Robbins (1970): at most 1 - level, whatever the number of looks."""
    steps = np.random.default_rng(1).normal(size=(4000, 2000)).cumsum(axis=1)
    bounds = np.array([mixture_quantile(n, level=level) * np.sqrt(n) for n in range(1, 2001)])
    left = (np.abs(steps) > bounds).any(axis=1).mean()
    assert left <= 1 - level
    assert left >= (1 - level) / 4  # and it is not merely wide


@given(st.integers(1, 10**7), st.data(), st.floats(1, 1000), st.none() | st.integers(1, 10**5))
def test_it_holds_the_interval_for_one_look(
    answers: int, data: st.DataObject, effect: float, clusters: int | None
) -> None:
    standing = Standing(data.draw(st.integers(0, answers)), answers, effect, clusters)
    watched, once = watched_interval(standing), standing.interval()
    assert 0 <= watched.low <= once.low <= watched.estimate <= once.high <= watched.high <= 1


def test_one_player_says_nothing_for_sure() -> None:
    interval = watched_interval(Standing(300, 500, effect=20, clusters=1))
    assert interval.high - interval.low > 0.99


def test_it_is_some_one_and_a_half_times_as_wide_as_the_interval_for_one_look() -> None:
    assert 1.4 < mixture_quantile(1000) / ndtri(0.975) < 1.7
