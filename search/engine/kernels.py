"""Compiled inner loops of exact search. Imported only by `metrics`, and only when a distance is needed.

No library has a fast exact L1: faiss computes it pair by pair, many times slower than L2 at 4096 dimensions.
Its Hamming loop, too, loads both sides for every pair. Here a value once loaded serves several pairs
[measured]. The loops release the interpreter's lock and start no threads of their own: unlike OpenMP they
cannot hang a process that forks.

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
_BLOCKS = types.Array(types.uint64, 3, "C", readonly=True)
_ROW = types.Array(types.float32, 1, "C", readonly=True)
_TABLE = types.float32[:, ::1]
_OUT = types.float32[:, :]  # a table, or some columns of one
_SUM = types.float64(types.int64, _FLOATS, types.intp, _FLOATS, types.intp)
_GALLERY_TILE = 32  # rows: at 4096 dimensions a quarter of a core's second-level cache
HAMMING_BLOCK = 128  # rows whose bits are counted side by side
_STRETCH = 64  # distances that are passed over together
_LARGEST = np.float32(3.0e38)
_TWICE_UNIT = 2.0**-52  # twice the rounding of one float64 operation
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


@numba.njit(types.void(_WORDS, _BLOCKS, _OUT), nogil=True, fastmath=True, cache=True)
def hamming(queries: Any, blocks: Any, out: Any) -> None:
    """Numbers of differing bits, exact below 2**24: (q, w) words of 64 bits and blocks of rows into (q, n).

    ``blocks[b, p, r]`` is word p of row ``HAMMING_BLOCK * b + r``: neighbouring counts are summed side by
    side, so that narrow rows cost no sum across a register each. Two queries share what is loaded.
    """
    words, whole = queries.shape[1], queries.shape[1] // 4 * 4
    a, b = np.empty(HAMMING_BLOCK, np.uint64), np.empty(HAMMING_BLOCK, np.uint64)
    for number in range(blocks.shape[0]):
        block, first = blocks[number], number * HAMMING_BLOCK
        for i in range(0, queries.shape[0], 2):
            k = min(i + 1, queries.shape[0] - 1)
            a[:] = 0
            b[:] = 0
            for p in range(0, whole, 4):
                q0, q1, q2, q3 = queries[i, p], queries[i, p + 1], queries[i, p + 2], queries[i, p + 3]
                s0, s1, s2, s3 = queries[k, p], queries[k, p + 1], queries[k, p + 2], queries[k, p + 3]
                for r in range(HAMMING_BLOCK):
                    g0, g1, g2, g3 = block[p, r], block[p + 1, r], block[p + 2, r], block[p + 3, r]
                    a[r] += _ones(q0 ^ g0) + _ones(q1 ^ g1) + _ones(q2 ^ g2) + _ones(q3 ^ g3)
                    b[r] += _ones(s0 ^ g0) + _ones(s1 ^ g1) + _ones(s2 ^ g2) + _ones(s3 ^ g3)
            for p in range(whole, words):
                q0, s0 = queries[i, p], queries[k, p]
                for r in range(HAMMING_BLOCK):
                    a[r] += _ones(q0 ^ block[p, r])
                    b[r] += _ones(s0 ^ block[p, r])
            for r in range(min(HAMMING_BLOCK, out.shape[1] - first)):
                out[i, first + r] = a[r]
                out[k, first + r] = b[r]


@numba.njit(inline="always")
def _term(kind: int, one: Any, other: Any) -> Any:
    gap = np.float64(one) - np.float64(other)
    return abs(gap) if kind == L1 else gap * gap


@numba.njit(_SUM, nogil=True, cache=True)
def _sum_in_order(kind: int, queries: Any, i: int, gallery: Any, j: int) -> Any:
    total = 0.0
    for p in range(queries.shape[1]):
        total += _term(kind, queries[i, p], gallery[j, p])
    return total


@numba.njit(_SUM, nogil=True, fastmath=True, cache=True)
def _sum_in_any_order(kind: int, queries: Any, i: int, gallery: Any, j: int) -> Any:
    total = 0.0
    for p in range(queries.shape[1]):
        total += _term(kind, queries[i, p], gallery[j, p])
    return total


@numba.njit(types.float32(types.int64, types.float64), nogil=True, cache=True)
def _rounded(kind: int, total: float) -> Any:
    return np.float32(total if kind == L1 else np.sqrt(total))


@numba.njit(types.float32(types.int64, _FLOATS, types.intp, _FLOATS, types.intp), nogil=True, cache=True)
def _distance(kind: int, queries: Any, i: int, gallery: Any, j: int) -> Any:
    """One L1 or L2 distance, summed in float64 in the order of the dimensions, rounded to float32 once.

    A sum in any order is many times faster, and off by so little that nearly always everything within its
    error rounds to one float32: then that is the answer.
    """
    total = _sum_in_any_order(kind, queries, i, gallery, j)
    error = total * (queries.shape[1] + 10) * _TWICE_UNIT
    nearest = _rounded(kind, total - error)
    if nearest == _rounded(kind, total + error):
        return nearest
    return _rounded(kind, _sum_in_order(kind, queries, i, gallery, j))


@numba.njit(types.void(types.int64, _FLOATS, _FLOATS, _TABLE), nogil=True, cache=True)
def every_distance(kind: int, queries: Any, gallery: Any, out: Any) -> None:
    """All distances as `rank` would report them: (q, d) and (n, d) into (q, n)."""
    for i in range(queries.shape[0]):
        for j in range(gallery.shape[0]):
            out[i, j] = _distance(kind, queries, i, gallery, j)


@numba.njit(types.void(_ROW, types.float32[::1]), nogil=True, fastmath={"nnan", "nsz"}, cache=True)
def _find_minima(values: Any, minima: Any) -> None:
    """The least of each stretch of values: most stretches hold nothing near and are passed over."""
    for c in range(minima.shape[0]):
        least = np.float32(np.inf)
        for j in range(c * _STRETCH, min((c + 1) * _STRETCH, values.shape[0])):
            least = min(least, values[j])
        minima[c] = least


@numba.njit(types.float32(_ROW, _ROW, types.float32[::1]), nogil=True, cache=True)
def _smallest(values: Any, minima: Any, best: Any) -> Any:
    """The k-th smallest of `values` (k = len(best)), or infinity where fewer are finite."""
    k = best.shape[0]
    best[:] = np.inf
    for c in range(minima.shape[0]):
        if minima[c] >= best[k - 1]:
            continue
        for j in range(c * _STRETCH, min((c + 1) * _STRETCH, values.shape[0])):
            value = values[j]
            if value < best[k - 1]:
                place = k - 1
                while place > 0 and best[place - 1] > value:
                    best[place] = best[place - 1]
                    place -= 1
                best[place] = value
    return best[k - 1]


@numba.njit(types.intp(_ROW, _ROW, types.float32, types.intp[::1]), nogil=True, cache=True)
def _find_within(values: Any, minima: Any, ceiling: Any, found: Any) -> Any:
    """Put the positions of values up to `ceiling` into `found`, ascending; returns how many there are."""
    count = 0
    for c in range(minima.shape[0]):
        if minima[c] <= ceiling:
            for j in range(c * _STRETCH, min((c + 1) * _STRETCH, values.shape[0])):
                if values[j] <= ceiling:
                    found[count] = j
                    count += 1
    return count


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
    k, size = positions.shape[1], lower.shape[1]
    best, minima = np.empty(k, np.float32), np.empty(-(-size // _STRETCH), np.float32)
    scratch = np.empty(size, np.intp)
    for i in range(lower.shape[0]):
        row = lower[i]
        _find_minima(row, minima)
        kth = _smallest(row, minima, best)
        ceiling = _LARGEST
        if kth < _LARGEST:
            ceiling = -_LARGEST
            for j in scratch[: _find_within(row, minima, kth, scratch)]:
                ceiling = max(ceiling, row[j] * factor + query_slack[i] + gallery_slack[j])
            ceiling = ceiling * _TIE if ceiling > 0 else ceiling
        found = scratch[: _find_within(row, minima, ceiling, scratch)]
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
