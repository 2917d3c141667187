"""Compiled inner loops of exact search. Imported only by `metrics`, and only when a distance is needed.

Two facts shape them [measured]. No library has a fast exact L1: faiss computes it pair by pair, many times
slower than L2 at 4096 dimensions. Its Hamming loop, too, loads both sides for every pair: the tile below is
six times faster there. Both keep a tile of sums in registers, so that a value once loaded serves several
pairs. The loops release the interpreter's lock and start no threads of their own: unlike OpenMP they cannot
hang a process that forks.

Sums that only find candidates may be rounded in any order; `rank` decides by distances in float64, summed in
the order of the dimensions, so that the same vectors give the same answer on every machine.

Compiled code is kept where numba keeps it: in NUMBA_CACHE_DIR, else beside this file.
"""

from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic

L1, L2, GIVEN = 0, 1, 2  # how `rank` computes the distance of a candidate

_FLOATS = types.Array(types.float32, 2, "C", readonly=True)
_WORDS = types.Array(types.uint64, 2, "C", readonly=True)
_ROW = types.Array(types.float32, 1, "C", readonly=True)
_TABLE = types.float32[:, ::1]
_OUT = types.float32[:, :]  # a table, or some columns of one
_GALLERY_TILE = 32  # rows: at 4096 dimensions a quarter of a core's second-level cache
_LARGEST = np.float32(3.0e38)
_TIE = np.float32(1 + 2.0**-22)  # two distances this close may be equal once rounded to float32

# Signatures are given so that compiling happens (or is read from the cache) at import, once.


def _count_ones(_typing: Any, _word: Any) -> Any:
    """The number of one bits of a 64-bit word: one machine instruction where there is one."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


_ones: Any = intrinsic(_count_ones)


@numba.njit(types.void(_FLOATS, types.intp, _FLOATS, types.intp, _OUT), nogil=True, fastmath=True, cache=True)
def _manhattan_tile(queries: Any, i: int, gallery: Any, j: int, out: Any) -> None:
    """Eight queries by two gallery rows: sixteen sums in registers."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = np.float32(0)
    b0 = b1 = b2 = b3 = b4 = b5 = b6 = b7 = np.float32(0)
    for p in range(queries.shape[1]):
        a, b = gallery[j, p], gallery[j + 1, p]
        q0, q1, q2, q3 = queries[i, p], queries[i + 1, p], queries[i + 2, p], queries[i + 3, p]
        q4, q5, q6, q7 = queries[i + 4, p], queries[i + 5, p], queries[i + 6, p], queries[i + 7, p]
        a0 += abs(q0 - a)
        a1 += abs(q1 - a)
        a2 += abs(q2 - a)
        a3 += abs(q3 - a)
        a4 += abs(q4 - a)
        a5 += abs(q5 - a)
        a6 += abs(q6 - a)
        a7 += abs(q7 - a)
        b0 += abs(q0 - b)
        b1 += abs(q1 - b)
        b2 += abs(q2 - b)
        b3 += abs(q3 - b)
        b4 += abs(q4 - b)
        b5 += abs(q5 - b)
        b6 += abs(q6 - b)
        b7 += abs(q7 - b)
    out[i, j], out[i + 1, j], out[i + 2, j], out[i + 3, j] = a0, a1, a2, a3
    out[i + 4, j], out[i + 5, j], out[i + 6, j], out[i + 7, j] = a4, a5, a6, a7
    out[i, j + 1], out[i + 1, j + 1], out[i + 2, j + 1], out[i + 3, j + 1] = b0, b1, b2, b3
    out[i + 4, j + 1], out[i + 5, j + 1], out[i + 6, j + 1], out[i + 7, j + 1] = b4, b5, b6, b7


@numba.njit(types.void(_FLOATS, _FLOATS, _OUT), nogil=True, fastmath=True, cache=True)
def manhattan(queries: Any, gallery: Any, out: Any) -> None:
    """Sums of absolute differences in float32, rounded in any order: (q, d) and (n, d) into (q, n)."""
    full, even = queries.shape[0] // 8 * 8, gallery.shape[0] // 2 * 2
    for start in range(0, even, _GALLERY_TILE):
        for i in range(0, full, 8):
            for j in range(start, min(start + _GALLERY_TILE, even), 2):
                _manhattan_tile(queries, i, gallery, j, out)
    for j in range(gallery.shape[0]):
        for i in range(full if j < even else 0, queries.shape[0]):
            total = np.float32(0)
            for p in range(queries.shape[1]):
                total += abs(queries[i, p] - gallery[j, p])
            out[i, j] = total


@numba.njit(types.void(_FLOATS, _FLOATS, _OUT), nogil=True, fastmath=True, cache=True)
def squared(queries: Any, gallery: Any, out: Any) -> None:
    """Sums of squared differences in float32, for a query or two: more are faster as a matrix product."""
    for j in range(gallery.shape[0]):
        for i in range(queries.shape[0]):
            total = np.float32(0)
            for p in range(queries.shape[1]):
                gap = queries[i, p] - gallery[j, p]
                total += gap * gap
            out[i, j] = total


