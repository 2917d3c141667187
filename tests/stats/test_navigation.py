"""Figures of navigation games: against another implementation, and by their properties."""

from collections import Counter

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from evaluation.stats.navigation import (
    NEED_MASKS,
    NEED_RANKERS,
    SHARES,
    STAND_IN,
    draw_policy,
    list_shares,
    mean_of_clusters,
    measure_bits,
)


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_of_a_mean_is_that_of_a_regression_on_nothing_with_clustered_errors(seed):
    draws = np.random.default_rng(seed)
    players = draws.integers(0, 12, 80)
    slates = draws.normal(size=12)[players] * 3 + draws.normal(size=80) + 10
    fitted = sm.OLS(slates, np.ones(80)).fit(cov_type="cluster", cov_kwds={"groups": players}, use_t=True)
    low, high = fitted.conf_int()[0]
    found = mean_of_clusters(slates, players, low=0, high=100)
    assert (found.mean, found.low, found.high) == pytest.approx((fitted.params[0], low, high))


def test_the_interval_covers_as_often_as_it_says_though_players_differ():
    draws, covered, runs = np.random.default_rng(0), 0, 600
    for _ in range(runs):
        players = np.repeat(np.arange(25), draws.integers(1, 9, 25))
        slates = 12 + draws.normal(size=25)[players] * 3 + draws.normal(size=len(players)) * 2
        found = mean_of_clusters(slates, players, low=-np.inf, high=np.inf)
        covered += found.low <= 12 <= found.high
    assert 0.92 <= covered / runs <= 0.98


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 5)), min_size=1, max_size=40))
def test_intervals_hold_the_mean_and_stay_where_values_can_be(games):
    values, players = np.array(games).T
    found = mean_of_clusters(values, players, low=1, high=50)
    if len(set(players.tolist())) < 2:
        assert found.low is None and found.high is None
    else:
        assert 1 <= found.low <= found.mean <= found.high <= 50


def test_without_values_there_is_no_mean():
    with pytest.raises(ValueError, match="no value"):
        mean_of_clusters(np.array([]), np.array([], np.int64), low=0, high=1)


@pytest.mark.parametrize("items", [1, 2, 8, 1000])
def test_of_equally_likely_items_as_many_bits_are_left_as_it_takes_to_number_them(items):
    assert measure_bits(np.full(items, 1 / items), np.arange(items)) == pytest.approx(np.log2(items))


def test_what_is_all_but_impossible_tells_nothing():
    assert measure_bits(np.array([1.0, 1.0, 5e-324]), np.arange(3)) == pytest.approx(1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.data())
def test_items_that_look_the_same_are_one(chances, data):
    chances = np.array([*chances, 1.0])
    identity = np.array([data.draw(st.integers(0, 5)) for _ in chances])
    identity = np.unique(identity, return_inverse=True)[1]
    together = np.bincount(identity, weights=chances)
    assert measure_bits(chances, identity) == pytest.approx(measure_bits(together, np.arange(len(together))))
    assert 0 <= measure_bits(chances, identity) <= np.log2(identity.max() + 1) + 1e-9


def test_what_stands_in_for_a_ranker_is_always_there():
    assert STAND_IN in list_shares(has_masks=False)


@pytest.mark.parametrize("has_masks", [True, False])
@pytest.mark.parametrize("trained", [(), ("dqn",), ("dqn-belief", "dqn")])
def test_policies_are_drawn_as_often_as_is_logged(has_masks, trained):
    shares = list_shares(has_masks=has_masks, trained=trained)
    assert sum(shares.values()) == pytest.approx(1)
    missing = (NEED_RANKERS - set(trained)) | (set() if has_masks else NEED_MASKS)
    assert set(shares) == set(SHARES) - missing
    of_all = {SHARES[name] / share for name, share in shares.items()}
    assert max(of_all) == pytest.approx(min(of_all)), "what is missing is shared out in proportion"
    rng = np.random.default_rng(0)
    drawn = [draw_policy(shares, rng) for _ in range(4000)]
    assert all(one.propensity == shares[one.policy] for one in drawn)
    for name, count in Counter(one.policy for one in drawn).items():
        assert count / 4000 == pytest.approx(shares[name], abs=4 * np.sqrt(shares[name] / 4000))
