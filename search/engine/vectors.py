"""The vectors of one embedding space, (n, d) float32: written in batches by a job that may die, then fixed.

While it is written, the store is two files beside its final place: `<name>.partial` with the rows, and
`<name>.marks` with the plan and one checksum per row. A row counts as done when its mark is the checksum of
its bytes, so neither a kill nor a power cut can make a half-written row count, and no write has to wait for
the disk. `finish` puts the header in front (see `arrays`), flushes and renames: until then nothing readable
stands at the final place.
"""

import fcntl
import hashlib
import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from search.engine.arrays import HEADER_SIZE, Facts, Layout, header, read_arrays
from search.engine.errors import ArtifactDamaged, StoreBusy, VectorsRejected
from search.engine.files import disk_errors, sync_folder

_BLOCK_ROWS = 1024


@dataclass(frozen=True)
class StoredVectors:
    """A finished space: read-only memory-mapped rows and the facts given when it was begun."""

    path: Path
    rows: npt.NDArray[np.float32]  # (n, d)
    sha256: str  # of the rows' bytes
    facts: dict[str, str | int | float | bool | None]


def load_vectors(path: Path) -> StoredVectors:
    """A finished space, every byte checked. Raises ArtifactDamaged, FileNotFoundError."""
    arrays, facts = read_arrays(path)
    if set(arrays) != {"vectors"}:
        raise ArtifactDamaged(f"{path} does not hold the vectors of a space. Build it again.")
    checksum = str(facts.pop("sha256"))
    return StoredVectors(path, arrays["vectors"], checksum, facts)


