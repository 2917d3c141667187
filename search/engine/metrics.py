"""Exact distances and nearest neighbours under three metrics, behind one interface.

`l1` and `l2` compare float32 vectors; `hamming` compares the packed sign bits that `sign_bits` makes of them.
Everything here is exact and the same on every run: neighbours are ordered by (distance as reported,
position), whatever the batch, the number of threads or the processor.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from search.engine.errors import VectorsRejected

Metric: TypeAlias = Literal["l1", "l2", "hamming"]
METRICS: tuple[Metric, ...] = ("l1", "l2", "hamming")
Vectors: TypeAlias = npt.NDArray[np.float32]
Bits: TypeAlias = npt.NDArray[np.uint8]
Exclusions: TypeAlias = Sequence[npt.ArrayLike]

_UNIT = 2.0**-24  # rounding of one float32 operation
_UNDERFLOW = 1e-30  # more than float32 can lose to values too small for it, at any dimension
_LARGEST_VALUE = 1e15  # beyond it squares summed over thousands of dimensions leave float32
_TILE = 8  # queries that the kernels take together
_BLOCK = 64  # queries ranked together
_FEW = 2  # queries for which L2 differences are faster than a matrix product
_SHARED = 1 << 26  # bytes of a gallery from which on waiting for other threads is worth it, one query or many
_BLOCK_PAIRS = 1 << 23  # at most that many distances at once per thread: 32 MiB
_PRODUCTS = 1 << 24  # and that many products for L2: 64 MiB


@dataclass(frozen=True)
class Neighbours:
    """The nearest of each query, best first; position -1, distance infinity where the gallery has no more."""

    positions: npt.NDArray[np.int32]  # (q, k), rows of the gallery
    distances: npt.NDArray[np.float32]  # (q, k)


def column_centre(vectors: Vectors) -> Vectors:
    """The column means of (n, d) vectors, shape (d,), summed in float64: where signs are taken of a space
    without sign structure of its own."""
    return np.asarray(vectors.mean(axis=0, dtype=np.float64), dtype=np.float32)


def sign_bits(vectors: Vectors, centre: Vectors | float = 0.0) -> Bits:
    """Bit j of row i is `vectors[i, j] > centre[j]`; (n, d) to (n, ceil(d / 8)), padded with zero bits.

    Post-ReLU activations have sign structure already (centre 0); other spaces are centred by `column_centre`.
    """
    return np.packbits(np.asarray(vectors) > centre, axis=1)


def distances(metric: Metric, queries: npt.NDArray[Any], gallery: npt.NDArray[Any]) -> Vectors:
    """All distances, (q, d) and (n, d) to (q, n): for few pairs; `nearest` is much faster for many."""
    return Gallery(metric, gallery).distances(queries)


def nearest(
    metric: Metric,
    queries: npt.NDArray[Any],
    gallery: npt.NDArray[Any],
    k: int,
    *,
    exclude: Exclusions | None = None,
    threads: int | None = None,
) -> Neighbours:
    """The k nearest rows of `gallery` (n, d) for each of `queries` (q, d); equal distances by lower position.

    `exclude[i]` lists positions that query i must not return: itself, and whatever is identical to it. Search
    the same gallery again through a `Gallery`, which prepares it once. Raises VectorsRejected.
    """
    return Gallery(metric, gallery).nearest(queries, k, exclude=exclude, threads=threads)


class Gallery:
    """Vectors or bits (n, d), prepared once for many searches under one metric. Raises VectorsRejected.

    float32 rows are not copied: they may be memory-mapped. Bits are, into the order their kernel reads.
    """

    def __init__(self, metric: Metric, rows: npt.NDArray[Any]) -> None:
        # Loading the compiled loops takes half a second; whoever only names a metric does not need them.
        from search.engine import kernels

        if metric not in METRICS:
            raise ValueError(f"Unknown metric {metric!r}; there are {', '.join(METRICS)}.")
        self.metric, self.dimensions = metric, rows.shape[1]
        self._kernels = kernels
        self._size = len(rows)
        # An entry of `_rows` holds `_together` rows; threads share out whole entries.
        self._rows, self._together = self._admit(rows, "gallery"), 1
        if metric == "hamming":
            self._together = kernels.HAMMING_BLOCK
            self._rows = _in_blocks(self._rows, self._together)
        self._kind = {"l1": kernels.L1, "l2": kernels.L2, "hamming": kernels.GIVEN}[metric]
        self._norms = _squared_norms(self._rows) if metric == "l2" else None
        # Relative error of a float32 sum over the dimensions in any order (Higham, Accuracy and Stability of
        # Numerical Algorithms, 3.1), with a few operations to spare.
        self._error = (self.dimensions + 10) * _UNIT

    def __len__(self) -> int:
        return self._size

    def nearest(
        self,
        queries: npt.NDArray[Any],
        k: int,
        *,
        exclude: Exclusions | None = None,
        threads: int | None = None,
    ) -> Neighbours:
        """As the function `nearest`. `threads` defaults to the processors this process may use."""
        asked = self._admit(queries, "queries")
        if k < 1:
            raise ValueError(f"k is {k}; at least one neighbour has to be asked for.")
        if exclude is not None and len(exclude) != len(asked):
            raise ValueError(f"{len(exclude)} exclusion lists for {len(asked)} queries.")
        found = Neighbours(np.empty((len(asked), k), np.int32), np.empty((len(asked), k), np.float32))
        workers = threads or len(os.sched_getaffinity(0))
        step = self._block_size(len(asked), workers)

        def search(block: slice, products: Vectors | None) -> None:
            is_shared = block.stop - block.start == len(asked) and self._rows.nbytes >= _SHARED
            lower, bounds = self._bounds(asked[block], products, pool.map if is_shared else map, workers)
            for row, positions in enumerate(exclude[block] if exclude is not None else ()):
                lower[row, np.asarray(positions, dtype=np.intp)] = np.inf
            self._rank(lower, bounds, asked[block], found.positions[block], found.distances[block])

        with ThreadPoolExecutor(workers, thread_name_prefix="nearest") as pool:
            for begin, end, products in self._multiplied(asked):
                blocks = [slice(start, min(start + step, end)) for start in range(begin, end, step)]
                parts = [
                    None if products is None else products[b.start - begin : b.stop - begin] for b in blocks
                ]
                # A single block stays in this thread; the threads share its gallery where that is large.
                deque((pool.map if len(blocks) > 1 else map)(search, blocks, parts), 0)
        return found

    def distances(self, queries: npt.NDArray[Any]) -> Vectors:
        """All distances to (q, d) queries, (q, n), equal to those that `nearest` reports."""
        asked = self._admit(queries, "queries")
        out = np.empty((len(asked), self._size), np.float32)
        if self.metric == "hamming":
            self._kernels.hamming(asked, self._rows, out)
        else:
            self._kernels.every_distance(self._kind, asked, self._rows, out)
        return out

    def _admit(self, rows: npt.NDArray[Any], what: str) -> npt.NDArray[Any]:
        """Contiguous rows of the kernels' type; for bits, in words of 64."""
        if rows.ndim != 2 or rows.shape[1] != self.dimensions:
            raise VectorsRejected(f"The {what} have shape {rows.shape}; (n, {self.dimensions}) is needed.")
        if self.metric == "hamming":
            if rows.dtype != np.uint8:
                raise VectorsRejected(
                    f"The {what} are {rows.dtype}; Hamming compares the bits of `sign_bits`."
                )
            padding = -rows.shape[1] % 8
            padded = np.pad(rows, ((0, 0), (0, padding))) if padding else np.ascontiguousarray(rows)
            return np.asarray(padded).view(np.uint64)
        admitted = np.ascontiguousarray(rows, dtype=np.float32)
        # `not <=` also catches NaN, which maximum and minimum hand on.
        if admitted.size and not max(float(admitted.max()), -float(admitted.min())) <= _LARGEST_VALUE:
            raise VectorsRejected(
                f"The {what} hold a value that is not a number or beyond {_LARGEST_VALUE:g}."
            )
        return admitted

    def _block_size(self, queries: int, workers: int) -> int:
        """Queries per task: enough for the tiles, few enough for memory, and something for every thread."""
        fair = -(-queries // workers)
        roomy = _BLOCK_PAIRS // max(1, self._size)
        return max(_TILE, -(-min(_BLOCK, fair, roomy) // _TILE) * _TILE)

    def _multiplied(self, queries: npt.NDArray[Any]) -> Iterator[tuple[int, int, Vectors | None]]:
        """Ranges of queries, for L2 with their products with every row: one large multiplication, on the
        library's own threads, is faster than several small ones."""
        if self.metric != "l2" or len(queries) <= _FEW:
            yield 0, len(queries), None
            return
        step = max(8, _PRODUCTS // max(1, self._size))
        for begin in range(0, len(queries), step):
            end = min(begin + step, len(queries))
            yield begin, end, queries[begin:end] @ self._rows.T

    def _bounds(
        self, queries: npt.NDArray[Any], products: Vectors | None, each: Callable[..., Any], workers: int
    ) -> tuple[Vectors, tuple[float, Vectors, Vectors]]:
        """Lower bounds of the distances, and (factor, query slack, gallery slack) up to the upper bounds.

        For L2 the bounds are of squared distances and overwrite `products`. `each` maps over parts of the
        gallery, as many as there are workers.
        """
        count, size = len(queries), self._size
        query_slack, gallery_slack = np.zeros(count, np.float32), np.zeros(size, np.float32)
        if products is not None and self._norms is not None:
            # |q - g|^2 = |q|^2 + |g|^2 - 2 q.g: fast, but it cancels; the error is relative to the norms.
            ours = _squared_norms(queries)
            shrink, grow = np.float32(1 - 2 * self._error), np.float32(5 * self._error)
            products *= -2
            products += (ours * shrink)[:, None]
            products += self._norms * shrink
            return products, (1.0, ours * grow + np.float32(_UNDERFLOW), self._norms * grow)
        kernels = self._kernels
        kernel = {"l1": kernels.manhattan, "l2": kernels.squared, "hamming": kernels.hamming}[self.metric]
        lower = np.empty((count, size), np.float32)
        step = max(1, -(-len(self._rows) // workers))

        def fill(start: int) -> None:
            columns = slice(start * self._together, (start + step) * self._together)
            kernel(queries, self._rows[start : start + step], lower[:, columns])

        deque(each(fill, range(0, len(self._rows), step)), 0)
        if self.metric == "hamming":
            return lower, (1.0, query_slack, gallery_slack)
        return lower, (1 + 3 * self._error, query_slack + np.float32(_UNDERFLOW), gallery_slack)

    def _rank(
        self,
        lower: Vectors,
        bounds: tuple[float, Vectors, Vectors],
        queries: npt.NDArray[Any],
        positions: npt.NDArray[np.int32],
        found: Vectors,
    ) -> None:
        if self.metric == "hamming":  # `lower` is exact, no vector is looked at again
            nothing = np.empty((0, 0), np.float32)
            self._kernels.rank(self._kind, lower, *bounds, nothing, nothing, positions, found)
        else:
            self._kernels.rank(self._kind, lower, *bounds, queries, self._rows, positions, found)


def _in_blocks(words: npt.NDArray[np.uint64], size: int) -> npt.NDArray[np.uint64]:
    """(n, w) words as (ceil(n / size), w, size), padded with zeros."""
    count, width = words.shape
    padded = np.pad(words, ((0, -count % size), (0, 0)))
    return np.ascontiguousarray(padded.reshape(-(-count // size), size, width).transpose(0, 2, 1))


def _squared_norms(rows: Vectors) -> Vectors:
    """Squared lengths of (n, d) rows, (n,), without a copy of the rows in float64."""
    norms = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), 1024):
        block = rows[start : start + 1024]
        norms[start : start + 1024] = np.einsum("nd,nd->n", block, block, dtype=np.float64, casting="safe")
    return norms
