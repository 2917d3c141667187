"""Intervals by resampling units and seeds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.bootstrap import estimate, estimate_share


def width(found):
    return found.high - found.low


def mean_of(right):
    """The same measure, told as a function."""
    return lambda places, seed: float(right[seed, places].mean())


@given(
    right=st.lists(st.floats(0, 1), min_size=1, max_size=30).map(np.array),
    units=st.data(),
)
@settings(deadline=None, max_examples=30)
def test_an_interval_holds_shares_and_a_constant_has_none(right, units):
    unit = np.array(units.draw(st.lists(st.integers(0, 5), min_size=len(right), max_size=len(right))))
    found = estimate_share(right[None], unit)
    assert found.mean == pytest.approx(right.mean())
    assert -1e-9 <= found.low <= found.high <= 1 + 1e-9
    same = estimate_share(np.full((2, len(right)), 0.25), unit)
    assert (same.mean, same.low, same.high) == pytest.approx((0.25, 0.25, 0.25))


def test_nothing_asked_is_an_error_and_no_measure():
    nothing = np.empty(0, np.int64)
    with pytest.raises(ValueError, match="no question"):
        estimate_share(np.empty((1, 0)), nothing)
    with pytest.raises(ValueError, match="no question"):
        estimate(lambda places, seed: 0.0, seeds=1, units=nothing)


def test_the_interval_covers_the_truth_about_19_times_in_20():
    """40 units of 1 to 5 questions; what a unit's questions share is drawn, and so is each answer."""
    generator = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        unit = np.repeat(np.arange(40), generator.integers(1, 6, 40))
        ease = generator.beta(3, 2, 40)
        right = (generator.random(len(unit)) < ease[unit])[None].astype(float)
        found = estimate_share(right, unit)
        covered += found.low <= 0.6 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_questions_copied_within_a_unit_make_nothing_surer():
    generator = np.random.default_rng(2)
    right = (generator.random((1, 60)) < 0.6).astype(float)
    once = estimate_share(right, np.arange(60))
    copied = estimate_share(np.repeat(right, 20, axis=1), np.repeat(np.arange(60), 20))
    assert (copied.mean, copied.low, copied.high) == pytest.approx((once.mean, once.low, once.high))
    as_if_independent = estimate_share(np.repeat(right, 20, axis=1), np.arange(1200))
    assert width(as_if_independent) < width(once) / 3


def test_units_need_not_be_numbered_in_a_row_nor_lie_together():
    generator = np.random.default_rng(3)
    right, unit = generator.random((2, 30)), generator.integers(0, 8, 30)
    order = generator.permutation(30)
    one = estimate_share(right, unit)
    other = estimate_share(right[:, order], unit[order] * 1000 + 7)
    assert (other.mean, other.low, other.high) == pytest.approx((one.mean, one.low, one.high))


def test_seeds_that_disagree_widen_the_interval():
    alike = np.tile(np.repeat([0.0, 1.0], 200), (3, 1))
    apart = alike.copy()
    apart[0], apart[2] = 0.2, 0.8  # the same mean over seeds
    unit = np.arange(400)
    one, other = estimate_share(alike, unit), estimate_share(apart, unit)
    assert one.mean == other.mean == 0.5
    assert width(other) > 2 * width(one)


def test_a_difference_in_pairs_is_surer_than_two_intervals_suggest():
    """Two models answer the same questions; hard ones are hard for both."""
    generator = np.random.default_rng(4)
    hard = generator.random(300)
    one = (hard < 0.5).astype(float)[None]
    other = (hard < 0.55).astype(float)[None]
    unit = np.arange(300)
    gain = estimate_share(other - one, unit)
    assert gain.low > 0
    assert width(gain) < width(estimate_share(one, unit)) / 2


def test_any_measure_is_estimated_as_shares_are():
    generator = np.random.default_rng(5)
    right, unit = generator.random((3, 80)), generator.integers(0, 25, 80)
    share, any_measure = estimate_share(right, unit), estimate(mean_of(right), seeds=3, units=unit)
    assert any_measure.mean == pytest.approx(share.mean)
    assert any_measure.low == pytest.approx(share.low, abs=0.02)
    assert any_measure.high == pytest.approx(share.high, abs=0.02)


def test_any_measure_is_given_whole_units():
    unit = np.array([3, 1, 3, 2, 1, 3])

    def check(places, seed):
        counts = np.bincount(places, minlength=6)
        assert counts[0] == counts[2] == counts[5] and counts[1] == counts[4]
        assert counts[0] + counts[1] + counts[3] == 3  # as many units as there are
        assert seed in (0, 1)
        return float(places.mean())

    assert estimate(check, seeds=2, units=unit).mean == 2.5
