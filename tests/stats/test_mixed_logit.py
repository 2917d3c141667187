"""The mixed logistic model against independent implementations, and on boards with a known truth."""

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logsumexp
from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM
from statsmodels.tools.numdiff import approx_hess

from evaluation.stats.mixed_logit import MixedLogit, Presentation, fit_mixed_logit
from evaluation.stats.mixed_logit_approvals import standardise
from evaluation.stats.mixed_logit_laplace import Board, Mode, begin, climb
from evaluation.stats.votes import Floats, Votes


def draw(
    seed: int,
    *,
    players: int = 40,
    pairs: int = 120,
    each: int = 25,
    player_sd: float = 1.0,
    pair_sd: float = 0.7,
    logits: tuple[float, ...] = (-0.3, 0.4, 1.0),
    most: int = 1,
) -> Votes:
    """Votes by the model, every pair found by 1 to ``most`` contenders."""
    rng = np.random.default_rng(seed)
    count = len(logits)
    found = rng.random((pairs, count)).argsort(axis=1) < rng.integers(1, most + 1, (pairs, 1))
    pair = np.concatenate([rng.choice(pairs, each, replace=False) for _ in range(players)])
    player = np.repeat(np.arange(players), each)
    good = found @ np.array(logits) / found.sum(axis=1) + rng.normal(0, pair_sd, pairs)
    dope = rng.random(len(pair)) < expit(good[pair] + rng.normal(0, player_sd, players)[player])
    return Votes(player, pair, dope, np.arange(pairs), found)


def fit(votes: Votes, presentation: Presentation | None = None) -> MixedLogit:
    return fit_mixed_logit(votes, [chr(97 + one) for one in range(votes.found.shape[1])], presentation)


def test_it_agrees_with_the_variational_fit_of_statsmodels() -> None:
    """Its means and spreads are to be trusted, its errors are not: it takes all effects for independent."""
    votes = draw(5, players=25, pairs=50, each=20)
    model = fit(votes)
    rows = np.arange(len(votes))
    groups = [
        sparse.csr_matrix((np.ones(len(rows)), (rows, column))) for column in (votes.player, votes.pair)
    ]
    kinds = np.repeat([0, 1], [one.shape[1] for one in groups])
    finders = votes.found[votes.pair].astype(float)
    theirs = BinomialBayesMixedGLM(
        votes.dope.astype(float), finders, sparse.hstack(groups).tocsr(), kinds, vcp_p=2, fe_p=5
    ).fit_vb()
    assert np.allclose(model.logits, theirs.fe_mean, atol=0.08)
    assert np.allclose([model.player_sd, model.pair_sd], np.exp(theirs.vcp_mean), atol=0.1)


def test_with_players_alone_it_is_the_maximum_of_the_exact_likelihood() -> None:
    """Every pair with one vote, so only players spread; the likelihood again, by 60 fixed nodes a player."""
    votes = draw(6, players=60, pairs=1500, each=25, pair_sd=0)
    alone = Votes(
        votes.player, np.arange(len(votes)), votes.dope, np.arange(len(votes)), votes.found[votes.pair]
    )
    model = fit(alone)
    nodes, weights = hermegauss(60)

    def cost(parameters: Floats) -> float:
        logits = (alone.found @ parameters[:3])[:, None] + parameters[3] * nodes
        logs = log_expit(np.where(alone.dope[:, None], logits, -logits)).reshape(60, 25, -1).sum(axis=1)
        return (
            -float(logsumexp(logs + np.log(weights), axis=1).sum())
            + float(parameters[:3] @ parameters[:3]) / 50
        )

    found = minimize(cost, [0.0, 0.0, 0.0, 0.5], method="BFGS")
    errors = np.sqrt(np.diagonal(np.linalg.inv(approx_hess(found.x, cost))))
    assert model.pair_sd is None
    assert model.logits == pytest.approx(found.x[:3], abs=0.01)
    # Ours integrates the three logits out as well, and so is a little wider: 60 players less about one.
    assert model.player_sd == pytest.approx(found.x[3], abs=0.02)
    assert np.sqrt(np.diagonal(model.joint)[:3]) == pytest.approx(errors[:3], rel=0.1)


@pytest.mark.parametrize(("pairs", "off"), [(12, 0.1), (40, 0.06)])
def test_with_few_players_it_agrees_with_the_integral_over_everything(pairs: int, off: float) -> None:
    """The likelihood of spreads by importance sampling: drawn near our mode, weighed by what was not ours.

    Laplace's approximation is the rougher, the fewer votes a player gave: here as many as there are pairs.
    """
    votes = draw(8, players=3, pairs=pairs, each=pairs, logits=(0.2, 0.9), player_sd=0.6)
    order = np.argsort(votes.pair, kind="stable")
    player, pair, dope = votes.player[order], votes.pair[order], votes.dope[order]
    board = Board(dope, votes.found[pair].astype(float), player, pair)
    nodes, weights = hermegauss(25)
    rng = np.random.default_rng(0)

    def integrate(spreads: tuple[float, float], mode: Mode) -> float:
        root = 1.2 * np.linalg.cholesky(mode.covariance(5))
        normal = rng.normal(size=(5, 10_000))
        drawn = mode.point.parameters[:, None] + root @ normal
        logs = (normal**2).sum(axis=0) / 2 + np.log(np.diagonal(root)).sum()
        logs = logs - (drawn[:2] ** 2).sum(axis=0) / 50 - (drawn[2:] ** 2).sum(axis=0) / 2
        for one in range(pairs):
            mine = pair == one
            base = drawn[int(votes.found[one, 1])] + spreads[0] * drawn[2:][player[mine]]
            sign = np.where(dope[mine], 1, -1)[:, None, None]
            shown = log_expit(sign * (base[:, :, None] + spreads[1] * nodes)).sum(axis=0)
            logs = logs + logsumexp(shown + np.log(weights / weights.sum()), axis=1)
        return float(logsumexp(logs)) - np.log(10_000)

    tried = [(0.2, 0.2), (0.8, 0.3), (0.3, 0.9), (1.0, 1.0)]
    modes = [climb(board, one, begin(board, one)) for one in tried]
    exact = np.array([integrate(one, mode) for one, mode in zip(tried, modes, strict=True)])
    ours = np.array([mode.likelihood for mode in modes])
    assert np.ptp(exact) > 0.3
    assert ours == pytest.approx(exact, abs=off)


