"""An inverted file of 8-bit codes: rows sorted into lists by their nearest centre, memory-mapped (faiss).

A query looks only at the lists whose centres are nearest to it, and there at one byte per component.
"""

import os
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from search.engine.errors import ArtifactDamaged
from search.engine.files import open_atomic, sha256_of
from search.engine.metrics import Vectors
from search.engine.shortlists import Positions

SEED = 0
_TRAINED_ON = 64  # rows per list from which its centre is found
_ROUNDS = 10
_BLOCK = 1 << 16  # rows added at once


class InvertedLists:
    """Rows of the lists nearest to the query, by distance to their codes; its file is memory-mapped."""

    def __init__(self, path: Path, sha256: str) -> None:
        """Raises ArtifactDamaged, FileNotFoundError."""
        # Before faiss sees it: a damaged file may end the process.
        if sha256_of(path) != sha256:
            raise ArtifactDamaged(f"{path} is not the file its index names. Build it again.")
        self._index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)

    @property
    def count(self) -> int:
        """How many lists there are."""
        return int(self._index.nlist)

    def propose(
        self, queries: Vectors, count: int, probes: int, *, without: Positions | None = None
    ) -> Positions:
        """As `Shortlist.propose`."""
        # Of each thread's own: a process that forks after OpenMP's threads ran may hang.
        faiss.omp_set_num_threads(1)
        options: dict[str, Any] = {"nprobe": min(probes, self.count)}
        if without is not None:
            allowed = np.ones(self._index.ntotal, bool)
            allowed[without] = False
            bits = np.packbits(allowed, bitorder="little")
            options["sel"] = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]  # takes an array
        params = faiss.SearchParametersIVF(**options)
        _, positions = self._index.search(np.ascontiguousarray(queries), count, params=params)
        return np.asarray(positions, dtype=np.intp)


def build_lists(path: Path, rows: Vectors, *, seed: int = SEED, threads: int | None = None) -> str:
    """Sort (n, d) rows into inverted lists and store them at `path`; returns its sha256. Raises DiskFull."""
    count, dimensions = rows.shape
    lists = max(1, 1 << round(np.log2(2 * np.sqrt(count))))
    quantizer = faiss.IndexFlatL2(dimensions)
    index = faiss.IndexIVFScalarQuantizer(
        quantizer, dimensions, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_L2
    )
    index.cp.seed, index.cp.niter, index.cp.max_points_per_centroid = seed + 1, _ROUNDS, _TRAINED_ON
    chosen = np.random.default_rng(seed).permutation(count)[: _TRAINED_ON * lists]
    faiss.omp_set_num_threads(threads or len(os.sched_getaffinity(0)))
    index.train(np.ascontiguousarray(rows[np.sort(chosen)]))
    for start in range(0, count, _BLOCK):
        index.add(np.ascontiguousarray(rows[start : start + _BLOCK]))
    with open_atomic(path) as file:
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write, 1 << 20))  # type: ignore[attr-defined]
    return sha256_of(path)
