"""Nodes and edges: as they were given, each once, and averaged as a matrix would."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.composed.graph import (
    ATTRIBUTE,
    CAPTION,
    DESCRIBES,
    IMAGE,
    LIKED_FOR,
    LIKED_WITH,
    LIKES,
    RELATIONS,
    SHOWS,
    STATED,
    STATES,
    GraphRejected,
    Relation,
    like_pairs,
    make_edges,
    make_graph,
    metadata_pairs,
)

COUNTS = {IMAGE: 6, ATTRIBUTE: 4, CAPTION: 2}
PAIRS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), max_size=30)


@given(PAIRS)
def test_edges_are_those_that_were_given_each_once(pairs):
    edges = make_edges(np.array(pairs, int).reshape(-1, 2), 5)
    assert {tuple(pair) for pair in edges.pairs()} == set(pairs)
    assert len(edges.sources) == len(set(pairs))
    for row in range(5):
        assert edges.of(row).tolist() == sorted(source for source, target in set(pairs) if target == row)


@given(PAIRS, st.lists(st.integers(0, 4), max_size=6))
def test_rows_of_edges_are_those_rows(pairs, rows):
    edges = make_edges(np.array(pairs, int).reshape(-1, 2), 5)
    chosen = edges.rows(np.array(rows, np.int64))
    assert [chosen.of(place).tolist() for place in range(len(rows))] == [
        edges.of(row).tolist() for row in rows
    ]


@given(PAIRS)
def test_an_average_is_what_a_row_normalised_matrix_gives(pairs):
    edges = make_edges(np.array(pairs, int).reshape(-1, 2), 5)
    states = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    matrix = np.zeros((5, 7))
    for source, target in set(pairs):
        matrix[target, source] = 1
    matrix /= np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    np.testing.assert_allclose(edges.average(states), np.einsum("ts,sd->td", matrix, states), atol=1e-5)


def test_every_relation_is_there_and_adding_keeps_what_was():
    graph = make_graph(COUNTS, {DESCRIBES: [[0, 1], [3, 5]]})
    assert set(graph.edges) == set(RELATIONS)
    more = graph.adding(metadata_pairs(np.array([[1, 2]])), {**COUNTS, ATTRIBUTE: 5})
    assert more.edges[DESCRIBES].pairs().tolist() == [[0, 1], [3, 5]]
    assert more.edges[STATES].of(1).tolist() == [2]
    assert more.edges[STATED].of(2).tolist() == [1]
    assert len(more.edges[SHOWS].starts) == 6
    assert not len(more.without(STATES).edges[STATES].sources)
    assert not len(graph.edges[STATES].sources)


def test_liked_answers_are_tied_to_each_other_to_the_caption_and_to_the_candidate():
    pairs = like_pairs(1, 0, np.array([4, 2, 4]))
    graph = make_graph(COUNTS, pairs)
    assert graph.edges[LIKED_WITH].of(2).tolist() == [0, 4]
    assert graph.edges[LIKED_WITH].of(0).tolist() == [2, 4]
    assert graph.edges[LIKES].of(1).tolist() == [2, 4]
    assert graph.edges[LIKED_FOR].of(4).tolist() == [1]
    assert not any((edges[:, 0] == edges[:, 1]).any() for edges in [pairs[LIKED_WITH]])


@pytest.mark.parametrize("pair", [[4, 0], [0, 6], [-1, 0]])
def test_an_edge_of_a_node_that_does_not_exist_is_refused_by_name(pair):
    with pytest.raises(GraphRejected, match="describes"):
        make_graph(COUNTS, {DESCRIBES: [pair]})


def test_a_relation_that_does_not_exist_is_refused_by_name():
    with pytest.raises(GraphRejected, match="hates"):
        make_graph(COUNTS, {Relation("hates", IMAGE, IMAGE): [[0, 1]]})
