"""What answers are worth where every pair counts alike: against a regression, and against many boards."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.regression.linear_model import WLS
from statsmodels.stats.sandwich_covariance import cov_cluster

from evaluation.stats.intervals import Standing
from evaluation.stats.votes import Votes, count_standings

Draw = Callable[[np.random.Generator], Votes]


def _answer(rng: np.random.Generator, shown: NDArray[np.bool_], *, pair_sd: float = 0.7) -> Votes:
    """``shown`` (players, pairs): who judges what. Players differ by one logit."""
    player, pair = np.nonzero(shown)
    players, pairs = shown.shape
    logit = 0.4 + rng.normal(size=players)[player] + rng.normal(0, pair_sd, pairs)[pair]
    dope = rng.random(len(pair)) < 1 / (1 + np.exp(-logit))
    return Votes(player, pair, dope, np.arange(pairs), np.ones((pairs, 1), bool))


def _draw_by_lot(rng: np.random.Generator, players: int, each: int, pairs: int) -> NDArray[np.bool_]:
    return rng.random((players, pairs)).argsort(axis=1) < each


def _draw_evenly(rng: np.random.Generator) -> Votes:
    """40 players, 20 of 80 pairs each, and ten answers on every pair."""
    first = 20 * np.arange(40)[:, None] + np.arange(20)
    shown = np.zeros((40, 80), bool)
    np.put_along_axis(shown, first % 80, True, axis=1)
    return _answer(rng, shown)


def _draw_few(rng: np.random.Generator) -> Votes:
    """By lot, some five answers on a pair."""
    return _answer(rng, _draw_by_lot(rng, 60, 20, 240))


def _draw_favoured(rng: np.random.Generator) -> Votes:
    """Every player gets one half of the pairs twice as often as the other."""
    keys = rng.exponential(size=(80, 200)) / np.where(np.arange(200) < 100, 2, 1)
    return _answer(rng, keys.argsort(axis=1).argsort(axis=1) < 25)


def _draw_newcomer(rng: np.random.Generator) -> Votes:
    """Sixty pairs that 200 players judged 20 of each, and sixty that 20 others judged 20 of each."""
    shown = np.zeros((220, 120), bool)
    shown[:200, :60] = _draw_by_lot(rng, 200, 20, 60)
    shown[200:, 60:] = _draw_by_lot(rng, 20, 20, 60)
    return _answer(rng, shown)


def _draw_even_newcomer(rng: np.random.Generator) -> Votes:
    """200 pairs with five answers each, of 50 players, and 200 with one each, of ten; 20 of every player."""
    shown = np.zeros((60, 400), bool)
    first = 20 * np.arange(60)[:, None] + np.arange(20)
    np.put_along_axis(shown[:50, :200], first[:50] % 200, True, axis=1)
    np.put_along_axis(shown[50:, 200:], first[50:] % 200, True, axis=1)
    return _answer(rng, shown)


def _stand(votes: Votes) -> Standing:
    [standing] = count_standings(votes)
    assert standing is not None
    return standing


def _regress(votes: Votes) -> tuple[float, float]:
    """The mean of the pairs' shares and its variance: weighted least squares, errors clustered two ways."""
    weights = 1 / np.bincount(votes.pair)[votes.pair]
    fitted = WLS(votes.dope.astype(float), np.ones(len(votes)), weights=weights).fit()
    variance = -cov_cluster(fitted, np.arange(len(votes)), use_correction=False).item()
    for groups in (votes.player, votes.pair):
        clusters = len(np.unique(groups))
        variance += cov_cluster(fitted, groups, use_correction=False).item() * clusters / (clusters - 1)
    return float(fitted.params.item()), variance


def _variance(standing: Standing) -> float:
    return standing.share * (1 - standing.share) / standing.worth


@pytest.mark.parametrize("seed", range(3))
def test_with_as_many_answers_on_every_pair_it_is_the_regressions_to_the_digit(seed: int) -> None:
    votes = _draw_evenly(np.random.default_rng(seed))
    share, variance = _regress(votes)
    standing = _stand(votes)
    assert standing.share == pytest.approx(share, abs=1e-8)
    assert _variance(standing) == pytest.approx(variance, rel=1e-6)


@pytest.mark.parametrize(
    ("draw", "least", "most"),
    [
        (_draw_few, 0.96, 1.04),
        (_draw_favoured, 0.96, 1.15),
        (_draw_newcomer, 0.96, 1.1),
        (_draw_even_newcomer, 0.7, 1),
    ],
)
def test_over_boards_it_is_as_large_as_the_regressions(draw: Draw, least: float, most: float) -> None:
    """Nobody pays twice for unequal numbers, or too little.

    The regression reads every vote; ours has the board's sums alone. Favoured pairs may cost somewhat too
    much: the sums do not show that the same players judged the others. Numbers that are even within groups
    cost too little: the sums do not show that no lot was drawn.
    """
    rng = np.random.default_rng(7)
    boards = [draw(rng) for _ in range(150)]
    ratio = np.mean([_variance(_stand(votes)) for votes in boards]) / np.mean(
        [_regress(votes)[1] for votes in boards]
    )
    assert least <= ratio <= most


@pytest.mark.parametrize("draw", [_draw_few, _draw_newcomer])
def test_over_boards_it_is_as_large_as_the_approvals_differ(draw: Draw) -> None:
    """Of 800 boards the variance is known to 5 %."""
    rng = np.random.default_rng(8)
    standings = [_stand(draw(rng)) for _ in range(800)]
    spread = np.var([one.share for one in standings])
    assert np.mean([_variance(one) for one in standings]) == pytest.approx(spread, rel=0.15)
