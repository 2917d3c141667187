"""The immutable, searchable build of one embedding space under one metric.

An index file holds what the metric needs beyond the vectors (for Hamming the bits and the centre they were
taken around) and the nearest neighbours of every item. The vectors stay in their own file, shared by the
indexes of the space and bound to each by checksum.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search.engine.arrays import read_arrays, write_arrays
from search.engine.errors import ArtifactDamaged, VectorsRejected
from search.engine.metrics import (
    METRICS,
    Exclusions,
    Gallery,
    Metric,
    Neighbours,
    Vectors,
    column_centre,
    sign_bits,
)
from search.engine.vectors import StoredVectors

NEIGHBOURS = 10


@dataclass(frozen=True)
class Index:
    """One space under one metric; made by `load_index`, never changed."""

    metric: Metric
    vectors: StoredVectors
    neighbours: Neighbours  # of every item, (n, k); never the item itself or one that is identical to it
    centre: npt.NDArray[np.float32]  # (d,), what Hamming subtracts before it takes signs; zeros otherwise
    gallery: Gallery

    def search(self, queries: Vectors, k: int, *, exclude: Exclusions | None = None) -> Neighbours:
        """The k nearest items of (q, d) query vectors, one or many; the same answer either way.

        `exclude[i]` lists positions that query i must not return. Raises VectorsRejected.
        """
        if queries.ndim != 2 or queries.shape[1] != self.vectors.rows.shape[1]:
            raise VectorsRejected(
                f"The queries have shape {queries.shape}; (q, {self.vectors.rows.shape[1]}) is needed."
            )
        rows = sign_bits(queries, self.centre) if self.metric == "hamming" else queries
        return self.gallery.nearest(rows, k, exclude=exclude)


def build_index(
    path: Path,
    vectors: StoredVectors,
    metric: Metric,
    *,
    identity: npt.ArrayLike,
    sign_structured: bool,
    k: int = NEIGHBOURS,
    threads: int | None = None,
) -> Index:
    """Compute the k nearest neighbours of every item and store the index at `path`.

    Items with equal `identity` (n,), integers or strings such as image checksums, are identical and never
    each other's neighbours. `sign_structured` spaces take their signs around zero, others around the column
    means. Raises DiskFull, VectorsRejected.
    """
    rows = vectors.rows
    kinds = np.unique(np.asarray(identity), return_inverse=True)[1]
    if kinds.shape != (len(rows),):
        raise VectorsRejected(f"{kinds.size} identities were given for {len(rows)} vectors.")
    centre = np.zeros(rows.shape[1], np.float32)
    if metric == "hamming" and not sign_structured and len(rows):
        centre = column_centre(rows)
    arrays: dict[str, npt.NDArray[Any]] = {"centre": centre}
    if metric == "hamming":
        arrays["bits"] = sign_bits(rows, centre)
    gallery = arrays.get("bits", rows)
    found = Gallery(metric, gallery).nearest(gallery, k, exclude=_same(kinds), threads=threads)
    arrays.update(positions=found.positions, distances=found.distances)
    write_arrays(path, arrays, {"kind": "index", "metric": metric, "vectors": vectors.sha256})
    return load_index(path, vectors)


def load_index(path: Path, vectors: StoredVectors) -> Index:
    """A stored index over its space, every byte checked. Raises ArtifactDamaged, FileNotFoundError."""
    arrays, facts = read_arrays(path)
    if facts.get("kind") != "index" or facts["metric"] not in METRICS:
        raise ArtifactDamaged(f"{path} is not an index. Build it again.")
    if facts["vectors"] != vectors.sha256:
        raise ArtifactDamaged(f"{path} was built over other vectors than {vectors.path}. Build it again.")
    metric: Metric = facts["metric"]
    gallery = Gallery(metric, arrays["bits"] if metric == "hamming" else vectors.rows)
    return Index(
        metric, vectors, Neighbours(arrays["positions"], arrays["distances"]), arrays["centre"], gallery
    )


def load_neighbours(path: Path) -> Neighbours:
    """Only the neighbours of every item, for which the vectors are not needed. Raises ArtifactDamaged."""
    arrays, facts = read_arrays(path)
    if facts.get("kind") != "index":
        raise ArtifactDamaged(f"{path} is not an index. Build it again.")
    return Neighbours(arrays["positions"], arrays["distances"])


def _same(kinds: npt.NDArray[np.intp]) -> list[npt.NDArray[np.intp]]:
    """For each item the positions of its kind, itself included."""
    order = np.argsort(kinds, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(kinds[order])) + 1)
    return [groups[kind] for kind in kinds]
