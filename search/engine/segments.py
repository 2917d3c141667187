"""Items that came after an index was built: small immutable segments beside it, searched together with it.

The index stays as it is. A segment holds the vectors of its items and the lists of nearest neighbours that it
makes or changes. What is found is what an index over all of them would find: distances are computed by the
same code, and of equal ones the lower row comes first, as everywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search.engine.arrays import read_arrays, write_arrays
from search.engine.errors import ArtifactDamaged
from search.engine.files import sha256_of
from search.engine.indexes import SearchedIndex
from search.engine.metrics import (
    METRICS,
    Exclusions,
    Gallery,
    Metric,
    Neighbours,
    Vectors,
    distances,
    sign_bits,
)

Positions = npt.NDArray[np.int64]

_BLOCK = 4096  # known items whose lists are looked at together


@dataclass(frozen=True)
class Listed:
    """The nearest neighbours of some items, all by `Item.position`."""

    items: Positions  # (n,), ascending
    neighbours: Neighbours  # (n, k)


@dataclass(frozen=True)
class Segment:
    """What was added at once; ``listed`` are by metric the lists that are new or have become others."""

    items: Positions  # (m,), ascending
    vectors: Vectors  # (m, d)
    listed: Mapping[Metric, Listed]


class Composition:
    """An index with the vectors (m, d) that were added to it: its rows, then theirs.

    ``centre`` (d,): around which the index takes signs, where its metric is Hamming.
    """

    def __init__(self, base: SearchedIndex, added: Vectors, metric: Metric, centre: Vectors) -> None:
        self.metric, self._base, self._added, self._centre = metric, base, added, centre
        self._size = len(base)
        self._gallery = Gallery(metric, self.as_rows(added))

    def __len__(self) -> int:
        return self._size + len(self._added)

    def vector(self, row: int) -> Vectors:
        """Of one row, (d,)."""
        return self._base.vector(row) if row < self._size else np.asarray(self._added[row - self._size])

    def search(
        self, queries: Vectors, k: int, *, exclude: Exclusions | None = None, threads: int | None = None
    ) -> Neighbours:
        """As `Index.search`."""
        left_out = [np.asarray(rows, np.int64) for rows in exclude] if exclude is not None else None
        inner = None if left_out is None else [rows[rows < self._size] for rows in left_out]
        found = self._base.search(queries, k, exclude=inner, threads=threads)
        outer = None if left_out is None else [rows[rows >= self._size] - self._size for rows in left_out]
        more = self._gallery.nearest(self.as_rows(queries), k, exclude=outer, threads=threads)
        return merge(found, _shifted(more, self._size), k)

    def measure(self, query: Vectors, positions: npt.NDArray[np.int64]) -> Vectors:
        """As `Index.measure`."""
        is_added = positions >= self._size
        measured = np.empty(len(positions), np.float32)
        measured[~is_added] = self._base.measure(query, positions[~is_added])
        rows = self.as_rows(self._added[positions[is_added] - self._size])
        measured[is_added] = distances(self.metric, self.as_rows(query[None]), rows)[0]
        return measured

    def as_rows(self, vectors: Vectors) -> npt.NDArray[Any]:
        """Vectors (n, d) as the metric compares them."""
        return sign_bits(vectors, self._centre) if self.metric == "hamming" else vectors


def merge(first: Neighbours, second: Neighbours, k: int) -> Neighbours:
    """The k nearest of both, (q, k); the positions of ``second`` are the higher ones."""
    positions = np.concatenate([first.positions, second.positions], axis=1)
    distances = np.concatenate([first.distances, second.distances], axis=1)
    # Stable, so that of equal distances the lower position stays first.
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return Neighbours(np.take_along_axis(positions, order, 1), np.take_along_axis(distances, order, 1))


def lay_over(listed: Listed, changes: Sequence[Listed]) -> Listed:
    """Lists with those in the place of older ones that came later; the items of ``changes`` may be new."""
    for change in changes:
        fresh = ~np.isin(change.items, listed.items)
        items = np.concatenate([listed.items, change.items[fresh]])
        positions = np.concatenate([listed.neighbours.positions, change.neighbours.positions[fresh]])
        distances = np.concatenate([listed.neighbours.distances, change.neighbours.distances[fresh]])
        order = np.argsort(items)
        listed = Listed(items[order], Neighbours(positions[order], distances[order]))
        rows = np.searchsorted(listed.items, change.items)
        listed.neighbours.positions[rows] = change.neighbours.positions
        listed.neighbours.distances[rows] = change.neighbours.distances
    return listed


def list_changes(
    composition: Composition,
    known: Listed,
    items: Positions,
    vectors: Sequence[Vectors],
    identity: npt.NDArray[Any],
    *,
    gone: npt.NDArray[np.int64],
    threads: int | None = None,
) -> Listed:
    """The lists of new items, and of known ones that a new item comes into.

    ``composition`` holds the known rows, n of them, then the new ones, m; ``vectors`` are theirs, part by
    part, the new ones the last part; ``items`` and ``identity``, both (n + m,), are of all of them. ``known``
    has a list of every known item. Items with one identity are never each other's neighbours; the rows
    ``gone`` are nobody's.
    """
    *older, new = vectors
    size, k = len(items) - len(new), known.neighbours.positions.shape[1]
    rows_of: dict[Any, list[int]] = {}
    for row, kind in enumerate(identity.tolist()):
        rows_of.setdefault(kind, []).append(row)
    own = [np.union1d(rows_of[kind], gone) for kind in identity[size:].tolist()]
    found = composition.search(new, k, exclude=own, threads=threads)
    fresh = Listed(items[size:], _by_item(found, items))
    # The other way round: each new item among the neighbours of the known ones.
    gallery = Gallery(composition.metric, composition.as_rows(new))
    changed: list[Listed] = []
    for start, block in _cut(older):
        part = slice(start, start + len(block))
        same = [[row - size for row in rows_of[kind] if row >= size] for kind in identity[part].tolist()]
        asked = composition.as_rows(block)
        more = gallery.nearest(asked, min(k, len(new)), exclude=same, threads=threads)
        at = np.searchsorted(known.items, items[part])
        before = Neighbours(known.neighbours.positions[at], known.neighbours.distances[at])
        after = merge(before, _by_item(_shifted(more, size), items), k)
        differs = (after.positions != before.positions).any(axis=1)
        if differs.any():
            kept = Neighbours(after.positions[differs], after.distances[differs])
            changed.append(Listed(items[part][differs], kept))
    return lay_over(fresh, changed)


def _cut(parts: Sequence[Vectors]) -> Iterator[tuple[int, Vectors]]:
    """Blocks of rows, each with the number of its first."""
    start = 0
    for part in parts:
        for at in range(0, len(part), _BLOCK):
            yield start + at, part[at : at + _BLOCK]
        start += len(part)


def write_segment(path: Path, segment: Segment, *, of: str) -> str:
    """Store a segment of the space whose vectors have the checksum ``of``; returns the file's sha256.

    Raises DiskFull.
    """
    arrays: dict[str, npt.NDArray[Any]] = {"items": segment.items, "vectors": segment.vectors}
    for metric, listed in segment.listed.items():
        arrays[f"{metric}.items"] = listed.items
        arrays[f"{metric}.positions"] = listed.neighbours.positions
        arrays[f"{metric}.distances"] = listed.neighbours.distances
    write_arrays(path, arrays, {"kind": "segment", "of": of})
    return sha256_of(path)


def load_segment(path: Path, sha256: str, *, of: str) -> Segment:
    """A stored segment, memory-mapped, every byte checked. Raises ArtifactDamaged, FileNotFoundError."""
    if sha256_of(path) != sha256:
        raise ArtifactDamaged(f"{path} is not the file its row names: build the contenders again.")
    arrays, facts = read_arrays(path)
    if facts != {"kind": "segment", "of": of}:
        raise ArtifactDamaged(f"{path} is no segment of this space: build the contenders again.")
    listed = {
        metric: Listed(
            arrays[f"{metric}.items"],
            Neighbours(arrays[f"{metric}.positions"], arrays[f"{metric}.distances"]),
        )
        for metric in METRICS
        if f"{metric}.items" in arrays
    }
    return Segment(arrays["items"], arrays["vectors"], listed)


def _shifted(found: Neighbours, by: int) -> Neighbours:
    positions = np.where(found.positions < 0, -1, found.positions + by)
    return Neighbours(positions.astype(np.int32), found.distances)


def _by_item(found: Neighbours, items: Positions) -> Neighbours:
    positions = np.where(found.positions < 0, -1, items[found.positions])
    return Neighbours(positions.astype(np.int32), found.distances)
