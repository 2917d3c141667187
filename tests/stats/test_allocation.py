"""The dealing policy: exact propensities, no pair twice, votes where comparisons are open."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from evaluation.stats.allocation import EPSILON, Pool, deal_probabilities, draw_pairs, weigh_evenly
from evaluation.stats.open_comparisons import MOST_NEED, weigh_comparisons

NOTHING = np.array([], dtype=np.int64)


def _pool(judged: list[int], *, per_question: int = 1, finders: list[int] | None = None) -> Pool:
    """Of four contenders; ``finders``: how many of them, from the first on, found each pair."""
    counts = np.array(judged)
    return Pool(
        pairs=np.arange(100, 100 + len(judged)),
        questions=np.arange(len(judged)) // per_question,
        judged=counts,
        dopes=counts // 2,
        nopes=counts - counts // 2,
        found=np.arange(4) < np.array(finders or [1] * len(judged))[:, None],
    )


def _apart(answers: list[int], approvals: list[float], *, questions: int = 50) -> Pool:
    """Contenders that never found the same, each pair of theirs with so many answers of such approval."""
    counts, shares = np.repeat(answers, questions), np.repeat(approvals, questions)
    dopes = np.round(counts * shares).astype(np.int64)
    return Pool(
        pairs=np.arange(len(counts)),
        questions=np.tile(np.arange(questions), len(answers)),
        judged=counts,
        dopes=dopes,
        nopes=counts - dopes,
        found=np.repeat(np.eye(len(answers), dtype=bool), questions, axis=0),
    )


def _chances_by_contender(pool: Pool) -> NDArray[np.float64]:
    return deal_probabilities(pool.weights) @ pool.found


def test_logged_propensities_are_the_frequencies_of_the_draws() -> None:
    """Every sequence of three places, against its product of propensities, in 20,000 rounds."""
    pool = _pool([0, 3, 1, 0, 7], per_question=2, finders=[1, 4, 2, 3, 1])
    rng = np.random.default_rng(5)
    rounds = 20_000
    seen: dict[tuple[int, ...], int] = {}
    chance: dict[tuple[int, ...], float] = {}
    for _ in range(rounds):
        draws = draw_pairs(pool, seen=np.array([101]), count=3, previous_question=None, rng=rng)
        sequence = tuple(draw.pair for draw in draws)
        seen[sequence] = seen.get(sequence, 0) + 1
        chance[sequence] = float(np.prod([draw.propensity for draw in draws]))
    assert sum(chance.values()) == pytest.approx(1)
    for sequence, expected in chance.items():
        error = 4.5 * np.sqrt(expected * (1 - expected) / rounds)
        assert abs(seen[sequence] / rounds - expected) < error, sequence


def test_weighting_by_inverse_propensity_gives_the_uniform_mean_back() -> None:
    """Horvitz-Thompson over the first place: unbiased although seldom judged pairs are preferred."""
    judged = [0] * 10 + [9] * 10
    quality = np.array([1.0] * 10 + [0.0] * 10)
    pool = _pool(judged)
    rng = np.random.default_rng(6)
    draws = [draw_pairs(pool, seen=NOTHING, count=1, previous_question=None, rng=rng)[0] for _ in range(8000)]
    plain = np.mean([quality[draw.pair - 100] for draw in draws])
    weighted = np.mean([quality[draw.pair - 100] / draw.propensity / len(pool) for draw in draws])
    assert plain > 0.7
    assert weighted == pytest.approx(0.5, abs=0.02)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30), st.integers(0, 2**32), st.data())
@settings(max_examples=60)
def test_nobody_gets_a_pair_twice_nor_a_question_twice_in_a_row(
    judged: list[int], seed: int, data: st.DataObject
) -> None:
    pool = _pool(judged, per_question=3)
    seen = np.array(sorted(data.draw(st.sets(st.sampled_from(pool.pairs.tolist())))), dtype=np.int64)
    draws = draw_pairs(
        pool, seen=seen, count=len(pool) + 1, previous_question=0, rng=np.random.default_rng(seed)
    )
    dealt = [draw.pair for draw in draws]
    assert sorted([*dealt, *seen]) == pool.pairs.tolist(), "every unseen pair once, and no other"
    left = set(dealt)
    previous = 0
    for draw in draws:
        if draw.question == previous:
            assert all(pool.questions[pair - 100] == previous for pair in left), "another was left"
        left.remove(draw.pair)
        previous = draw.question


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=50))
def test_every_pair_keeps_its_uniform_part(weights: list[float]) -> None:
    chances = deal_probabilities(np.array(weights))
    assert chances.sum() == pytest.approx(1)
    assert chances.min() >= EPSILON / len(weights)


def test_same_generator_same_deals() -> None:
    def deal() -> list[int]:
        rng = np.random.default_rng(7)
        draws = draw_pairs(_pool([0] * 40), seen=NOTHING, count=20, previous_question=None, rng=rng)
        return [draw.pair for draw in draws]

    assert deal() == deal()


def test_counts_stay_even_over_the_pairs_where_nothing_can_be_compared() -> None:
    judged: NDArray[np.int64] = np.zeros(30, dtype=np.int64)
    rng = np.random.default_rng(8)
    for _ in range(60):
        pool = _pool(judged.tolist(), finders=[4] * 30)
        for draw in draw_pairs(pool, seen=NOTHING, count=20, previous_question=None, rng=rng):
            judged[draw.pair - 100] += 1
    assert judged.sum() == 1200
    assert judged.min() >= 30
    assert judged.max() <= 50


def test_while_nothing_is_known_pairs_weigh_by_how_contenders_disagree() -> None:
    """By the square root of how many of the six comparisons a pair tells about."""
    pool = _pool([0] * 4, finders=[1, 2, 3, 4])
    assert pool.weights / pool.weights[0] == pytest.approx([1, np.sqrt(4 / 3), 1, 0])


def test_votes_go_to_comparisons_that_are_open() -> None:
    """Two contenders are level at the lead, a third is far behind: nothing about it needs to be known."""
    first, second, third = _chances_by_contender(_apart([100, 100, 100], [0.6, 0.61, 0.1]))
    assert first == pytest.approx(second, rel=0.05)
    assert first > 2 * third
    assert third >= EPSILON / 3 - 1e-9


def test_who_leads_comes_before_the_rest() -> None:
    chances = _chances_by_contender(_apart([40] * 4, [0.70, 0.69, 0.30, 0.31]))
    assert chances[:2].min() > 1.3 * chances[2:].max()


def test_once_all_is_settled_counts_grow_even() -> None:
    pool = _apart([100, 100, 50], [0.9, 0.5, 0.1])
    assert not weigh_comparisons(pool.found, pool.dopes, pool.judged).any()
    assert (pool.weights == weigh_evenly(pool.judged, pool.found)).all()
    chances = _chances_by_contender(pool)
    assert chances[2] > chances[0]


def test_a_newcomer_catches_up_and_leaves_the_others_their_votes() -> None:
    """It has no answers, the others two hundred a pair, and are nearly level."""
    before = _chances_by_contender(_apart([200, 200, 200], [0.6, 0.6, 0.5]))
    after = _chances_by_contender(_apart([200, 200, 200, 0], [0.6, 0.6, 0.5, 0.0]))
    assert after[3] > 1.3 * after[:3].max()
    assert (after[:3] > 0.5 * before * 3 / 4).all()


@given(st.integers(0, 2**32), st.integers(0, 40), st.integers(1, 6), st.sampled_from([0, 1, 30, 3000]))
@settings(max_examples=80)
def test_whatever_the_counts_chances_are_chances(seed: int, pairs: int, contenders: int, most: int) -> None:
    """Contenders without pairs or votes, all votes the same, everybody the same: never NaN nor negative."""
    rng = np.random.default_rng(seed)
    found = rng.random((pairs, contenders)) < rng.random()
    dopes, nopes = rng.integers(0, most + 1, (2, pairs)) * rng.integers(0, 2, (2, 1))
    needs = weigh_comparisons(found, dopes, dopes + nopes)
    assert (needs == needs.T).all() and (needs >= 0).all() and (needs <= MOST_NEED).all()
    pool = Pool(np.arange(pairs), np.arange(pairs), dopes + nopes, dopes, nopes, found)
    assert np.isfinite(pool.weights).all() and (pool.weights >= 0).all()
    if pairs:
        chances = deal_probabilities(pool.weights)
        assert chances.sum() == pytest.approx(1)
        assert chances.min() >= EPSILON / pairs * (1 - 1e-12)
    draws = draw_pairs(pool, seen=NOTHING, count=pairs + 1, previous_question=None, rng=rng)
    assert len(draws) == pairs
    assert all(0 < draw.propensity <= 1 + 1e-12 for draw in draws)
