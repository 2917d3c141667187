"""What composed retrievers learn from: a graph of items and attributes, and captions of known targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from search.engine.composed.graph import ATTRIBUTE, CAPTION, IMAGE, Graph, Pairs, Relation
from search.engine.training.failures import TrainingFailed
from search.engine.training.samples import Division, Rows

Vectors = NDArray[np.float32]

LEAST_CAPTIONS = 8


@dataclass(frozen=True, eq=False)
class ComposedSamples:
    """Vectors of n ``images`` (n, f), of ``attributes`` (a, w) and of m captions' ``texts`` (m, w).

    ``references`` and ``targets`` (m,) are places of images; ``edges`` lead to captions, (k, 2) of source and
    caption by relation; ``graph`` joins images and attributes. Rows of ``division`` are captions.
    """

    images: Vectors
    attributes: Vectors
    texts: Vectors
    references: Rows
    targets: Rows
    edges: Mapping[Relation, Pairs]
    graph: Graph
    division: Division

    def require(self) -> None:
        """Raises TrainingFailed where there is too little to learn from, or the parts do not fit."""
        counts = self.graph.counts
        if (counts[IMAGE], counts[ATTRIBUTE], counts[CAPTION]) != (len(self.images), len(self.attributes), 0):
            raise TrainingFailed("The graph is of another catalogue than the vectors. Make it again.")
        for rows, what in ((self.division.learned, "learn from"), (self.division.validation, "judge by")):
            if len(rows) < LEAST_CAPTIONS:
                raise TrainingFailed(
                    f"There are {len(rows)} captions to {what}; at least {LEAST_CAPTIONS} are needed. "
                    "Import more items, or captions."
                )


@dataclass(frozen=True, eq=False)
class Interactions:
    """Examples from which both interactions are learnt as relations.

    ``stated`` (k, 2) of image and attribute; ``liked`` (c, l) images liked as answers to the caption of each
    of ``captions`` (c,), which are rows of the samples.
    """

    stated: Pairs
    captions: Rows
    liked: NDArray[np.int64]


NO_INTERACTIONS = Interactions(np.empty((0, 2), np.int64), np.empty(0, np.int64), np.empty((0, 0), np.int64))


def draw_columns(targets: Rows, count: int, images: int, draws: Generator) -> tuple[Rows, NDArray[np.int64]]:
    """Images to rank a batch's targets among, each once: the targets, and ``count`` others at random.

    Also the place of each target in them.
    """
    if count >= images:
        return np.arange(images), targets
    others = draws.choice(images, count, replace=False)
    columns, places = np.unique(np.concatenate([targets, others]), return_inverse=True)
    return columns, places[: len(targets)]
