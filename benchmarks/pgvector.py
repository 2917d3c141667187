"""A server of vectors: our searches of it beside the same graphs walked by hand, and beside all in memory.

The vectors lie as those of encoders do: clouds of few directions around many middles. Queries are drawn as
items are, and asked one by one on one connection. By hand means a statement that has the graph name the
nearest rows, with the width that ours walks: no vector is sent, and no distance is exact. Recall is of the
exact ten nearest.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg2

from benchmarks.rows import Row, compare, take_turns
from search.engine.metrics import METRICS, Gallery, Metric, column_centre, sign_bits
from search.pgvector.connections import Server
from search.pgvector.formats import bits_text, vector_text
from search.pgvector.loading import Source, load_build
from search.pgvector.remote_index import OPERATORS, RemoteIndex
from tests.vectors_server import VectorsServer, run_vectors_server

ITEMS, DIMENSIONS, QUERIES, K, SEED = 100_000, 128, 200, 10, 0
MIDDLES, LATENT, NOISE = 1_000, 16, 0.1
PAGE = 480  # candidates that a search asks for
REPEATS = 3
FLOOR = 0.25
UNIT = "queries/s"

Search = Callable[[int], Any]  # the number of a query to positions


def measure() -> Sequence[Row]:
    rows, queries = draw()
    with run_vectors_server() as server:
        return [measure_metric(server, metric, rows, queries) for metric in METRICS]


def draw() -> tuple[Any, Any]:
    rng = np.random.default_rng(SEED)
    middles = rng.standard_normal((MIDDLES, LATENT))
    spread = rng.standard_normal((LATENT, DIMENSIONS))

    def some(count: int) -> Any:
        latent = middles[rng.integers(0, MIDDLES, count)] + 0.5 * rng.standard_normal((count, LATENT))
        drawn = latent @ spread + NOISE * rng.standard_normal((count, DIMENSIONS))
        return np.ascontiguousarray(drawn, np.float32)

    return some(ITEMS), some(QUERIES)


def measure_metric(server: VectorsServer, metric: Metric, rows: Any, queries: Any) -> Row:
    begin = time.perf_counter()
    centre = column_centre(rows)
    source = Source(metric.ljust(64, "0"), "0" * 64, metric, rows, centre)
    build = load_build(server.arguments, source, now=datetime.now(UTC))
    loaded_s = time.perf_counter() - begin
    remote = RemoteIndex(Server(server.arguments).ask, build)
    held = sign_bits(rows, centre) if metric == "hamming" else rows
    asked = sign_bits(queries, centre) if metric == "hamming" else queries
    memory = Gallery(metric, held)
    truth = memory.nearest(asked, K).distances[:, -1:]
    with psycopg2.connect(server.address) as connection, connection.cursor() as cursor:
        cursor.execute(f"SET hnsw.ef_search = {max(1, build.reach.width)}; SET enable_seqscan = off")
        statement, texts = by_hand(build, metric, asked if metric == "hamming" else queries)

        def walk(number: int) -> Any:
            cursor.execute(statement, (texts[number],))
            return cursor.fetchall()

        searches: dict[str, Search] = {
            "ours": lambda number: remote.search(queries[number : number + 1], K),
            "pgvector by hand": walk,
        }
        rates = take_turns({name: one_by_one(search) for name, search in searches.items()}, repeats=REPEATS)
    found = remote.search(queries, K).distances
    notes = {
        "reach": vars(build.reach),
        "recall": float((found <= truth).mean()),
        "p95_ms": p95_ms(searches["ours"]),
        "p95_ms_of_480": p95_ms(lambda number: remote.search(queries[number : number + 1], PAGE)),
        "memory_p95_ms": p95_ms(lambda number: memory.nearest(asked[number : number + 1], K, threads=1)),
        "loaded_s": round(loaded_s, 1),
        **{"items": ITEMS, "dimensions": DIMENSIONS, "queries": QUERIES, "k": K, "seed": SEED},
    }
    return compare(f"pgvector-{metric}", rates, floor=FLOOR, unit=UNIT, notes=notes)


def by_hand(build: Any, metric: Metric, queries: Any) -> tuple[str, list[str]]:
    """The statement, and each query as its parameter."""
    operator = OPERATORS[metric]
    if metric == "hamming":
        table, measure = build.bits_table, f"bits {operator} %s::bit({DIMENSIONS})"
        texts = [bits_text(query, DIMENSIONS) for query in queries]
    else:
        table, measure = build.vectors_table, f"vector {operator} %s::vector"
        texts = [vector_text(query) for query in queries]
    return f"SELECT row FROM {table} ORDER BY {measure} LIMIT {K}", texts


def one_by_one(search: Search) -> Callable[[], int]:
    def run() -> int:
        for number in range(QUERIES):
            search(number)
        return QUERIES

    return run


def p95_ms(search: Search) -> float:
    took = []
    for number in range(QUERIES):
        begin = time.perf_counter()
        search(number)
        took.append(time.perf_counter() - begin)
    return round(1000 * float(np.quantile(took, 0.95)), 2)
