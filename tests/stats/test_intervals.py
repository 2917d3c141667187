"""Intervals against published numbers, and their coverage in simulated games."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evaluation.stats.evenness import UNIT, Evenness
from evaluation.stats.intervals import Clustering, Moments, Standing, beta_interval, stand, wilson
from evaluation.stats.votes import sum_evenness


@pytest.mark.parametrize(
    ("yes", "answers", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_limits(yes: int, answers: int, low: float, high: float) -> None:
    """Newcombe (1998), Statistics in Medicine 17:857, table I, method 3."""
    interval = wilson(yes, answers)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@given(st.integers(1, 10**7), st.data(), st.floats(0.5, 0.9999))
def test_bounds_stay_within_0_and_1_and_hold_the_estimate(
    answers: int, data: st.DataObject, level: float
) -> None:
    yes = data.draw(st.integers(0, answers))
    interval = wilson(yes, answers, level=level)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1


@pytest.mark.parametrize(("yes", "answers"), [(0, 0), (3, 2), (-1, 5)])
def test_no_interval_without_a_share(yes: int, answers: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson(yes, answers)


def _simulate(
    *, runs: int, raters: int, votes: int, pairs: int, rater_sd: float, pair_sd: float, seed: int
) -> tuple[list[Standing], float]:
    """Games in which players differ by `rater_sd` logits and pairs by `pair_sd`; also the true approval."""
    rng = np.random.default_rng(seed)
    strict = rng.normal(0, rater_sd, (runs, raters, 1))
    good = rng.normal(0, pair_sd, (runs, pairs)) if pair_sd else np.zeros((runs, pairs))
    shown = rng.random((runs, raters, pairs)).argsort(axis=2)[
        :, :, :votes
    ]  # a player never sees a pair twice
    chance = 1 / (1 + np.exp(-(strict + np.take_along_axis(good[:, None, :], shown, axis=2) + 0.4)))
    said = rng.random(chance.shape) < chance
    truth = rng.normal(0, np.hypot(rater_sd, pair_sd), 400_000)
    standings = [_stand(said[run], shown[run], pairs) for run in range(runs)]
    return standings, float((1 / (1 + np.exp(-(truth + 0.4)))).mean())


def _stand(said: NDArray[np.bool_], shown: NDArray[np.int64], pairs: int) -> Standing:
    per_pair = np.bincount(shown.ravel(), minlength=pairs)
    yes_per_pair = np.bincount(shown.ravel(), weights=said.ravel(), minlength=pairs).astype(int)
    by_rater = _moments(said.sum(axis=1), np.full(len(said), said.shape[1]))
    clustering = Clustering(by_rater, _moments(yes_per_pair, per_pair))
    return stand(int(said.sum()), said.size, clustering, sum_evenness(yes_per_pair, per_pair))


def _moments(d: NDArray[np.int64], n: NDArray[np.int64]) -> Moments:
    return Moments(int((n > 0).sum()), int((d * d).sum()), int((d * n).sum()), int((n * n).sum()))


def test_coverage_is_near_95_percent_where_players_differ_and_naive_wilson_is_far_off() -> None:
    standings, truth = _simulate(runs=500, raters=60, votes=25, pairs=60, rater_sd=1, pair_sd=0, seed=1)
    naive = [wilson(one.yes, one.answers) for one in standings]
    ours = [one.interval() for one in standings]
    assert np.mean([one.low <= truth <= one.high for one in naive]) < 0.75
    assert 0.93 <= np.mean([one.low <= truth <= one.high for one in ours]) <= 0.98


def test_coverage_is_near_95_percent_where_players_and_pairs_differ() -> None:
    standings, truth = _simulate(runs=500, raters=60, votes=25, pairs=80, rater_sd=1, pair_sd=1, seed=2)
    ours = [one.interval() for one in standings]
    assert 0.93 <= np.mean([one.low <= truth <= one.high for one in ours]) <= 0.98


def test_coverage_does_not_collapse_with_five_players() -> None:
    standings, truth = _simulate(runs=500, raters=5, votes=20, pairs=60, rater_sd=1, pair_sd=0.5, seed=3)
    ours = [one.interval() for one in standings]
    assert np.mean([one.low <= truth <= one.high for one in ours]) >= 0.92


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=30))
def test_never_narrower_than_wilsons_own(players: list[tuple[int, int]]) -> None:
    """Whatever the clusters; every answer is on a pair of its own here."""
    d = np.array([yes for yes, _ in players])
    n = np.array([yes + no for yes, no in players])
    answers, yes = int(n.sum()), int(d.sum())
    if not answers:
        return
    pairs = Moments(answers, yes, yes, answers)
    evenness = Evenness(answers, yes * UNIT, answers * UNIT)
    standing = stand(yes, answers, Clustering(_moments(d, n), pairs), evenness)
    ours, plain = standing.interval(), wilson(yes, answers)
    assert ours.low <= plain.low + 1e-12
    assert ours.high >= plain.high - 1e-12


@given(st.integers(1, 10**6), st.data(), st.floats(1, 1000))
def test_the_estimate_is_the_plain_share_whatever_the_design_effect(
    answers: int, data: st.DataObject, effect: float
) -> None:
    yes = data.draw(st.integers(0, answers))
    interval = Standing(yes, answers, effect, clusters=8).interval()
    assert interval.estimate == yes / answers
    assert interval.low <= interval.estimate <= interval.high


def test_one_player_counts_as_one_answer() -> None:
    """Five hundred dopes of a single person say nearly nothing about people."""
    clustering = Clustering(Moments(1, 250_000, 250_000, 250_000), Moments(500, 500, 500, 500))
    alone = stand(500, 500, clustering, Evenness(500, 500 * UNIT, 500 * UNIT))
    assert alone.effect == 500
    assert alone.interval().low < 0.01


def test_a_few_answers_are_drawn_towards_the_players_own_share() -> None:
    two_of_two = beta_interval(2, 2, prior_share=0.5, prior_answers=8)
    assert two_of_two.estimate == pytest.approx(0.6)
    assert two_of_two.low < 0.5 < two_of_two.high