@numba.njit(types.void(_WORDS, types.intp, _WORDS, types.intp, _OUT), nogil=True, fastmath=True, cache=True)
def _hamming_tile(queries: Any, i: int, gallery: Any, j: int, out: Any) -> None:
    """Four queries by two gallery rows."""
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = np.uint64(0)
    for p in range(queries.shape[1]):
        a, b = gallery[j, p], gallery[j + 1, p]
        q0, q1, q2, q3 = queries[i, p], queries[i + 1, p], queries[i + 2, p], queries[i + 3, p]
        a0 += _ones(q0 ^ a)
        a1 += _ones(q1 ^ a)
        a2 += _ones(q2 ^ a)
        a3 += _ones(q3 ^ a)
        b0 += _ones(q0 ^ b)
        b1 += _ones(q1 ^ b)
        b2 += _ones(q2 ^ b)
        b3 += _ones(q3 ^ b)
    out[i, j], out[i + 1, j], out[i + 2, j], out[i + 3, j] = a0, a1, a2, a3
    out[i, j + 1], out[i + 1, j + 1], out[i + 2, j + 1], out[i + 3, j + 1] = b0, b1, b2, b3


@numba.njit(types.void(_WORDS, _WORDS, _OUT), nogil=True, fastmath=True, cache=True)
def hamming(queries: Any, gallery: Any, out: Any) -> None:
    """Numbers of differing bits, exact below 2**24: (q, w) and (n, w) words of 64 bits into (q, n)."""
    full, even = queries.shape[0] // 4 * 4, gallery.shape[0] // 2 * 2
    tile = 8 * _GALLERY_TILE
    for start in range(0, even, tile):
        for i in range(0, full, 4):
            for j in range(start, min(start + tile, even), 2):
                _hamming_tile(queries, i, gallery, j, out)
    for j in range(gallery.shape[0]):
        for i in range(full if j < even else 0, queries.shape[0]):
            total = np.uint64(0)
            for p in range(queries.shape[1]):
                total += _ones(queries[i, p] ^ gallery[j, p])
            out[i, j] = total


@numba.njit(types.float32(types.int64, _FLOATS, types.intp, _FLOATS, types.intp), nogil=True, cache=True)
def _distance(kind: int, queries: Any, i: int, gallery: Any, j: int) -> Any:
    """One L1 or L2 distance, summed in float64 in the order of the dimensions, rounded to float32 once."""
    total = 0.0
    for p in range(queries.shape[1]):
        gap = np.float64(queries[i, p]) - np.float64(gallery[j, p])
        total += abs(gap) if kind == L1 else gap * gap
    return np.float32(total if kind == L1 else np.sqrt(total))


@numba.njit(types.void(types.int64, _FLOATS, _FLOATS, _TABLE), nogil=True, cache=True)
def every_distance(kind: int, queries: Any, gallery: Any, out: Any) -> None:
    """All distances as `rank` would report them: (q, d) and (n, d) into (q, n)."""
    for i in range(queries.shape[0]):
        for j in range(gallery.shape[0]):
            out[i, j] = _distance(kind, queries, i, gallery, j)


@numba.njit(types.float32(_ROW, types.float32[::1]), nogil=True, cache=True)
def _smallest(values: Any, best: Any) -> Any:
    """The k-th smallest of `values` (k = len(best)), or infinity where fewer are finite."""
    k = best.shape[0]
    best[:] = np.inf
    for j in range(values.shape[0]):
        value = values[j]
        if value < best[k - 1]:
            place = k - 1
            while place > 0 and best[place - 1] > value:
                best[place] = best[place - 1]
                place -= 1
            best[place] = value
    return best[k - 1]


@numba.njit(
    types.void(
        types.int64,
        _TABLE,
        types.float32,
        _ROW,
        _ROW,
        _FLOATS,
        _FLOATS,
        types.int32[:, ::1],
        types.float32[:, ::1],
    ),
    nogil=True,
    cache=True,
)
def rank(
    kind: int,
    lower: Any,
    factor: float,
    query_slack: Any,
    gallery_slack: Any,
    queries: Any,
    gallery: Any,
    positions: Any,
    distances: Any,
) -> None:
    """The k nearest of every query, exactly, from bounds.

    Up to one common factor, `lower[i, j]` (q, n) never exceeds the distance of the pair, and
    `lower * factor + query_slack[i] + gallery_slack[j]` is never below it; infinity leaves a pair out. L2
    bounds are of squared distances. Every candidate whose lower bound is within the k-th best upper bound is
    computed again by `_distance` and sorted by (distance, position). `positions` and `distances` (q, k)
    receive the result, -1 and infinity where there are fewer. For kind GIVEN the lower bounds are the
    distances.
    """
    k = positions.shape[1]
    best = np.empty(k, np.float32)
    for i in range(lower.shape[0]):
        row = lower[i]
        kth = _smallest(row, best)
        ceiling = _LARGEST
        if kth < _LARGEST:
            ceiling = -_LARGEST
            for j in range(row.shape[0]):
                if row[j] <= kth:
                    ceiling = max(ceiling, row[j] * factor + query_slack[i] + gallery_slack[j])
            ceiling = ceiling * _TIE if ceiling > 0 else ceiling
        found = np.flatnonzero(row <= ceiling)
        exact = np.empty(found.shape[0], np.float32)
        for c in range(found.shape[0]):
            exact[c] = row[found[c]] if kind == GIVEN else _distance(kind, queries, i, gallery, found[c])
        order = np.argsort(exact, kind="mergesort")  # stable: equal distances stay in order of position
        count = min(k, found.shape[0])
        positions[i, count:] = -1
        distances[i, count:] = np.inf
        for c in range(count):
            positions[i, c] = found[order[c]]
            distances[i, c] = exact[order[c]]
