"""Covariances of approvals: against other implementations, and in what must not matter."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS, WLS
from statsmodels.stats.sandwich_covariance import cov_cluster, cov_cluster_2groups

from evaluation.stats.covariances import estimate_approvals
from evaluation.stats.votes import Votes


def draw(
    seed: int, *, players: int = 40, each: int = 20, contenders: int = 4, weighted: bool = False
) -> Votes:
    """People who differ, on pairs of 90 questions, each found by one contender or several."""
    draws = np.random.default_rng(seed)
    pairs, count = 180, players * each
    found = draws.random((pairs, contenders)) < 0.5
    found[~found.any(axis=1), 0] = True
    player, pair = np.repeat(np.arange(players), each), draws.integers(0, pairs, count)
    chance = 1 / (1 + np.exp(-0.4 - draws.normal(size=players)[player] - draws.normal(size=pairs)[pair]))
    weight = draws.uniform(0.5, 3, count) if weighted else None
    return Votes(player, pair, draws.random(count) < chance, np.arange(pairs) // 2, found, weight)


def regress(votes: Votes):
    """Least squares of dopes on a dummy per contender, a row for each vote and finder."""
    vote, contender = np.nonzero(votes.found[votes.pair])
    dummies = np.eye(votes.found.shape[1])[contender]
    fitted = (
        OLS(votes.dope[vote].astype(float), dummies).fit()
        if votes.weight is None
        else WLS(votes.dope[vote].astype(float), dummies, weights=votes.weight[vote]).fit()
    )
    return fitted, votes.player[vote], votes.question[votes.pair[vote]]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_errors_are_those_of_a_regression_with_two_way_clustered_errors(seed: int, weighted: bool) -> None:
    """statsmodels scales each way by G / (G - 1); here by the clusters with votes for the contender."""
    votes = draw(seed, weighted=weighted)
    fitted, players, questions = regress(votes)
    ours = estimate_approvals(votes)
    expected = -cov_cluster(fitted, players * 1000 + questions, use_correction=False)
    for groups in (players, questions):
        clusters = np.array([len(np.unique(groups[column > 0])) for column in fitted.model.exog.T])
        scale = np.sqrt(clusters / (clusters - 1))
        expected += cov_cluster(fitted, groups, use_correction=False) * np.outer(scale, scale)
    np.testing.assert_allclose(ours.estimates, fitted.params)
    np.testing.assert_allclose(ours.covariance, expected, rtol=1e-9, atol=1e-12)
    both = cov_cluster_2groups(fitted, players, questions, use_correction=False)[0]
    np.testing.assert_allclose(ours.covariance, both, rtol=0.06)


@st.composite
def some_votes(draw):
    contenders, pairs = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    found = [draw(st.lists(st.booleans(), min_size=contenders, max_size=contenders)) for _ in range(pairs)]
    votes = st.tuples(st.integers(0, 5), st.integers(0, pairs - 1), st.booleans())
    rows = np.array(draw(st.lists(votes, max_size=25)), int).reshape(-1, 3)
    return Votes(rows[:, 0], rows[:, 1], rows[:, 2] == 1, np.arange(pairs) // 2, np.array(found))


@settings(deadline=None)
@given(some_votes())
def test_whatever_the_votes_the_covariance_is_one_and_nobody_is_certain(votes: Votes) -> None:
    approvals = estimate_approvals(votes)
    known = ~np.isnan(approvals.estimates)
    assert known.tolist() == votes.found[votes.pair].any(axis=0).tolist()
    assert (np.linalg.eigvalsh(approvals.covariance) > -1e-12).all()
    assert (np.diag(approvals.covariance)[known] > 0).all()
    assert (np.diag(approvals.covariance)[~known] == 0).all()
    assert (approvals.freedom >= 1).all()


@settings(deadline=None)
@given(some_votes(), st.floats(0.01, 100))
def test_a_common_factor_of_the_weights_means_nothing(votes: Votes, factor: float) -> None:
    plain = estimate_approvals(votes)
    weighted = estimate_approvals(replace(votes, weight=np.full(len(votes), factor)))
    np.testing.assert_allclose(weighted.estimates, plain.estimates)
    np.testing.assert_allclose(weighted.covariance, plain.covariance, atol=1e-12)
    np.testing.assert_allclose(weighted.freedom, plain.freedom)


def test_inverse_propensities_give_the_approval_over_all_pairs_however_they_were_dealt() -> None:
    draws = np.random.default_rng(1)
    chance = np.repeat([0.9, 0.3], 50)  # the pairs that people like are dealt four times as often
    propensity = np.repeat([0.8, 0.2], 50) / 50
    pair = draws.choice(100, 20_000, p=propensity)
    votes = Votes(
        np.arange(20_000) // 20, pair, draws.random(20_000) < chance[pair], np.arange(100),
        np.ones((100, 1), bool), 1 / propensity[pair],
    )  # fmt: skip
    assert estimate_approvals(votes).estimates[0] == pytest.approx(0.6, abs=0.02)
    assert estimate_approvals(replace(votes, weight=None)).estimates[0] == pytest.approx(0.78, abs=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pair": np.array([0])}, "unequal length"),
        ({"pair": np.array([0, 7])}, "not among the 2"),
        ({"weight": np.array([1.0, 0.0])}, "above zero"),
    ],
)
def test_columns_that_do_not_belong_together_are_refused(change: dict[str, object], message: str) -> None:
    votes = Votes(
        np.array([0, 1]), np.array([0, 1]), np.array([True, False]), np.arange(2), np.eye(2, dtype=bool)
    )
    with pytest.raises(ValueError, match=message):
        replace(votes, **change)
