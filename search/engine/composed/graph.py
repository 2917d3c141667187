"""A graph of images, captions and attributes: typed nodes, typed edges, one CSR per relation.

Every relation has a direction, in which messages flow. A caption that asks for something has incoming edges
only; once somebody liked an answer to it, edges lead from it to what was liked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search.engine.errors import EngineError

Vectors = NDArray[np.float32]
Pairs = NDArray[np.int64]

IMAGE, ATTRIBUTE, CAPTION = "image", "attribute", "caption"
NODE_TYPES = (IMAGE, ATTRIBUTE, CAPTION)


class Relation(NamedTuple):
    """Edges of one meaning, from nodes of one type to nodes of another."""

    name: str
    source: str
    target: str


# What is predicted or labelled, and its way back.
DESCRIBES, SHOWS = Relation("describes", ATTRIBUTE, IMAGE), Relation("shows", IMAGE, ATTRIBUTE)
# More metadata: what people said of an item, and its way back.
STATES, STATED = Relation("states", ATTRIBUTE, IMAGE), Relation("stated", IMAGE, ATTRIBUTE)
# What a caption stands on.
CANDIDATE = Relation("candidate", IMAGE, CAPTION)
WANTED, UNWANTED, KEPT = (Relation(name, ATTRIBUTE, CAPTION) for name in ("wanted", "unwanted", "kept"))
# I like that!: answers tied to each other and to their candidate, the caption to them, they to the caption.
LIKED_WITH = Relation("liked-with", IMAGE, IMAGE)
LIKED_FOR = Relation("liked-for", CAPTION, IMAGE)
LIKES = Relation("likes", IMAGE, CAPTION)

RELATIONS = (
    DESCRIBES, SHOWS, STATES, STATED, CANDIDATE, WANTED, UNWANTED, KEPT, LIKED_WITH, LIKED_FOR, LIKES,
)  # fmt: skip
OF_CAPTIONS = (CANDIDATE, WANTED, UNWANTED, KEPT)
BY_NAME = {relation.name: relation for relation in RELATIONS}


class GraphRejected(EngineError):
    """Edges that lead from or to a node that does not exist, or of no known relation."""


@dataclass(frozen=True, eq=False)
class Edges:
    """Incoming edges by target in CSR: those of node t come from ``sources[starts[t] : starts[t + 1]]``."""

    starts: NDArray[np.int64]
    sources: NDArray[np.int64]

    @property
    def degrees(self) -> NDArray[np.int64]:
        """(targets,): how many edges lead to each."""
        return np.diff(self.starts)

    def of(self, row: int) -> NDArray[np.int64]:
        """Where the edges to one node come from, ascending."""
        return self.sources[self.starts[row] : self.starts[row + 1]]

    def rows(self, rows: NDArray[np.int64]) -> Edges:
        """Those of some targets, in their order."""
        degrees = self.degrees[rows]
        starts = np.concatenate([[0], np.cumsum(degrees)])
        places = np.repeat(self.starts[rows] - starts[:-1], degrees) + np.arange(starts[-1])
        return Edges(starts, self.sources[places])

    def pairs(self) -> Pairs:
        """(m, 2) of source and target."""
        targets = np.repeat(np.arange(len(self.starts) - 1), self.degrees)
        return np.stack([self.sources, targets], axis=1)

    def average(self, states: Vectors) -> Vectors:
        """The mean state of each target's sources, (targets, d); nought without any."""
        means = np.zeros((len(self.starts) - 1, states.shape[1]), np.float32)
        filled = np.flatnonzero(self.degrees)
        if len(filled):
            sums = np.add.reduceat(states[self.sources], self.starts[filled], axis=0)
            means[filled] = sums / self.degrees[filled, None].astype(np.float32)
        return means


def make_edges(pairs: Pairs, targets: int) -> Edges:
    """CSR of (m, 2) pairs of source and target; an edge that is there twice counts once."""
    pairs = np.unique(_as_pairs(pairs)[:, ::-1], axis=0)
    starts = np.searchsorted(pairs[:, 0], np.arange(targets + 1))
    return Edges(starts.astype(np.int64), np.ascontiguousarray(pairs[:, 1]))


@dataclass(frozen=True, eq=False)
class Graph:
    """``counts`` of nodes by type, and ``edges`` by relation; all of `RELATIONS` are there, perhaps empty."""

    counts: Mapping[str, int]
    edges: Mapping[Relation, Edges] = field(repr=False)

    def adding(self, pairs: Mapping[Relation, Pairs], counts: Mapping[str, int] | None = None) -> Graph:
        """The same with more edges, and perhaps more nodes behind those that are there.

        Raises GraphRejected.
        """
        together = {
            relation: np.concatenate([edges.pairs(), _as_pairs(pairs.get(relation, ()))])
            for relation, edges in self.edges.items()
        }
        strange = {relation: each for relation, each in pairs.items() if relation not in together}
        return make_graph(counts or self.counts, together | strange)

    def without(self, *relations: Relation) -> Graph:
        """The same without the edges of some relations."""
        empty = {
            relation: make_edges(np.empty((0, 2), np.int64), self.counts[relation.target])
            for relation in relations
        }
        return Graph(self.counts, {**self.edges, **empty})


def make_graph(counts: Mapping[str, int], pairs: Mapping[Relation, Pairs]) -> Graph:
    """A graph of (m, 2) pairs of source and target by relation. Raises GraphRejected."""
    if unknown := [relation.name for relation in pairs if relation not in RELATIONS]:
        raise GraphRejected(f"There is no relation {', '.join(unknown)}.")
    edges = {}
    for relation in RELATIONS:
        wanted = _as_pairs(pairs.get(relation, ()))
        for column, kind in enumerate((relation.source, relation.target)):
            if len(wanted) and not 0 <= wanted[:, column].min() <= wanted[:, column].max() < counts[kind]:
                raise GraphRejected(
                    f"An edge '{relation.name}' leads from or to a node that does not exist: "
                    f"there are {counts[kind]} of type {kind}."
                )
        edges[relation] = make_edges(wanted, counts[relation.target])
    return Graph(dict(counts), edges)


def metadata_pairs(stated: Pairs) -> dict[Relation, Pairs]:
    """Edges of what people said: ``stated`` (m, 2) of image and attribute, both ways."""
    return {STATED: stated, STATES: stated[:, ::-1]}


def like_pairs(caption: int, candidate: int, liked: NDArray[np.int64]) -> dict[Relation, Pairs]:
    """Edges of one "I like that!": liked images tied to each other, to the caption and to the candidate."""
    liked = np.unique(liked)
    one, other = (grid.ravel() for grid in np.meshgrid(liked, liked))
    each_other = np.stack([one, other], axis=1)[one != other]
    to_candidate = np.stack([liked, np.full(len(liked), candidate)], axis=1)
    tied = np.concatenate([each_other, to_candidate, to_candidate[:, ::-1]])
    to_caption = np.stack([liked, np.full(len(liked), caption)], axis=1)
    return {LIKED_WITH: tied[tied[:, 0] != tied[:, 1]], LIKES: to_caption, LIKED_FOR: to_caption[:, ::-1]}


def _as_pairs(pairs: ArrayLike) -> Pairs:
    return np.asarray(pairs, np.int64).reshape(-1, 2)
