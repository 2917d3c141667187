"""The dealing policy: exact propensities, no pair twice, even counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from evaluation.stats.allocation import EPSILON, Pool, deal_probabilities, draw_pairs

NOTHING = np.array([], dtype=np.int64)


def _pool(judged: list[int], *, per_question: int = 1, finders: list[int] | None = None) -> Pool:
    pairs = np.arange(100, 100 + len(judged))
    return Pool(
        pairs=pairs,
        questions=np.arange(len(judged)) // per_question,
        judged=np.array(judged),
        finders=np.array(finders or [1] * len(judged)),
        contenders=4,
    )


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


def test_counts_stay_even_over_the_pairs_whatever_contenders_disagree_on() -> None:
    """After 40 answers a pair, pairs all contenders found are judged hardly less often than disputed ones."""
    finders = [4] * 15 + [2] * 15
    judged: NDArray[np.int64] = np.zeros(30, dtype=np.int64)
    rng = np.random.default_rng(8)
    for _ in range(60):
        pool = _pool(judged.tolist(), finders=finders)
        for draw in draw_pairs(pool, seen=NOTHING, count=20, previous_question=None, rng=rng):
            judged[draw.pair - 100] += 1
    assert judged.min() > 20
    agreed, disputed = judged[:15].mean(), judged[15:].mean()
    assert agreed < disputed < 1.35 * agreed
