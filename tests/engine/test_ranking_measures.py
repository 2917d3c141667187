"""NDCG against a published example, and the search for weights that are the same for all."""

import numpy as np
import pytest

from search.engine.ranking_measures import Lists, find_best_weights, rate_answers


def make_lists(similarities, relevant):
    similarities, relevant = np.array(similarities, np.float32), np.array(relevant, bool)
    return Lists(similarities, relevant, np.ones_like(relevant), relevant.sum(axis=1))


def test_ndcg_is_that_of_the_formula():
    found = np.array([[True, False, True], [True, True, False], [False, False, False]])
    gained = rate_answers(found, np.array([2, 2, 4]))
    assert gained == pytest.approx([(1 + 1 / 2) / (1 + 1 / np.log2(3)), 1, 0])


def test_places_that_nobody_fills_are_last():
    lists = Lists(
        np.array([[[0.1], [0.9]]], np.float32),
        np.array([[True, False]]),
        np.array([[True, False]]),
        np.ones(1, int),
    )
    assert lists.rate(np.ones(1, np.float32)) == pytest.approx([1])


def test_each_query_may_have_its_own_weights():
    lists = make_lists([[[1, 0], [0, 1]], [[1, 0], [0, 1]]], [[True, False], [False, True]])
    assert lists.rate(np.eye(2, dtype=np.float32)).mean() == 1
    assert lists.rate(np.array([1, 0], np.float32)).mean() < 1


def test_the_best_weights_are_found_between_the_corners():
    draws = np.random.default_rng(3)
    similarities = draws.random((80, 60, 3)).astype(np.float32)
    truth = np.array([0.2, 0.7, 0.1], np.float32)
    scores = similarities @ truth
    relevant = scores >= np.sort(scores, axis=1)[:, -10:-9]
    lists = make_lists(similarities, relevant)
    best = find_best_weights(lists, np.random.default_rng(0))
    assert lists.rate(best).mean() > 0.97 > lists.rate(np.full(3, 1 / 3, np.float32)).mean()
    assert best.sum() == pytest.approx(1) and np.abs(best - truth).max() < 0.1
