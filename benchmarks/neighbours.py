"""Exact nearest neighbours: ours against the best of faiss, torch and numpy, in the same run.

    python -m benchmarks.neighbours [--sizes 20000x4096 20000x512] [--queries 512 1] [--json FILE]

Every method answers the same queries with k = 10 on the same random vectors (absolute normal values, as after
a ReLU; their bits are taken around the mean). The methods take turns, so that a busy moment of the machine
hits all of them; a figure is a method's best turn, in queries a second, and the ratio is ours over the best
of the others. Ours also decides ties and answers the same on every run; the others need not.
"""

import argparse
import itertools
import json
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch

from search.engine.metrics import METRICS, Gallery, Metric, column_centre, sign_bits

K = 10
SLOW = ("torch.cdist", "numpy bits")
Search = Callable[[Any], Any]


def answer_by_ours(metric: Metric, gallery: Any, threads: int) -> Search:
    prepared = Gallery(metric, gallery)
    return lambda queries: prepared.nearest(queries, K, threads=threads)


def others(metric: Metric, gallery: Any) -> dict[str, Search]:
    """Ways in which libraries answer the same question, prepared as far as they can be."""
    dimensions = gallery.shape[1]
    if metric == "hamming":
        binary = faiss.IndexBinaryFlat(8 * dimensions)
        binary.add(gallery)
        words = np.ascontiguousarray(np.pad(gallery, ((0, 0), (0, -dimensions % 8)))).view(np.uint64)
        return {
            "faiss": lambda queries: binary.search(queries, K),
            "numpy bits": lambda q: count_bits(q, words),
        }
    flat = faiss.IndexFlat(dimensions, faiss.METRIC_L1 if metric == "l1" else faiss.METRIC_L2)
    flat.add(gallery)
    tensor = torch.from_numpy(gallery)
    if metric == "l1":
        return {
            "faiss": lambda queries: flat.search(queries, K),
            "torch.cdist": lambda q: torch.cdist(torch.from_numpy(q), tensor, p=1).topk(K, largest=False),
        }
    norms, squared = (gallery**2).sum(axis=1), tensor.square().sum(dim=1)

    def by_torch(queries: Any) -> Any:
        return torch.addmm(squared, torch.from_numpy(queries), tensor.T, alpha=-2).topk(K, largest=False)

    def by_numpy(queries: Any) -> Any:
        return np.argpartition(norms - 2 * queries @ gallery.T, K, axis=1)[:, :K]

    return {"faiss": lambda queries: flat.search(queries, K), "torch": by_torch, "numpy": by_numpy}


def count_bits(queries: Any, words: Any) -> Any:
    asked = np.ascontiguousarray(np.pad(queries, ((0, 0), (0, -queries.shape[1] % 8)))).view(np.uint64)
    found = [np.argpartition(np.bitwise_count(row ^ words).sum(axis=1), K)[:K] for row in asked]
    return np.vstack(found)


def measure(searches: dict[str, Search], batches: dict[str, Any], repeats: int) -> dict[str, float]:
    """Queries a second of each search on its batch: the best of `repeats` turns after one to warm up."""
    for name, search in searches.items():
        search(batches[name][:8])
    best = dict.fromkeys(searches, 0.0)
    for _ in range(repeats):
        for name, search in searches.items():
            begin = time.perf_counter()
            search(batches[name])
            best[name] = max(best[name], len(batches[name]) / (time.perf_counter() - begin))
    return best


def compare(
    size: int, dimensions: int, asked: int, seed: int, repeats: int, threads: int
) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    vectors = np.abs(rng.standard_normal((size, dimensions), dtype=np.float32))
    queries = np.abs(rng.standard_normal((asked, dimensions), dtype=np.float32))
    centre = column_centre(vectors)
    rows = []
    for metric in METRICS:
        gallery, batch = vectors, queries
        if metric == "hamming":
            gallery, batch = sign_bits(vectors, centre), sign_bits(queries, centre)
        # faiss answers a single query faster with one thread than with several.
        faiss.omp_set_num_threads(1 if asked == 1 else threads)
        searches = {"ours": answer_by_ours(metric, gallery, threads), **others(metric, gallery)}
        # The slow ones get a part of the queries: a rate is a rate.
        batches = {name: batch[: max(1, asked // 16)] if name in SLOW else batch for name in searches}
        rates = measure(searches, batches, repeats)
        best = max((name for name in rates if name != "ours"), key=lambda name: rates[name])
        what = {"metric": metric, "gallery": size, "dimensions": dimensions, "queries": asked}
        rows.append({**what, "rates": rates, "best": best, "ratio": rates["ours"] / rates[best]})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sizes", nargs="+", default=["20000x4096", "20000x512", "20000x128", "20000x64", "5096x4096"]
    )
    parser.add_argument("--queries", type=int, nargs="+", default=[512, 1])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    line = "{:8} {:>12} {:>8} {:>9} {:>20} {:>6}"
    print(line.format("metric", "gallery", "queries", "ours/s", "best other/s", "ratio"))
    rows = []
    for size, asked in itertools.product(options.sizes, options.queries):
        count, dimensions = map(int, size.split("x"))
        for row in compare(count, dimensions, asked, options.seed, options.repeats, options.threads):
            rows.append(row)
            other = f"{row['best']} {row['rates'][row['best']]:.0f}"
            ours, ratio = f"{row['rates']['ours']:.0f}", f"{row['ratio']:.2f}"
            print(line.format(row["metric"], size, asked, ours, other, ratio), flush=True)
    if options.json:
        report = {
            "benchmark": "neighbours",
            "k": K,
            "seed": options.seed,
            "repeats": options.repeats,
            "threads": options.threads,
            "python": platform.python_version(),
            "versions": {name: version(name) for name in ("numpy", "numba", "faiss-cpu", "torch")},
            "rows": rows,
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
