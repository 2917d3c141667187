"""An index whose vectors are on the server, searched as one that is a file.

The server proposes rows, and sends their vectors; distances are computed here, by the code that computes
them for files, and ordered as `search.engine.metrics` orders them. Where every row is compared the answer is
exact. Where a graph is walked, what may be missing is an item that the walk did not come to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psycopg2

from search.engine.errors import VectorsRejected
from search.engine.metrics import Exclusions, Neighbours, Vectors, distances, nearest, sign_bits
from search.pgvector.builds import Ask, Build
from search.pgvector.errors import NotLoaded
from search.pgvector.formats import Positions, bitmap_text, bits_text, read_vectors, rows_text, vector_text

FEW_LEFT: Final = 10_000  # rows left by a filter, all of which are compared
MOST_NAMED: Final = 1_024  # rows left out by number; more are by a bitmap
MOST_WIDTH: Final = 1_000  # of hnsw.ef_search
SPARE: Final = 8  # proposed beyond what was asked, where the server's rounding could leave out a tie
SCANNED: Final = 20_000  # rows that a filtered walk looks at, at least
OPERATORS: Final = {"l1": "<+>", "l2": "<->", "hamming": "<~>"}
_UNIT: Final = 2.0**-24  # rounding of one float32 operation


@dataclass(frozen=True)
class _Allowed:
    """Which rows may be found: a condition, its parameter, how many they are, and whether those are few."""

    condition: str
    parameters: tuple[str, ...]
    left: int
    are_few: bool


class RemoteIndex:
    """One build, asked through ``ask``. Every method raises NotLoaded, and VectorsAway as ``ask`` does."""

    def __init__(self, ask: Ask, build: Build) -> None:
        self._ask, self.build = ask, build
        self.metric = build.metric

    def __len__(self) -> int:
        return self.build.rows

    def vector(self, row: int) -> Vectors:
        """Of one row, (d,)."""
        [vector] = self.read(np.array([row]))
        return np.asarray(vector)

    def search(
        self, queries: Vectors, k: int, *, exclude: Exclusions | None = None, threads: int | None = None
    ) -> Neighbours:
        """As `search.engine.indexes.Index.search`: the k nearest of (q, d) queries, asked one by one.

        ``threads`` is of no account: the server has its own. Raises VectorsRejected.
        """
        if queries.ndim != 2 or queries.shape[1] != self.build.dimensions:
            raise VectorsRejected(
                f"The queries have shape {queries.shape}; (q, {self.build.dimensions}) is needed."
            )
        if not np.isfinite(queries).all():
            raise VectorsRejected("The queries hold a value that is not a number.")
        shape = (len(queries), k)
        found = Neighbours(np.full(shape, -1, np.int32), np.full(shape, np.inf, np.float32))
        with _loaded():
            for number, query in enumerate(np.asarray(queries, np.float32)):
                allowed = self._allow(np.empty(0, np.intp) if exclude is None else exclude[number])
                rows, apart = self._find(query, min(k, allowed.left), allowed)
                found.positions[number, : len(rows)], found.distances[number, : len(rows)] = rows, apart
        return found

    def measure(self, query: Vectors, positions: npt.NDArray[np.int64]) -> Vectors:
        """The distances of a (d,) query from some of the rows, (m,)."""
        rows, asked = self.read(positions), query[None]
        if self.metric == "hamming":
            centre = self.build.centre
            return np.asarray(distances("hamming", sign_bits(asked, centre), sign_bits(rows, centre))[0])
        return np.asarray(distances(self.metric, asked, rows)[0])

    def read(self, positions: npt.NDArray[np.int64]) -> Vectors:
        """The vectors of some rows, (m, d)."""
        asked = np.asarray(positions, np.int64)
        with _loaded():
            sent = self._ask(
                f"SELECT row, vector_send(vector) FROM {self.build.vectors_table} WHERE row = ANY(%s::int[])",
                (rows_text(np.unique(asked).tolist()),),
            )
        place_of = {row: place for place, (row, _) in enumerate(sent)}
        vectors = read_vectors([vector for _, vector in sent], self.build.dimensions)
        return vectors[[place_of[row] for row in asked.tolist()]]

    def _allow(self, left_out: npt.ArrayLike) -> _Allowed:
        rows = np.unique(np.asarray(left_out, np.intp))
        left = self.build.rows - len(rows)
        if not len(rows):
            return _Allowed("true", (), left, self.build.rows <= FEW_LEFT)
        if len(rows) > MOST_NAMED or left <= FEW_LEFT:
            allowed = np.ones(self.build.rows, bool)
            allowed[rows] = False
            if left <= FEW_LEFT:
                named = rows_text(np.flatnonzero(allowed).tolist())
                return _Allowed("row = ANY(%s::int[])", (named,), left, True)
            return _Allowed("get_bit(%s::bytea, row) = 1", (bitmap_text(allowed),), left, False)
        return _Allowed("row <> ALL(%s::int[])", (rows_text(rows.tolist()),), left, False)

    def _find(self, query: Vectors, k: int, allowed: _Allowed) -> tuple[Positions, Vectors]:
        """The k nearest of the allowed rows, best first."""
        if k < 1:
            return np.empty(0, np.intp), np.empty(0, np.float32)
        if self.build.reach.way != "every" and not allowed.are_few:
            rows, apart = self._walk(query, k, allowed)
            if len(rows) == k:
                return rows, apart
        return self._compare_every(query, k, allowed)

    def _walk(self, query: Vectors, k: int, allowed: _Allowed) -> tuple[Positions, Vectors]:
        reach = self.build.reach
        wanted = max(k, reach.width) if reach.way == "signs" else k
        # What is far from all that is allowed is walked past: the rarer the longer.
        scanned = max(SCANNED, math.ceil(4 * wanted * self.build.rows / allowed.left))
        settings = (
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = on; "
            f"SET LOCAL hnsw.ef_search = {min(MOST_WIDTH, max(reach.width, wanted))}; "
            "SET LOCAL hnsw.iterative_scan = relaxed_order; SET LOCAL hnsw.scan_mem_multiplier = 8; "
            f"SET LOCAL hnsw.max_scan_tuples = {min(scanned, 2**31 - 1)}; "
        )
        by_bits = self.metric == "hamming" or reach.way == "signs"
        measure = self._measure_bits(query) if by_bits else self._measure_vectors(query)
        table = self.build.bits_table if by_bits else self.build.vectors_table
        near = (
            f"SELECT row, {measure[0]} AS apart FROM {table} WHERE {allowed.condition} "
            f"ORDER BY {measure[0]} LIMIT {wanted}"
        )
        parameters = (measure[1], *allowed.parameters, measure[1])
        if self.metric == "hamming":
            return self._order_bits(self._ask(settings + near, parameters))
        return self._order(query, k, self._ask(settings + self._send(near), parameters))

    def _compare_every(self, query: Vectors, k: int, allowed: _Allowed) -> tuple[Positions, Vectors]:
        """Exact: so many are proposed that the rest is farther, whatever the server's rounding."""
        settings = "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; "
        is_hamming = self.metric == "hamming"
        measure = self._measure_bits(query) if is_hamming else self._measure_vectors(query)
        table = self.build.bits_table if is_hamming else self.build.vectors_table
        error = 4 * (self.build.dimensions + 10) * _UNIT
        asked = k if is_hamming else min(allowed.left, k + SPARE)
        while True:
            near = (
                f"SELECT row, {measure[0]} AS apart FROM {table} WHERE {allowed.condition} "
                f"ORDER BY apart, row LIMIT {asked}"
            )
            parameters = (measure[1], *allowed.parameters)
            if is_hamming:
                return self._order_bits(self._ask(settings + near, parameters))
            sent = self._ask(settings + self._send(near), parameters)
            rows, apart = self._order(query, k, sent)
            farthest = max((distance for _, distance, _ in sent), default=0.0)
            if asked >= allowed.left or farthest > apart[-1] * (1 + error) + 1e-30:
                return rows, apart
            asked = min(allowed.left, 2 * asked)

    def _measure_vectors(self, query: Vectors) -> tuple[str, str]:
        """The distance of a row's vector, with its parameter."""
        return f"vector {OPERATORS[self.metric]} %s::vector", vector_text(query)

    def _measure_bits(self, query: Vectors) -> tuple[str, str]:
        [bits] = sign_bits(query[None], self.build.centre)
        text = bits_text(bits, self.build.dimensions)
        return f"bits {OPERATORS['hamming']} %s::bit({self.build.dimensions})", text

    def _send(self, near: str) -> str:
        """With the vectors of what was proposed; only of those, as the proposal is a query of its own."""
        return (
            f"WITH near AS MATERIALIZED ({near}) SELECT near.row, near.apart, vector_send(held.vector) "
            f"FROM near JOIN {self.build.vectors_table} AS held ON held.row = near.row"
        )

    def _order(self, query: Vectors, k: int, sent: list[tuple[Any, ...]]) -> tuple[Positions, Vectors]:
        # Ascending, so that of equal distances the lower position comes first, as everywhere.
        ascending = sorted(sent)
        rows = np.array([row for row, _, _ in ascending], np.intp)
        vectors = read_vectors([vector for _, _, vector in ascending], self.build.dimensions)
        if not len(rows):
            return rows, np.empty(0, np.float32)
        near = nearest(self.metric, query[None], vectors, min(k, len(rows)), threads=1)
        return rows[near.positions[0]], near.distances[0]

    def _order_bits(self, sent: list[tuple[Any, ...]]) -> tuple[Positions, Vectors]:
        """Counted bits are exact as they come."""
        rows, apart = (np.array([one[place] for one in sent]) for place in (0, 1))
        best = np.lexsort((rows, apart))
        return rows[best].astype(np.intp), apart[best].astype(np.float32)


@contextmanager
def _loaded() -> Iterator[None]:
    try:
        yield
    except psycopg2.errors.UndefinedTable as error:
        raise NotLoaded("This build is not on the server of vectors any more.") from error
