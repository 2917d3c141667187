"""The graph as a retriever, in numpy: what it answers to a caption that has just come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.engine.arrays import read_arrays, write_arrays
from search.engine.composed.composing import compose
from search.engine.composed.graph import IMAGE
from search.engine.composed.rgcn import Asked, ByType, GraphNetwork
from search.engine.errors import ArtifactDamaged

Vectors = NDArray[np.float32]
Places = NDArray[np.int64]

KIND = "composed-graph"
_NETWORK, _COMPOSITION, _LENGTHS = "network.", "composition.", "lengths"


@dataclass(frozen=True, eq=False)
class GraphRetriever:
    """The network, the weights of the composition, and how long both query vectors are (squared)."""

    network: GraphNetwork
    composition: Mapping[str, Vectors]
    lengths: Vectors

    def gallery(self, states: Sequence[ByType]) -> Vectors:
        """Vectors of length one of all images, (n, units)."""
        return normalise(states[-1][IMAGE])

    def query(self, asked: Asked, references: Places, states: Sequence[ByType]) -> Vectors:
        """(q, units): their inner products with the gallery are the scores.

        The sum of what both objectives taught: the caption's own embedding (links), and the reference's
        embedding as the caption's turns it (composition).
        """
        captions = self.network.embed_asked(asked, states)[-1]
        composed = compose(self.composition, states[-1][IMAGE][references], captions)
        linked, turned = self.lengths
        return np.asarray(linked * normalise(captions) + turned * normalise(composed), np.float32)


def normalise(vectors: Vectors) -> Vectors:
    """Vectors of length one; nought stays nought."""
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-9))
    return np.asarray(vectors / lengths, np.float32)


def find_best(scores: Vectors, count: int, *, without: Sequence[int] = ()) -> Places:
    """The places of the highest of (n,) scores, best first; equal ones by place. Some are left out."""
    scores = scores.copy()
    scores[list(without)] = -np.inf
    count = min(count, len(scores) - len(set(without)))
    found = np.argpartition(-scores, max(0, count - 1))[:count]
    return np.asarray(found[np.lexsort((found, -scores[found]))], np.int64)


def write_retriever(path: Path, retriever: GraphRetriever) -> None:
    """Keep a retriever in a file. Raises DiskFull."""
    arrays = {_NETWORK + name: array for name, array in retriever.network.weights.items()}
    arrays |= {_COMPOSITION + name: array for name, array in retriever.composition.items()}
    write_arrays(
        path, arrays | {_LENGTHS: retriever.lengths}, {"kind": KIND, "layers": retriever.network.layers}
    )


def read_retriever(path: Path) -> GraphRetriever:
    """The retriever in a file. Raises ArtifactDamaged, FileNotFoundError."""
    arrays, facts = read_arrays(path)
    if facts.get("kind") != KIND:
        raise ArtifactDamaged(f"{path} holds no graph for composed search. Train it again.")
    network, composition = (
        {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        for prefix in (_NETWORK, _COMPOSITION)
    )
    return GraphRetriever(GraphNetwork(network, int(facts["layers"])), composition, arrays[_LENGTHS])