def test_what_made_the_votes_is_found_again() -> None:
    votes = draw(7, players=200, pairs=800, each=60, most=2)
    model = fit(votes)
    truth = np.array([-0.3, 0.4, 1.0])
    errors = np.sqrt(np.diagonal(model.covariance))
    assert model.converged
    assert (np.abs(model.effects - (truth - model.credit @ truth)) < 3 * errors).all()
    assert model.player_sd == pytest.approx(1, abs=0.2)
    assert model.pair_sd == pytest.approx(0.7, abs=0.15)


def test_effects_are_relative_to_the_mean_over_the_votes() -> None:
    model = fit(draw(9, most=2))
    assert model.credit.sum() == pytest.approx(1)
    assert model.credit @ model.effects == pytest.approx(0, abs=1e-12)
    assert np.abs(model.covariance @ model.credit).max() < 1e-12
    assert model.logits == pytest.approx(model.level + model.effects)


def test_the_order_of_votes_and_the_numbers_of_players_and_pairs_say_nothing() -> None:
    votes = draw(10)
    rng = np.random.default_rng(0)
    order, turn = rng.permutation(len(votes)), rng.permutation(len(votes.found))
    found = np.empty_like(votes.found)
    found[turn] = votes.found
    other = Votes(
        1000 - 3 * votes.player[order], turn[votes.pair[order]], votes.dope[order], votes.question, found
    )
    assert fit(other).effects == pytest.approx(fit(votes).effects, abs=1e-4)


def test_more_players_than_pairs_or_fewer_is_the_same_model() -> None:
    """Of two groups the more numerous is integrated exactly; both ways spreads belong to the right one."""
    for players, pairs, each in ((300, 60, 15), (30, 200, 150)):
        model = fit(draw(11, players=players, pairs=pairs, each=each, player_sd=1.2, pair_sd=0.4))
        assert model.player_sd == pytest.approx(1.2, abs=0.45)
        assert model.pair_sd == pytest.approx(0.4, abs=0.2)
        assert model.joint[-2, -2] > 0
        assert model.joint[-1, -1] > 0


def test_presentation_is_told_apart_from_contenders() -> None:
    """One contender was shown on the right more often, and the right is liked better."""
    rng = np.random.default_rng(12)
    pairs = np.arange(200)
    found = np.eye(2, dtype=bool)[pairs % 2]
    player, pair = (
        np.repeat(np.arange(100), 60),
        np.concatenate([rng.choice(pairs, 60, replace=False) for _ in range(100)]),
    )
    right = rng.random(6000) < np.where(pair % 2, 0.8, 0.2)
    place = rng.integers(1, 21, 6000)
    dope = rng.random(6000) < expit(1.0 * right - 0.05 * place + rng.normal(0, 0.5, 100)[player])
    votes = Votes(player, pair, dope, pairs, found)
    model = fit(votes, Presentation(("side", "place"), np.column_stack([right, place])))
    side, later = model.presentation
    assert (side.name, later.name) == ("side", "place")
    assert abs(side.estimate - 1.0) < 3 * side.error < 0.4
    assert abs(later.estimate + 0.05) < 3 * later.error < 0.05
    assert abs(model.effects[1]) < 3 * np.sqrt(model.covariance[1, 1])
    assert fit(votes).effects[1] > 0.2  # without the columns it would have been taken for better


def test_approvals_are_those_of_people_at_large_on_the_questions_asked_for() -> None:
    votes = draw(13, players=200, pairs=400, each=50, most=2)
    model = fit(votes)
    shares = votes.found / votes.found.sum(axis=1, keepdims=True)
    spread = np.hypot(model.player_sd, model.pair_sd)
    drawn = np.random.default_rng(0).normal(0, spread, 4000)
    chances = expit((shares @ model.logits)[:, None] + drawn).mean(axis=1)
    weights = np.random.default_rng(1).random(len(votes.found))
    approvals = standardise(model, votes.found, weights)
    expected = (weights * chances) @ votes.found / (weights @ votes.found)
    assert [one.estimate for one in approvals] == pytest.approx(expected, abs=0.01)
    assert all(0 < one.low < one.estimate < one.high < 1 for one in approvals)
    wider = standardise(model, votes.found, weights, level=0.99)
    assert all(one.low < other.low for one, other in zip(wider, approvals, strict=True))
