"""Putting builds on the server, each in one transaction: whoever searches finds it whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
from psycopg2 import extensions

from search.engine.metrics import Metric, Neighbours, Vectors, nearest, sign_bits
from search.pgvector.builds import (
    BUILDS,
    COLUMNS,
    MOST_DIMENSIONS,
    MOST_IN_GRAPH,
    SCHEMA,
    Ask,
    Build,
    Reach,
    Way,
    find_build,
)
from search.pgvector.errors import ServerUnfit
from search.pgvector.formats import COPY_BEGIN, COPY_END, copy_bits, copy_vectors
from search.pgvector.remote_index import FEW_LEFT, RemoteIndex
from search.pgvector.sessions import connect, lock, prepare

RECALL: Final = 0.97  # of the ten nearest, on the sample; as for shortlists of files
RECALL_AT: Final = 10
SAMPLE: Final = 256
WIDTHS: Final = (40, 80, 160, 320, 640, 1000)
SHORTLISTED: Final = (64, 256, 1000)  # of `signs`, whose walk is as wide
SENT_TOGETHER: Final = 1 << 22  # bytes of vectors
WORD_EVERY_S: Final = 5.0


@dataclass(frozen=True)
class Source:
    """A built index: (n, d) rows, which may be mapped, and the centre of its bits."""

    index_sha256: str
    vectors_sha256: str
    metric: Metric
    rows: Vectors
    centre: Vectors


def load_build(
    address: Mapping[str, str],
    source: Source,
    *,
    now: datetime,
    report: Callable[[], None] = lambda: None,
    few: int = FEW_LEFT,
    seed: int = 0,
) -> Build:
    """The build on the server: found, or put there whole; a process that dies meanwhile leaves nothing.

    Up to ``few`` rows all are compared. Beyond, a graph is built and walked as wide as it takes to find
    `RECALL` of the nearest ten of rows drawn by ``seed``. ``report`` is called every few seconds, and what it
    raises calls the work off. Raises VectorsAway, ServerUnfit.
    """
    dimensions = source.rows.shape[1]
    if dimensions > MOST_DIMENSIONS:
        raise ServerUnfit(
            f"Vectors of {dimensions} dimensions cannot be kept on the server of vectors, which takes "
            f"{MOST_DIMENSIONS:,}: search them from files, or use an encoder with fewer."
        )
    with connect(address) as connection, ThreadPoolExecutor(1, thread_name_prefix="loading") as thread:
        work = thread.submit(_load, connection, source, now, few, seed)
        return _follow(work, connection, report)


def _load(connection: extensions.connection, source: Source, now: datetime, few: int, seed: int) -> Build:
    with connection, connection.cursor() as cursor:
        prepare(cursor)
    with connection, connection.cursor() as cursor:
        lock(cursor, source.vectors_sha256)
        known = find_build(_asking(cursor), source.index_sha256)
        if known is not None:
            wanted = f"UPDATE {BUILDS} SET unwanted_since = NULL WHERE index_sha256 = %s"
            cursor.execute(wanted, (source.index_sha256,))
            return known
        build = _describe(source)
        way = _choose_way(build, few)
        _send_vectors(cursor, build, source.rows)
        if build.metric == "hamming" or way == "signs":
            _send_bits(cursor, build, source.rows)
        if way != "every":
            _grow_graph(cursor, build, way)
            build = replace(build, reach=_choose_reach(cursor, build, source.rows, way, seed))
            if build.reach.way == "every":
                cursor.execute(f"DROP INDEX {SCHEMA}.{build.graph}")
        cursor.execute(
            f"INSERT INTO {BUILDS} ({COLUMNS}, loaded_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                *(build.index_sha256, build.vectors_sha256, build.metric, build.rows, build.dimensions),
                *(build.centre.astype("<f4").tobytes(), build.reach.way, build.reach.width),
                *(build.reach.recall, now),
            ),
        )
        return build


def _describe(source: Source) -> Build:
    count, dimensions = source.rows.shape
    of = (source.index_sha256, source.vectors_sha256, source.metric)
    return Build(*of, count, dimensions, source.centre, Reach("every", 0, 1.0))


def _choose_way(build: Build, few: int) -> Way:
    if build.rows <= few:
        return "every"
    return "signs" if build.metric != "hamming" and build.dimensions > MOST_IN_GRAPH else "graph"


def _send_vectors(cursor: extensions.cursor, build: Build, rows: Vectors) -> None:
    """Where another build of the space has not brought them already."""
    table = build.vectors_table
    cursor.execute("SELECT to_regclass(%s)", (table,))
    if cursor.fetchone() != (None,):
        return
    column = f"vector vector({build.dimensions}) NOT NULL"
    cursor.execute(f"CREATE TABLE {table} (row integer PRIMARY KEY, {column})")
    if build.dimensions <= MOST_IN_GRAPH:  # a page holds one, so none is put aside and fetched from there
        cursor.execute(f"ALTER TABLE {table} ALTER COLUMN vector SET STORAGE PLAIN")
    _copy(cursor, table, build, lambda start, end: copy_vectors(start, rows[start:end]))


def _send_bits(cursor: extensions.cursor, build: Build, rows: Vectors) -> None:
    table, dimensions = build.bits_table, build.dimensions
    cursor.execute(f"CREATE TABLE {table} (row integer PRIMARY KEY, bits bit({dimensions}) NOT NULL)")

    def pack(start: int, end: int) -> bytes:
        return copy_bits(start, sign_bits(rows[start:end], build.centre), dimensions)

    _copy(cursor, table, build, pack)


def _copy(cursor: extensions.cursor, table: str, build: Build, pack: Callable[[int, int], bytes]) -> None:
    step = max(1, SENT_TOGETHER // (4 * build.dimensions))

    def chunks() -> Iterator[bytes]:
        yield COPY_BEGIN
        for start in range(0, build.rows, step):
            yield pack(start, min(start + step, build.rows))
        yield COPY_END

    cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT binary)", _Stream(chunks()), SENT_TOGETHER)
    cursor.execute(f"ANALYZE {table} (row)")


class _Stream:
    """What psycopg2 reads from to copy."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._left = chunks, b""

    def read(self, size: int) -> bytes:
        if not self._left:
            self._left = next(self._chunks, b"")
        given, self._left = self._left[:size], self._left[size:]
        return given


