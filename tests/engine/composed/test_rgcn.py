"""Graph convolutions: as dense sums say, alike in numpy and torch, and of captions without a whole pass."""

import numpy as np
import pytest
import torch

from search.engine.composed.composing import compose
from search.engine.composed.graph import (
    ATTRIBUTE,
    CANDIDATE,
    CAPTION,
    IMAGE,
    NODE_TYPES,
    OF_CAPTIONS,
    RELATIONS,
    like_pairs,
    make_graph,
)
from search.engine.composed.rgcn import ASKED_RELATIONS, Asked, ask
from search.engine.training.composed_graph import (
    Averages,
    GraphModule,
    average,
    average_graph,
    read_graph_module,
)

COUNTS = {IMAGE: 23, ATTRIBUTE: 9, CAPTION: 5}
WIDTHS = {IMAGE: 7, ATTRIBUTE: 6, CAPTION: 6}
UNITS = 16


def draw_graph(seed=0, relations=RELATIONS):
    draws = np.random.default_rng(seed)
    pairs = {
        relation: np.stack(
            [
                draws.integers(COUNTS[relation.source], size=31),
                draws.integers(COUNTS[relation.target], size=31),
            ],
            axis=1,
        )
        for relation in relations
    }
    features = {
        kind: draws.normal(size=(COUNTS[kind], WIDTHS[kind])).astype(np.float32) for kind in NODE_TYPES
    }
    return make_graph(COUNTS, pairs), features


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(4)
    made = GraphModule(WIDTHS, units=UNITS)
    made.train()
    made.composition(torch.randn(32, UNITS), torch.randn(32, UNITS))  # so that its averages say something
    return made.eval()


def to_torch(features):
    return {kind: torch.from_numpy(array) for kind, array in features.items()}


def test_a_layer_is_the_sum_that_dense_matrices_give(module):
    graph, features = draw_graph()
    network = read_graph_module(module).network
    states = network.embed(graph, features)
    assert len(states) == 4
    for kind in NODE_TYPES:
        weights = network.weights
        dense = (
            states[1][kind] @ weights[f"layers.1.own.{kind}.weight"].T + weights[f"layers.1.own.{kind}.bias"]
        )
        for relation in RELATIONS:
            if relation.target == kind:
                matrix = np.zeros((COUNTS[kind], COUNTS[relation.source]))
                for source, target in graph.edges[relation].pairs():
                    matrix[target, source] = 1
                matrix /= np.maximum(matrix.sum(axis=1, keepdims=True), 1)
                through = weights[f"layers.1.relations.{relation.name}.weight"]
                dense = dense + np.einsum("ts,sd,ed->te", matrix, states[1][relation.source], through)
        np.testing.assert_allclose(states[2][kind], np.maximum(dense, 0), atol=1e-5)


def test_numpy_and_torch_embed_alike_in_every_layer(module):
    graph, features = draw_graph(1)
    ours = read_graph_module(module).network.embed(graph, features)
    with torch.inference_mode():
        theirs = module.convolutions.embed(average_graph(graph), to_torch(features))
    for mine, its in zip(ours, theirs, strict=True):
        for kind in NODE_TYPES:
            np.testing.assert_allclose(mine[kind], its[kind].numpy(), atol=1e-5)


def test_a_caption_with_incoming_edges_only_is_embedded_as_by_a_whole_pass(module):
    graph, features = draw_graph(2, (*RELATIONS[:4], *ASKED_RELATIONS))
    network = read_graph_module(module).network
    whole = network.embed(graph, features)
    catalogue = network.embed(graph.without(*ASKED_RELATIONS), features)
    asked = Asked(features[CAPTION], {relation: graph.edges[relation] for relation in ASKED_RELATIONS})
    alone = network.embed_asked(asked, catalogue)
    for layer, states in enumerate(whole):
        np.testing.assert_allclose(alone[layer], states[CAPTION], atol=1e-5)
    rows = np.array([3, 0])
    np.testing.assert_allclose(
        network.embed_asked(asked.of(rows), catalogue)[-1], whole[-1][CAPTION][rows], atol=1e-5
    )
    with torch.inference_mode():
        states = module.convolutions.embed(average_graph(graph.without(*ASKED_RELATIONS)), to_torch(features))
        means = {
            relation: Averages(edges, COUNTS[relation.source]) for relation, edges in asked.edges.items()
        }
        theirs = module.convolutions.embed_asked(torch.from_numpy(asked.features), means, states)
    np.testing.assert_allclose(theirs.numpy(), alone[-1], atol=1e-5)


def test_rows_that_nobody_hears_of_are_renewed_as_by_a_whole_pass(module):
    graph, features = draw_graph(3, (*RELATIONS[:4], *OF_CAPTIONS))
    network = read_graph_module(module).network
    states = network.embed(graph, features)
    pairs = like_pairs(5, 2, np.array([4, 7, 11]))
    more = graph.adding(pairs | {CANDIDATE: np.array([[2, 5]])}, {**COUNTS, CAPTION: 6})
    features = {**features, CAPTION: np.concatenate([features[CAPTION], features[CAPTION][:1]])}
    rows = {IMAGE: np.array([2, 4, 7, 11]), CAPTION: np.array([5])}
    renewed = network.renew(more, features, states, rows)
    whole = network.embed(more, features)
    # One layer is exact whatever hears of what; nothing else moved.
    np.testing.assert_allclose(renewed[1][IMAGE][rows[IMAGE]], whole[1][IMAGE][rows[IMAGE]], atol=1e-5)
    others = np.delete(np.arange(COUNTS[IMAGE]), rows[IMAGE])
    assert (renewed[-1][IMAGE][others] == states[-1][IMAGE][others]).all()
    # All of it is exact where attributes do not listen to images.
    deaf = more.without(RELATIONS[1], RELATIONS[3])
    states = network.embed(
        graph.without(RELATIONS[1], RELATIONS[3]), {**features, CAPTION: features[CAPTION][:5]}
    )
    renewed, whole = network.renew(deaf, features, states, rows), network.embed(deaf, features)
    np.testing.assert_allclose(renewed[-1][IMAGE], whole[-1][IMAGE], atol=1e-5)
    np.testing.assert_allclose(renewed[-1][CAPTION][5], whole[-1][CAPTION][5], atol=1e-5)


def test_gradients_of_an_average_are_those_of_a_matrix():
    graph, _ = draw_graph(5)
    edges = graph.edges[RELATIONS[0]]
    averages = Averages(edges, COUNTS[ATTRIBUTE])
    states = torch.randn(COUNTS[ATTRIBUTE], 3, requires_grad=True)
    wanted = torch.randn(COUNTS[IMAGE], 3)
    [gradient] = torch.autograd.grad((average(averages, states) * wanted).sum(), states)
    np.testing.assert_allclose(gradient, averages.matrix.to_dense().T @ wanted, atol=1e-6)


def test_a_composition_is_the_same_in_numpy_and_torch(module):
    images, texts = torch.randn(9, UNITS), torch.randn(9, UNITS)
    with torch.inference_mode():
        theirs = module.composition(images, texts).numpy()
    composition = read_graph_module(module).composition
    np.testing.assert_allclose(compose(composition, images.numpy(), texts.numpy()), theirs, atol=1e-5)


def test_captions_without_any_edge_are_embedded_too(module):
    graph, features = draw_graph(6)
    network = read_graph_module(module).network
    asked = ask(features[CAPTION], {})
    assert np.isfinite(network.embed_asked(asked, network.embed(graph, features))[-1]).all()
