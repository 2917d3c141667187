"""One search in a million vectors: ours against faiss and usearch called directly.

The vectors lie as those of a network do: `CENTRES` clusters whose sizes fall as 1 / rank, each a cloud in
`LATENT` directions that shrink one after the other, with a little noise in all 128 dimensions, every vector
of length 1. Queries are drawn as items are and are none of them. They are asked one at a time on one thread,
since that is how a web process answers a person; recall is of the exact ten nearest.

`index-recall`: how many of them ours finds. `index-latency`: how often its slowest searches (p95) go into
`MOST_MS`. `index-l2`: its searches a second beside the best of the others, each at the least setting with
which it finds `RECALL`; ours tells exact distances, equal ones in order. `index-signs`: the shortlist by sign
bits with exact distances beside faiss's scan of the same bits with numpy's distances after it.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from usearch.index import Index as Graph

from benchmarks.rows import Row, compare, take_turns
from search.engine.inverted_lists import InvertedLists, build_lists
from search.engine.metrics import column_centre, nearest, sign_bits
from search.engine.shortlists import Reach, ShortlistGallery, Signs, choose_reach

ITEMS, DIMENSIONS, QUERIES, K, SEED = 1_000_000, 128, 500, 10, 0
CENTRES, BASES, LATENT, NOISE = 4000, 250, 24, 0.02
RECALL, MOST_MS = 0.95, 10.0
REPEATS = 3
SIGNS = 1024  # items whose distance is computed after their bits were compared
CONNECTED, EXPANDED = 16, 128  # of the graph: edges of an item, and how far each is looked for
FLOORS = {"l2": 0.05, "signs": 0.25}  # graphs answer faster, and cost more to build and to keep
UNIT = "queries/s"

Search = Callable[[Any], Any]  # (1, d) to positions, (k,)


@dataclass(frozen=True)
class Ground:
    """Rows (n, d), queries (q, d), and what is right, (q, k)."""

    rows: Any
    queries: Any
    truth: Any

    def recall(self, search: Search) -> float:
        found = [search(self.queries[row : row + 1]) for row in range(len(self.queries))]
        hits = [len(np.intersect1d(one, other)) for one, other in zip(found, self.truth, strict=True)]
        return sum(hits) / self.truth.size


def measure() -> Sequence[Row]:
    ground = draw()
    with tempfile.TemporaryDirectory(prefix="bench-index-") as folder, one_thread():
        begin = time.perf_counter()
        path = Path(folder) / "lists"
        lists = InvertedLists(path, build_lists(path, ground.rows, seed=SEED))
        signs = Signs(*signs_of(ground.rows))
        reach = choose_reach("l2", ground.rows, signs=signs, lists=lists, count=lists.count, seed=SEED)
        assert reach is not None, "nothing short finds enough of these vectors"
        built = time.perf_counter() - begin
        gallery = ShortlistGallery("l2", ground.rows, lists if reach.kind == "lists" else signs, reach)
        notes = {**conditions(), "reach": vars(reach), "build_s": round(built, 1)}
        ours = answer_by(gallery)
        alone, recall = measure_alone(ground, ours)
        return [
            Row("index-recall", recall, RECALL, recall / RECALL, 1.0, "of the nearest ten", notes),
            measure_latency(alone, notes),
            measure_l2(ground, ours, path, {**notes, "recall": {"ours": recall}}),
            measure_signs(ground, signs, notes),
        ]


def draw() -> Ground:
    rng = np.random.default_rng(SEED)
    shares = 1 / np.arange(1, CENTRES + 1)
    of = rng.choice(CENTRES, ITEMS + QUERIES, p=shares / shares.sum())
    middles = rng.standard_normal((CENTRES, DIMENSIONS), dtype=np.float32)
    shrink = 1 / np.sqrt(1 + np.arange(LATENT, dtype=np.float32))
    bases = rng.standard_normal((BASES, LATENT, DIMENSIONS), dtype=np.float32) * shrink[:, None]
    rows = NOISE * rng.standard_normal((ITEMS + QUERIES, DIMENSIONS), dtype=np.float32)
    order = np.argsort(of, kind="stable")
    for centre, members in enumerate(np.split(order, np.searchsorted(of[order], np.arange(1, CENTRES)))):
        latent = rng.standard_normal((len(members), LATENT), dtype=np.float32)
        rows[members] += middles[centre] + latent @ bases[centre % BASES]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows, queries = rows[:ITEMS], rows[ITEMS:]
    return Ground(rows, queries, nearest("l2", queries, rows, K).positions)


def conditions() -> dict[str, Any]:
    return {"items": ITEMS, "dimensions": DIMENSIONS, "k": K, "seed": SEED, "queries": QUERIES}


def signs_of(rows: Any) -> tuple[Any, Any]:
    centre = column_centre(rows)
    return sign_bits(rows, centre), centre


def answer_by(gallery: ShortlistGallery) -> Search:
    return lambda query: gallery.nearest(query, K, threads=1).positions[0]


def measure_alone(ground: Ground, search: Search) -> tuple[Any, float]:
    """Milliseconds of each query, (q, 2): by the clock and of a processor, once all were asked; the recall.

    The second says what the clock would show on a machine that does nothing else.
    """
    recall = ground.recall(search)
    took = []
    for row in range(len(ground.queries)):
        begin, busy = time.perf_counter(), time.thread_time()
        search(ground.queries[row : row + 1])
        took.append((time.perf_counter() - begin, time.thread_time() - busy))
    return 1000 * np.array(took), recall


def measure_latency(took: Any, notes: dict[str, Any]) -> Row:
    p50, p95, p99 = np.percentile(took[:, 0], [50, 95, 99]).tolist()
    busy = np.percentile(took[:, 1], [50, 95, 99]).tolist()
    told = {**notes, "p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "processor_ms": busy}
    told["against"] = f"{MOST_MS:g} ms at p95"
    return Row("index-latency", 1000 / p95, 1000 / MOST_MS, MOST_MS / p95, 1.0, "searches/s at p95", told)


def measure_l2(ground: Ground, ours: Search, path: Path, notes: dict[str, Any]) -> Row:
    recalls = notes["recall"]
    searches = {"ours": ours}
    for name, ways in {"faiss": by_faiss(path), "usearch": by_usearch(ground.rows)}.items():
        for search in ways:
            recalls[name] = ground.recall(search)
            if recalls[name] >= RECALL:
                break
        searches[name] = search
    rates = take_turns(
        {name: one_by_one(search, ground) for name, search in searches.items()}, repeats=REPEATS
    )
    return compare("index-l2", rates, floor=FLOORS["l2"], unit=UNIT, notes=notes)


def by_faiss(path: Path) -> Iterator[Search]:
    """The same inverted lists, searched as they come, looking into more and more of them."""
    index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
    for probes in (16, 32, 64, 128, 256, 512):
        params = faiss.SearchParametersIVF(nprobe=probes)
        yield lambda query, params=params: index.search(query, K, params=params)[1][0]


def by_usearch(rows: Any) -> Iterator[Search]:
    """A graph (HNSW) over the vectors themselves, in memory, searched wider and wider."""
    graph = Graph(
        ndim=rows.shape[1], metric="l2sq", dtype="f32", connectivity=CONNECTED, expansion_add=EXPANDED
    )
    graph.add(np.arange(len(rows)), rows, threads=len(os.sched_getaffinity(0)))
    for width in (32, 64, 128, 256, 512):
        graph.expansion_search = width
        yield lambda query: graph.search(query[0], K, threads=1).keys


def measure_signs(ground: Ground, signs: Signs, notes: dict[str, Any]) -> Row:
    bits, centre = signs_of(ground.rows)
    flat = faiss.IndexBinaryFlat(8 * bits.shape[1])
    flat.add(bits)

    def by_faiss_bits(query: Any) -> Any:
        chosen = flat.search(sign_bits(query, centre), SIGNS)[1][0]
        apart = np.square(ground.rows[chosen] - query).sum(axis=1)
        return chosen[np.argpartition(apart, K)[:K]]

    gallery = ShortlistGallery("l2", ground.rows, signs, Reach("signs", SIGNS, 0, 0.0))
    searches = {"ours": answer_by(gallery), "faiss": by_faiss_bits}
    recalls = {name: ground.recall(search) for name, search in searches.items()}
    rates = take_turns(
        {name: one_by_one(search, ground) for name, search in searches.items()}, repeats=REPEATS
    )
    told = {**notes, "recall": recalls, "shortlisted": SIGNS}
    return compare("index-signs", rates, floor=FLOORS["signs"], unit=UNIT, notes=told)


def one_by_one(search: Search, ground: Ground) -> Callable[[], int]:
    def run() -> int:
        for row in range(len(ground.queries)):
            search(ground.queries[row : row + 1])
        return len(ground.queries)

    return run


@contextmanager
def one_thread() -> Iterator[None]:
    """faiss answers one query with one thread, where it is fastest; it builds with all."""
    before = faiss.omp_get_max_threads()
    try:
        faiss.omp_set_num_threads(1)
        yield
    finally:
        faiss.omp_set_num_threads(before)
