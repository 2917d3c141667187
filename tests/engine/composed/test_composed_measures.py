"""True recall over the whole gallery, with the reference left out, and splits that leak nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.composed.composed_measures import (
    ITEMS,
    QUERIES,
    connection_accuracy,
    measure_recall,
    rank_targets,
    split_captions,
)


@given(st.integers(0, 10_000))
def test_a_rank_counts_all_others_that_are_not_worse_but_for_the_reference(seed):
    draws = np.random.default_rng(seed)
    scores = draws.integers(0, 4, (5, 8)).astype(float)  # with ties
    references, targets = np.stack([draws.permutation(8)[:2] for _ in range(5)]).T
    ranks = rank_targets(scores, references, targets)
    for line, reference, target, rank in zip(scores, references, targets, ranks, strict=True):
        others = [place for place in range(8) if place not in (reference, target)]
        assert rank == 1 + sum(line[place] >= line[target] for place in others)


def test_a_target_that_is_its_own_reference_is_refused():
    with pytest.raises(ValueError, match="own reference"):
        rank_targets(np.zeros((1, 3)), np.array([1]), np.array([1]))


def test_recall_beyond_fifty_is_not_cut_off():
    ranks = np.array([[1, 9, 40, 70, 120]])
    recall = measure_recall("graph", QUERIES, ranks)
    assert [recall.at[k].mean for k in (1, 10, 50, 100)] == [0.2, 0.4, 0.6, 0.8]
    assert all(each.low <= each.mean <= each.high for each in recall.at.values())


def test_leaky_figures_say_so_wherever_they_are_named():
    ranks = np.array([[1, 2]])
    assert "leaky" in measure_recall("graph", QUERIES, ranks, leaky=True).title
    assert measure_recall("graph", QUERIES, ranks).title == "graph"


def test_connections_are_counted_where_a_liked_answer_came():
    answers = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    liked = np.array([[1, 3, 50], [4, 50, 51], [50, 51, 52]])
    assert connection_accuracy(answers, liked) == 0.5
    assert connection_accuracy(answers, np.full((3, 2), 99)) == 0


@given(st.integers(0, 1000), st.integers(5, 60))
def test_splits_share_neither_captions_nor_what_they_hold_out(seed, captions):
    draws = np.random.default_rng(seed)
    references, targets = draws.integers(0, 9, (2, captions))
    held_out = draws.random(9) < 0.3
    learned, asked = split_captions(references, targets, held_out, QUERIES, share=0.3, seed=seed)
    assert sorted([*learned, *asked]) == list(range(captions))
    between = [
        {frozenset((int(references[row]), int(targets[row]))) for row in rows} for rows in (learned, asked)
    ]
    assert not between[0] & between[1]
    learned, asked = split_captions(references, targets, held_out, ITEMS, share=0.3, seed=seed)
    assert not held_out[references[learned]].any()
    assert not held_out[targets[learned]].any()
    assert held_out[targets[asked]].all()
