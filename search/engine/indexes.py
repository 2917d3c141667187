"""The immutable, searchable build of one embedding space under one metric.

An index file holds what the metric needs beyond the vectors (for Hamming the bits and the centre they were
taken around) and the nearest neighbours of every item. The vectors stay in their own file, shared by the
indexes of the space and bound to each by checksum. Where there are more vectors than `FLAT`, L1 and L2 look
at a shortlist of them; inverted lists are a file of their own beside the index, which names its checksum.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

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
    distances,
    sign_bits,
)
from search.engine.shortlists import FLAT, Reach, ShortlistGallery, Signs, choose_reach
from search.engine.vectors import StoredVectors

NEIGHBOURS = 10
_SEED = 0


class SearchedIndex(Protocol):
    """What searches ask of an index, wherever its vectors are."""

    def __len__(self) -> int: ...

    def vector(self, row: int) -> Vectors: ...

    def search(
        self, queries: Vectors, k: int, *, exclude: Exclusions | None = None, threads: int | None = None
    ) -> Neighbours: ...

    def measure(self, query: Vectors, positions: npt.NDArray[np.int64]) -> Vectors: ...


@dataclass(frozen=True)
class Index:
    """One space under one metric; made by `load_index`, never changed."""

    metric: Metric
    vectors: StoredVectors
    neighbours: Neighbours  # of every item, (n, k); never the item itself or one that is identical to it
    centre: npt.NDArray[np.float32]  # (d,), what Hamming subtracts before it takes signs; zeros otherwise
    gallery: Gallery | ShortlistGallery

    def __len__(self) -> int:
        return len(self.vectors.rows)

    def vector(self, row: int) -> Vectors:
        """Of one row, (d,)."""
        return np.asarray(self.vectors.rows[row])

    def search(
        self, queries: Vectors, k: int, *, exclude: Exclusions | None = None, threads: int | None = None
    ) -> Neighbours:
        """The k nearest items of (q, d) query vectors, one or many; the same answer either way.

        `exclude[i]` lists positions that query i must not return. `threads` defaults to the processors this
        process may use. Raises VectorsRejected.
        """
        if queries.ndim != 2 or queries.shape[1] != self.vectors.rows.shape[1]:
            raise VectorsRejected(
                f"The queries have shape {queries.shape}; (q, {self.vectors.rows.shape[1]}) is needed."
            )
        rows = sign_bits(queries, self.centre) if self.metric == "hamming" else queries
        return self.gallery.nearest(rows, k, exclude=exclude, threads=threads)

    def measure(self, query: Vectors, positions: npt.NDArray[np.int64]) -> Vectors:
        """The distances of a (d,) query from some of the items, (m,): few, as each one's vector is read."""
        rows, asked = self.vectors.rows[positions], query[None]
        if self.metric == "hamming":
            bits = sign_bits(rows, self.centre)
            return np.asarray(distances(self.metric, sign_bits(asked, self.centre), bits)[0])
        return np.asarray(distances(self.metric, asked, rows)[0])


def build_index(
    path: Path,
    vectors: StoredVectors,
    metric: Metric,
    *,
    identity: npt.ArrayLike,
    sign_structured: bool,
    k: int = NEIGHBOURS,
    flat: int = FLAT,
    threads: int | None = None,
) -> Index:
    """Compute the k nearest neighbours of every item and store the index at `path`.

    Beyond `flat` vectors L1 and L2 look at a shortlist, if there is one that misses few. Items with equal
    `identity` (n,), integers or strings such as image checksums, are identical and never each other's
    neighbours. `sign_structured` spaces take their signs around zero, others around the column means.
    Raises DiskFull, VectorsRejected.
    """
    rows = vectors.rows
    kinds = np.unique(np.asarray(identity), return_inverse=True)[1]
    if kinds.shape != (len(rows),):
        raise VectorsRejected(f"{kinds.size} identities were given for {len(rows)} vectors.")
    is_long = len(rows) > flat
    centre = np.zeros(rows.shape[1], np.float32)
    if (metric == "hamming" or is_long) and not sign_structured and len(rows):
        centre = column_centre(rows)
    arrays: dict[str, npt.NDArray[Any]] = {"centre": centre}
    facts: dict[str, str | int | float | None] = {
        "kind": "index",
        "metric": metric,
        "vectors": vectors.sha256,
    }
    gallery: Gallery | ShortlistGallery
    if metric == "hamming":
        arrays["bits"] = sign_bits(rows, centre)
        gallery = Gallery(metric, arrays["bits"])
    else:
        shortened = _shorten(path, vectors, metric, arrays, facts, threads) if is_long else None
        gallery = shortened or Gallery(metric, rows)
    asked = arrays["bits"] if metric == "hamming" else rows
    found = gallery.nearest(asked, k, exclude=_same(kinds), threads=threads)
    arrays.update(positions=found.positions, distances=found.distances)
    write_arrays(path, arrays, facts)
    return load_index(path, vectors)


