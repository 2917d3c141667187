"""A relational graph convolution (Schlichtkrull et al., ESWC 2018) in numpy, and rows of it renewed alone.

    next state = ReLU(own state W + sum over relations of mean(states of the sources) W_relation)

The last layer is linear.
The weights by type and relation are named as in `search.engine.training.composed_graph`, which teaches them.
A node that only receives can be embedded without a pass over the graph: what it needs of the others are their
states layer by layer, and those it does not change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.engine.composed.graph import (
    CAPTION,
    LIKES,
    NODE_TYPES,
    OF_CAPTIONS,
    Edges,
    Graph,
    Pairs,
    Relation,
    make_edges,
)

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
ByType = Mapping[str, Vectors]
States = list[dict[str, Vectors]]  # of every layer, input side first: (nodes, units) by type

LAYERS, UNITS = 3, 128
ASKED_RELATIONS = (*OF_CAPTIONS, LIKES)


@dataclass(frozen=True, eq=False)
class Asked:
    """q captions that ask: ``features`` (q, w) and the edges that lead to them from the catalogue."""

    features: Vectors
    edges: Mapping[Relation, Edges]

    def __len__(self) -> int:
        return len(self.features)

    def of(self, rows: Rows) -> Asked:
        """Some of them, in this order."""
        return Asked(
            self.features[rows], {relation: edges.rows(rows) for relation, edges in self.edges.items()}
        )


def ask(features: Vectors, pairs: Mapping[Relation, Pairs]) -> Asked:
    """Captions with (m, 2) pairs of source and caption by relation."""
    nothing = np.empty((0, 2), np.int64)
    return Asked(
        features,
        {relation: make_edges(pairs.get(relation, nothing), len(features)) for relation in ASKED_RELATIONS},
    )


@dataclass(frozen=True, eq=False)
class GraphNetwork:
    """``weights`` by name: of a linear input per type, and of ``layers`` layers of one width."""

    weights: Mapping[str, Vectors]
    layers: int = LAYERS

    def embed(self, graph: Graph, features: ByType) -> States:
        """Pass over the whole graph; ``features`` (nodes, width) by type."""
        states: States = [{kind: self._enter(kind, features[kind]) for kind in NODE_TYPES}]
        for layer in range(self.layers):
            states.append(
                {
                    kind: self._convolve(layer, kind, states[-1][kind], edges_to(graph, kind), states[-1])
                    for kind in NODE_TYPES
                }
            )
        return states

    def embed_asked(self, asked: Asked, states: Sequence[ByType]) -> list[Vectors]:
        """Captions with incoming edges only, from the states of everything else: (q, units) per layer."""
        return self.embed_rows(CAPTION, asked.features, asked.edges, states)

    def embed_rows(
        self, kind: str, features: Vectors, edges: Mapping[Relation, Edges], states: Sequence[ByType]
    ) -> list[Vectors]:
        """Nodes of one type that nothing else hears of, by the edges to them: (m, units) per layer."""
        own = [self._enter(kind, features)]
        for layer in range(self.layers):
            own.append(self._convolve(layer, kind, own[-1], edges, states[layer]))
        return own

    def renew(
        self, graph: Graph, features: ByType, states: Sequence[ByType], rows: Mapping[str, Rows]
    ) -> States:
        """States with some ``rows`` by type computed again from ``graph``, the others left as they were.

        Exact for rows that no other node hears of; where others would, they hear of it at the next whole
        pass. Nodes that ``states`` do not have yet must be among ``rows``.
        """
        renewed = [{kind: _lengthen(layer[kind], graph.counts[kind]) for kind in layer} for layer in states]
        for kind, mine in rows.items():
            renewed[0][kind][mine] = self._enter(kind, features[kind][mine])
        edges = {
            kind: {relation: each.rows(mine) for relation, each in edges_to(graph, kind).items()}
            for kind, mine in rows.items()
        }
        for layer in range(self.layers):
            for kind, mine in rows.items():
                own = renewed[layer][kind][mine]
                renewed[layer + 1][kind][mine] = self._convolve(layer, kind, own, edges[kind], renewed[layer])
        return renewed

    def _enter(self, kind: str, features: Vectors) -> Vectors:
        return self._linear(f"inputs.{kind}", features)

    def _convolve(
        self, layer: int, kind: str, own: Vectors, edges: Mapping[Relation, Edges], states: ByType
    ) -> Vectors:
        """One layer for nodes of one type with their own states and their incoming edges."""
        moved = self._linear(f"layers.{layer}.own.{kind}", own)
        for relation, each in edges.items():
            if len(each.sources):
                heard = each.average(states[relation.source])
                moved += heard @ self.weights[f"layers.{layer}.relations.{relation.name}.weight"].T
        return moved if layer == self.layers - 1 else np.maximum(moved, 0, out=moved)

    def _linear(self, name: str, vectors: Vectors) -> Vectors:
        return np.asarray(
            vectors @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"], np.float32
        )


def edges_to(graph: Graph, kind: str) -> dict[Relation, Edges]:
    """The relations that lead to nodes of a type."""
    return {relation: edges for relation, edges in graph.edges.items() if relation.target == kind}


def _lengthen(states: Vectors, count: int) -> Vectors:
    """A copy with as many rows, the new ones nought."""
    return np.concatenate([states, np.zeros((count - len(states), states.shape[1]), np.float32)])
