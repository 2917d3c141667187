"""Exact nearest neighbours: ours against the best of faiss, numpy and torch called directly.

Every method answers the same queries with k = 10 over the same gallery on the same number of threads: random
vectors, absolute normal values as after a ReLU, and for Hamming their bits around the mean. What a library
can prepare beforehand (its index, norms, signs) is prepared. Ours also decides ties and answers the same on
every run; the others need not.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import faiss
import numpy as np
import torch

from benchmarks.rows import Row, compare, take_turns
from search.engine.metrics import Gallery, Metric, column_centre, sign_bits

ITEMS, DIMENSIONS, QUERIES, K, SEED = 20_000, 4096, 1000, 10, 0
THREADS = len(os.sched_getaffinity(0))
REPEATS = 5
NARROW = (64, 128, 512)  # where L1 may not fall behind either
PARITY = 0.9
ONE_BY_ONE = 32  # queries a turn: long enough that no other library's idle threads still spin
FLOORS = {"l2": 0.9, "hamming": 0.9, "l1": 3.5, "single": 0.9}
UNIT = "queries/s"

Search = Callable[[Any], Any]


def measure() -> Sequence[Row]:
    torch.set_num_threads(THREADS)
    faiss.omp_set_num_threads(THREADS)
    gallery, queries = draw(DIMENSIONS)
    rows = [measure_batch(metric, gallery, queries) for metric in ("l2", "hamming")]
    return [*rows, measure_l1(gallery, queries), measure_single(gallery, queries)]


def measure_batch(metric: Metric, gallery: Any, queries: Any) -> Row:
    rates = rates_of(metric, gallery, queries)
    return compare(f"neighbours-{metric}", rates, floor=FLOORS[metric], unit=UNIT, notes=conditions())


def measure_l1(gallery: Any, queries: Any) -> Row:
    """A narrow space in which ours falls below `PARITY` pulls the whole row below its floor."""
    floor = FLOORS["l1"]
    row = compare("neighbours-l1", rates_of("l1", gallery, queries), floor=floor, unit=UNIT)
    narrow = {d: compare("", rates_of("l1", *draw(d)), floor=PARITY, unit=UNIT).ratio for d in NARROW}
    ratio = min(row.ratio, *(floor * value / PARITY for value in narrow.values()))
    notes = {**row.notes, **conditions(), "wide_ratio": row.ratio, "narrow_ratios": narrow}
    return Row(row.name, row.ours, row.best, ratio, floor, UNIT, notes)


def measure_single(gallery: Any, queries: Any) -> Row:
    """One query at a time under L2; the ratios of the other metrics are in the notes.

    Ours as it is called by default; faiss with one thread, where it is fastest.
    """
    rows = {}
    for metric in ("l1", "hamming", "l2"):
        held, asked = prepared(metric, gallery, queries)
        searches = {"ours": answer_by_ours(metric, held), "faiss": on_one_thread(index_of(metric, held))}
        runs = {name: one_by_one(search, asked[:ONE_BY_ONE]) for name, search in searches.items()}
        rates = take_turns(runs, repeats=REPEATS)
        rows[metric] = compare("neighbours-single", rates, floor=FLOORS["single"], unit=UNIT)
    ratios = {metric: row.ratio for metric, row in rows.items()}
    last = rows["l2"]
    notes = {**last.notes, **conditions(), "ratios": ratios}
    return Row(last.name, last.ours, last.best, last.ratio, last.floor, UNIT, notes)


def conditions() -> dict[str, Any]:
    tuning = {name: value for name, value in os.environ.items() if name.startswith(("OPENBLAS_", "OMP_"))}
    return {"items": ITEMS, "dimensions": DIMENSIONS, "k": K, "seed": SEED, "threads": THREADS, **tuning}


def draw(dimensions: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(SEED)
    shapes = ((ITEMS, dimensions), (QUERIES, dimensions))
    gallery, queries = (np.abs(rng.standard_normal(shape, dtype=np.float32)) for shape in shapes)
    return gallery, queries


def prepared(metric: Metric, gallery: Any, queries: Any) -> tuple[Any, Any]:
    if metric != "hamming":
        return gallery, queries
    centre = column_centre(gallery)
    return sign_bits(gallery, centre), sign_bits(queries, centre)


def rates_of(metric: Metric, gallery: Any, queries: Any) -> dict[str, list[float]]:
    """Queries a second of ours and of each library, turn by turn."""
    held, asked = prepared(metric, gallery, queries)
    searches = {"ours": answer_by_ours(metric, held), **others(metric, held)}
    return take_turns({name: whole(search, asked) for name, search in searches.items()}, repeats=REPEATS)


def whole(search: Search, queries: Any) -> Callable[[], int]:
    def run() -> int:
        search(queries)
        return len(queries)

    return run


def one_by_one(search: Search, queries: Any) -> Callable[[], int]:
    def run() -> int:
        for row in range(len(queries)):
            search(queries[row : row + 1])
        return len(queries)

    return run


def answer_by_ours(metric: Metric, gallery: Any) -> Search:
    held = Gallery(metric, gallery)
    return lambda queries: held.nearest(queries, K, threads=THREADS)


def others(metric: Metric, gallery: Any) -> dict[str, Search]:
    """Ways in which libraries answer the same question."""
    by_faiss = index_of(metric, gallery)
    if metric == "l1":  # torch.cdist and numpy are several times slower than faiss [measured]
        return {"faiss": by_faiss}
    if metric == "hamming":
        return {"faiss": by_faiss, "numpy": count_bits(gallery), "torch": multiply_signs(gallery)}
    tensor = torch.from_numpy(gallery)
    norms, squared = (gallery**2).sum(axis=1), tensor.square().sum(dim=1)

    def by_torch(queries: Any) -> Any:
        return torch.addmm(squared, torch.from_numpy(queries), tensor.T, alpha=-2).topk(K, largest=False)

    def by_numpy(queries: Any) -> Any:
        return np.argpartition(norms - 2 * queries @ gallery.T, K, axis=1)[:, :K]

    return {"faiss": by_faiss, "torch": by_torch, "numpy": by_numpy}


def index_of(metric: Metric, gallery: Any) -> Search:
    dimensions = gallery.shape[1]
    if metric == "hamming":
        index = faiss.IndexBinaryFlat(8 * dimensions)
    else:
        index = faiss.IndexFlat(dimensions, faiss.METRIC_L1 if metric == "l1" else faiss.METRIC_L2)
    index.add(gallery)
    return lambda queries: index.search(queries, K)


def on_one_thread(search: Search) -> Search:
    def alone(queries: Any) -> Any:
        with faiss_threads(1):
            return search(queries)

    return alone


@contextmanager
def faiss_threads(count: int) -> Iterator[None]:
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(THREADS)


def count_bits(gallery: Any) -> Search:
    words = gallery.view(np.uint64)

    def by_numpy(queries: Any) -> Any:
        found = [np.bitwise_count(row ^ words).sum(axis=1, dtype=np.int32) for row in queries.view(np.uint64)]
        return [np.argpartition(row, K)[:K] for row in found]

    return by_numpy


def multiply_signs(gallery: Any) -> Search:
    """Bits as -1 and 1: the product of two rows falls by two for each bit in which they differ."""

    def signs(bits: Any) -> Any:
        return torch.from_numpy(2 * np.unpackbits(bits, axis=1).astype(np.float32) - 1)

    held = signs(gallery).T
    return lambda queries: (signs(queries) @ held).topk(K)
