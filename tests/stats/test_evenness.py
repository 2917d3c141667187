"""Every pair counts alike, by whole numbers that do not depend on the order in which votes came."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.stats.evenness import Evenness, evenness_step
from evaluation.stats.votes import sum_evenness

COUNTS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=8)


@given(COUNTS, st.integers(0, 2**32 - 1))
def test_the_sums_are_the_same_whatever_the_order_of_votes(pairs: list[tuple[int, int]], seed: int) -> None:
    votes = [(pair, dope) for pair, (d, n) in enumerate(pairs) for dope in (1,) * d + (0,) * n]
    so_far: dict[int, tuple[int, int]] = {}
    sums = [0, 0, 0]
    for place in np.random.default_rng(seed).permutation(len(votes)).tolist():
        pair, dope = votes[place]
        before = so_far.get(pair, (0, 0))
        step = evenness_step(before, (dope, 1 - dope))
        so_far[pair] = (before[0] + dope, before[1] + 1 - dope)
        sums = [one + other for one, other in zip(sums, step, strict=True)]
    counts = np.array(pairs)
    assert Evenness(*sums) == sum_evenness(counts[:, 0], counts.sum(axis=1))


@given(COUNTS)
def test_the_share_is_the_mean_of_the_pairs_shares(pairs: list[tuple[int, int]]) -> None:
    d, n = np.array(pairs)[:, 0], np.array(pairs).sum(axis=1)
    if not n.any():
        return
    evenness = sum_evenness(d, n)
    assert evenness.share == pytest.approx((d[n > 0] / n[n > 0]).mean(), abs=1e-8)
    assert evenness.excess(int(n.sum())) >= 0


def test_one_pair_with_most_of_the_votes_counts_no_more_than_another() -> None:
    """900 of 1,000 on one pair, 1 of 10 on each of nine others."""
    evenness = sum_evenness(np.array([900, *[1] * 9]), np.array([1000, *[10] * 9]))
    assert evenness.share == pytest.approx(0.18, abs=1e-8)
    # Of 1,090 answers, what is said of nine pairs in ten rests on 90.
    assert 1090 / (1 + evenness.excess(1090)) == pytest.approx(100 / 0.901, rel=1e-3)


def test_as_many_answers_on_every_pair_cost_nothing() -> None:
    evenness = sum_evenness(np.array([3, 5, 0]), np.array([8, 8, 8]))
    assert evenness.share == pytest.approx(8 / 24, abs=1e-8)
    assert evenness.excess(24) == pytest.approx(0, abs=1e-8)