def _grow_graph(cursor: extensions.cursor, build: Build, way: Way) -> None:
    by_bits = build.metric == "hamming" or way == "signs"
    over = (
        f"{build.bits_table} USING hnsw (bits bit_hamming_ops)"
        if by_bits
        else f"{build.vectors_table} USING hnsw (vector vector_{build.metric}_ops)"
    )
    cursor.execute(f"CREATE INDEX {build.graph} ON {over}")


def _choose_reach(cursor: extensions.cursor, build: Build, rows: Vectors, way: Way, seed: int) -> Reach:
    """The narrowest walk that finds `RECALL` of the nearest of drawn rows; all are compared if none does."""
    sample = np.sort(np.random.default_rng(seed).permutation(len(rows))[:SAMPLE])
    asked, itself = np.ascontiguousarray(rows[sample]), list(sample[:, None])
    if build.metric == "hamming":
        bits = sign_bits(rows, build.centre)
        truth = nearest("hamming", bits[sample], bits, RECALL_AT, exclude=itself).distances
    else:
        truth = nearest(build.metric, asked, rows, RECALL_AT, exclude=itself).distances
    for width in SHORTLISTED if way == "signs" else WIDTHS:
        tried = replace(build, reach=Reach(way, width, 0.0))
        found = RemoteIndex(_asking(cursor), tried).search(asked, RECALL_AT, exclude=itself)
        recall = _recall(found, truth)
        if recall >= RECALL:
            return Reach(way, width, recall)
    return Reach("every", 0, 1.0)


def _recall(found: Neighbours, truth: Vectors) -> float:
    """The share of found neighbours that are as near as the last of the true ones: any of equals will do."""
    return float((found.distances <= truth[:, -1:]).mean())


def _asking(session: extensions.cursor) -> Ask:
    def ask(statements: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        session.execute(statements, parameters)
        rows: list[tuple[Any, ...]] = session.fetchall()
        return rows

    return ask


def _follow(work: Future[Build], connection: extensions.connection, report: Callable[[], None]) -> Build:
    while True:
        try:
            return work.result(WORD_EVERY_S)
        except NotYet:
            try:
                report()
            except BaseException:
                while not work.done():  # whichever statement runs; between two there is none to cancel
                    connection.cancel()
                    wait([work], WORD_EVERY_S)
                raise