def _shorten(
    path: Path,
    vectors: StoredVectors,
    metric: Metric,
    arrays: dict[str, npt.NDArray[Any]],
    facts: dict[str, str | int | float | None],
    threads: int | None,
) -> ShortlistGallery | None:
    """The gallery that looks at a shortlist; what it needs is added to `arrays` and `facts`."""
    # Loading faiss takes a moment, and most catalogues are not that large.
    from search.engine.inverted_lists import InvertedLists, build_lists

    rows, lists_path = vectors.rows, _lists_path(path)
    sha256 = build_lists(lists_path, rows, seed=_SEED, threads=threads)
    lists = InvertedLists(lists_path, sha256)
    bits = sign_bits(rows, arrays["centre"])
    signs = Signs(bits, arrays["centre"])
    reach = choose_reach(metric, rows, signs=signs, lists=lists, count=lists.count, seed=_SEED)
    if reach is None or reach.kind == "signs":
        lists_path.unlink()
    if reach is None:
        return None
    facts.update(
        shortlist=reach.kind, shortlisted=reach.shortlisted, probes=reach.probes, recall=reach.recall
    )
    if reach.kind == "signs":
        arrays["bits"] = bits
        return ShortlistGallery(metric, rows, signs, reach)
    facts["lists"] = sha256
    return ShortlistGallery(metric, rows, lists, reach)


def load_index(path: Path, vectors: StoredVectors) -> Index:
    """A stored index over its space, every byte checked. Raises ArtifactDamaged, FileNotFoundError."""
    arrays, facts = read_arrays(path)
    if facts.get("kind") != "index" or facts["metric"] not in METRICS:
        raise ArtifactDamaged(f"{path} is not an index. Build it again.")
    if facts["vectors"] != vectors.sha256:
        raise ArtifactDamaged(f"{path} was built over other vectors than {vectors.path}. Build it again.")
    metric: Metric = facts["metric"]
    neighbours = Neighbours(arrays["positions"], arrays["distances"])
    return Index(metric, vectors, neighbours, arrays["centre"], _gallery_of(path, vectors, arrays, facts))


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


def _gallery_of(
    path: Path, vectors: StoredVectors, arrays: dict[str, npt.NDArray[Any]], facts: dict[str, Any]
) -> Gallery | ShortlistGallery:
    metric: Metric = facts["metric"]
    if metric == "hamming":
        return Gallery(metric, arrays["bits"])
    if "shortlist" not in facts:
        return Gallery(metric, vectors.rows)
    reach = Reach(facts["shortlist"], facts["shortlisted"], facts["probes"], facts["recall"])
    if reach.kind == "signs":
        return ShortlistGallery(metric, vectors.rows, Signs(arrays["bits"], arrays["centre"]), reach)
    from search.engine.inverted_lists import InvertedLists  # as in `_shorten`

    return ShortlistGallery(metric, vectors.rows, InvertedLists(_lists_path(path), facts["lists"]), reach)


def _lists_path(path: Path) -> Path:
    return path.with_suffix(".lists")