class VectorStore:
    """Vectors on their way to `path`; a context manager that one process at a time can hold.

    Opening it again with the same `count`, `dimensions` and `facts` (encoder, version, what was embedded; a
    few short ones) goes on where a killed process stopped; with others it begins afresh. Raises StoreBusy,
    DiskFull.
    """

    def __init__(self, path: Path, *, count: int, dimensions: int, facts: Facts) -> None:
        self.path, self.count, self.dimensions, self.facts = path, count, dimensions, dict(facts)
        self._partial = path.with_name(path.name + ".partial")
        self._marks_path = path.with_name(path.name + ".marks")
        self._row_size = 4 * dimensions
        self._plan = json.dumps([count, dimensions, self.facts], sort_keys=True).encode().ljust(HEADER_SIZE)
        if len(self._header("0" * 64)) > HEADER_SIZE:
            raise ValueError(f"The facts about {path} do not fit into {HEADER_SIZE} bytes; keep them short.")
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._partial, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                self._lock()
                self._marks = self._resume()
            except BaseException:
                os.close(self._file)
                raise

    def __enter__(self) -> "VectorStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the files; what was written stays for the next attempt."""
        os.close(self._file)

    def pending(self) -> npt.NDArray[np.int64]:
        """Positions of the rows not written yet, ascending."""
        return np.flatnonzero(self._marks == 0)

    def write(self, positions: npt.ArrayLike, vectors: npt.NDArray[np.float32]) -> None:
        """Store the rows of `vectors` (m, d) at m `positions`. Raises VectorsRejected, DiskFull."""
        places = np.asarray(positions, dtype=np.int64)
        self._check(places, vectors)
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        with disk_errors(self.path):
            # Neighbours go together: after each call other threads may have the interpreter for a while.
            runs = np.split(np.arange(len(places)), np.flatnonzero(np.diff(places) != 1) + 1)
            for run in runs if len(places) else ():
                data = rows[run].tobytes()
                _write_at(self._file, data, HEADER_SIZE + int(places[run[0]]) * self._row_size)
                size = self._row_size
                self._marks[places[run]] = [_mark(data[at : at + size]) for at in range(0, len(data), size)]

    def finish(self) -> StoredVectors:
        """Publish the complete space at `path` and return it; VectorsRejected while rows are missing."""
        missing = len(self.pending())
        if missing:
            raise VectorsRejected(
                f"{missing} of {self.count} vectors are not computed yet; go on with the job."
            )
        digest = hashlib.sha256()
        for start in range(0, self.count, _BLOCK_ROWS):
            digest.update(self._read(start))
        with disk_errors(self.path):
            _write_at(self._file, self._header(digest.hexdigest()), 0)
            os.fsync(self._file)
            self._partial.replace(self.path)
            self._marks_path.unlink(missing_ok=True)
            sync_folder(self.path.parent)
        return load_vectors(self.path)

    def _header(self, checksum: str) -> bytes:
        layouts = {"vectors": Layout("F32", (self.count, self.dimensions), checksum)}
        return header(layouts, {**self.facts, "sha256": checksum})

    def _lock(self) -> None:
        """One writer at a time; the system releases the lock when that process ends, however it does."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreBusy(f"Another process is writing {self.path}. Wait for it or stop it.") from error
        if not self._partial.exists() or self._partial.stat().st_ino != os.fstat(self._file).st_ino:
            raise StoreBusy(f"Another process has just finished {self.path}. Start again to use it.")

    def _resume(self) -> npt.NDArray[np.uint64]:
        """Marks of the rows that are really there; everything begun afresh where it was another plan."""
        size, marks_size = HEADER_SIZE + self.count * self._row_size, HEADER_SIZE + 8 * max(1, self.count)
        if os.fstat(self._file).st_size != size or not self._is_planned(marks_size):
            self._begin(size, marks_size)
        marks = np.memmap(self._marks_path, np.uint64, "r+", HEADER_SIZE, (max(1, self.count),))[: self.count]
        for start in range(0, self.count, _BLOCK_ROWS):
            claimed = marks[start : start + _BLOCK_ROWS]
            if claimed.any():
                block, size = self._read(start), self._row_size
                found = [_mark(block[at : at + size]) for at in range(0, len(block), size)]
                claimed *= claimed == np.array(found, np.uint64)
        return marks

    def _is_planned(self, marks_size: int) -> bool:
        try:
            with self._marks_path.open("rb") as marks:
                return (
                    marks.read(HEADER_SIZE) == self._plan and os.fstat(marks.fileno()).st_size == marks_size
                )
        except FileNotFoundError:
            return False

    def _begin(self, size: int, marks_size: int) -> None:
        """Claim the whole space on the disk now, so that a full disk is told before hours of work."""
        try:
            self._marks_path.unlink(missing_ok=True)
            os.ftruncate(self._file, 0)
            os.posix_fallocate(self._file, 0, size)
            with self._marks_path.open("wb") as marks:
                os.posix_fallocate(marks.fileno(), 0, marks_size)
                marks.write(self._plan)
        except BaseException:
            self._partial.unlink(missing_ok=True)
            self._marks_path.unlink(missing_ok=True)
            raise

    def _read(self, start: int) -> bytes:
        rows = min(_BLOCK_ROWS, self.count - start)
        return os.pread(self._file, rows * self._row_size, HEADER_SIZE + start * self._row_size)

    def _check(self, places: npt.NDArray[np.int64], vectors: npt.NDArray[np.float32]) -> None:
        if vectors.shape != (len(places), self.dimensions):
            raise VectorsRejected(
                f"The vectors have shape {vectors.shape}; ({len(places)}, {self.dimensions}) is needed."
            )
        outside = places[(places < 0) | (places >= self.count)]
        if outside.size:
            raise VectorsRejected(f"There is no position {outside[0]} in a space of {self.count} vectors.")
        bad = ~np.isfinite(vectors).all(axis=1)
        if bad.any():
            raise VectorsRejected(
                f"Vector {places[bad][0]} holds a value that is not a finite number; {bad.sum()} such in all."
            )


def _mark(row: bytes) -> int:
    """A row's checksum with a bit above it, so that no row has the mark 0 of a missing one."""
    return zlib.crc32(row) | 1 << 32


def _write_at(file: int, data: bytes, offset: int) -> None:
    written = 0
    while written < len(data):
        written += os.pwrite(file, data[written:], offset + written)
