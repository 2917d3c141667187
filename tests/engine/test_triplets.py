"""Triplets drawn from coarse attributes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.triplets import UNKNOWN, draw_overlap_triplets, draw_triplets

LABELS = st.lists(st.integers(-1, 4), max_size=25).map(lambda values: np.array(values, np.int64))
SEEDS = st.integers(0, 100)


def seeded(seed=0):
    return np.random.default_rng(seed)


@given(labels=LABELS, count=st.integers(1, 50), seed=SEEDS)
def test_the_anchor_shares_its_value_with_the_positive_only(labels, count, seed):
    triplets = draw_triplets(labels, count, seeded(seed))
    sizes = [int((labels == value).sum()) for value in set(labels.tolist()) - {UNKNOWN}]
    is_possible = len(sizes) >= 2 and max(sizes) >= 2
    assert triplets.shape == (count if is_possible else 0, 3)
    anchor, positive, negative = triplets.T
    assert (anchor != positive).all()
    assert (labels[anchor] == labels[positive]).all()
    assert (labels[anchor] != labels[negative]).all()
    assert (labels[triplets] != UNKNOWN).all()


@pytest.mark.parametrize(
    "labels",
    [[], [0], [0, 0, 0], [0, 1, 2], [UNKNOWN] * 5, [0, 0, UNKNOWN], [0, 1, UNKNOWN, UNKNOWN]],
    ids=str,
)
def test_where_no_triplet_is_possible_none_is_drawn(labels):
    assert draw_triplets(np.array(labels, np.int64), 10, seeded()).shape == (0, 3)


def test_every_possible_triplet_is_drawn_and_anchors_evenly():
    labels = np.array([0, 0, 1, 0, 1, UNKNOWN, 2])
    drawn = draw_triplets(labels, 20_000, seeded())
    possible = {
        (a, p, n)
        for a in range(7)
        for p in range(7)
        for n in range(7)
        if a != p and labels[a] == labels[p] != UNKNOWN and labels[n] not in (labels[a], UNKNOWN)
    }
    assert set(map(tuple, drawn.tolist())) == possible
    anchors = np.bincount(drawn[:, 0], minlength=7) / len(drawn)
    np.testing.assert_allclose(anchors, [0.2, 0.2, 0.2, 0.2, 0.2, 0, 0], atol=0.02)


def overlap(table, one, other):
    """The share of the aspects known of both in which they agree; None where there are none."""
    known = [(a, b) for a, b in zip(table[one], table[other], strict=True) if UNKNOWN not in (a, b)]
    return sum(a == b for a, b in known) / len(known) if known else None


TABLES = st.integers(1, 4).flatmap(
    lambda aspects: st.lists(
        st.lists(st.integers(-1, 2), min_size=aspects, max_size=aspects), max_size=15
    ).map(lambda rows: np.array(rows, np.int64).reshape(-1, aspects))
)


@given(table=TABLES, count=st.integers(1, 60), seed=SEEDS)
def test_the_positive_shares_more_with_the_anchor_than_the_negative(table, count, seed):
    triplets = draw_overlap_triplets(table, count, seeded(seed))
    assert triplets.shape[1] == 3 and len(triplets) <= count
    for anchor, positive, negative in triplets.tolist():
        assert len({anchor, positive, negative}) == 3
        near, far = overlap(table, anchor, positive), overlap(table, anchor, negative)
        assert near is not None and far is not None, "nothing is known of what these two share"
        assert near > far


def test_items_that_share_the_same_with_all_give_no_triplets():
    assert draw_overlap_triplets(np.zeros((9, 3), np.int64), 50, seeded()).shape == (0, 3)
    assert draw_overlap_triplets(np.zeros((2, 3), np.int64), 50, seeded()).shape == (0, 3)
    assert draw_overlap_triplets(np.empty((0, 3), np.int64), 50, seeded()).shape == (0, 3)


def test_every_comparison_that_has_an_answer_is_drawn():
    table = np.array([[0, 0], [0, 1], [1, 1], [0, UNKNOWN]])
    drawn = set(map(tuple, draw_overlap_triplets(table, 5000, seeded()).tolist()))
    expected = {
        (a, p, n)
        for a in range(4)
        for p in range(4)
        for n in range(4)
        if len({a, p, n}) == 3 and overlap(table, a, p) > overlap(table, a, n)
    }
    assert drawn == expected
