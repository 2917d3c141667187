"""Framed pictures of a whole catalogue in one file, read a few rows at a time.

Read with `pread`, not mapped into memory: mapped pages count as the process's own, so that training on ten
times the pictures would seem to take ten times the memory.
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.engine.arrays import Facts
from search.engine.errors import ArtifactDamaged
from search.engine.files import disk_errors, sha256_of, sync_folder, write_file

Rows = NDArray[np.int64]
_FLUSH_ROWS = 1000


class PictureFile:
    """n square pictures, (side, side, 3) uint8 each, in order of their rows."""

    def __init__(self, path: Path) -> None:
        """Open what `write_pictures` finished. Raises ArtifactDamaged, FileNotFoundError."""
        card = _read_card(path)
        self.count, self.side, self.facts = int(card["count"]), int(card["side"]), dict(card["facts"])
        if sha256_of(path) != card["sha256"]:
            raise ArtifactDamaged(f"{path} is damaged. Delete it; it is made anew.")
        self._size = 3 * self.side * self.side
        self._file = os.open(path, os.O_RDONLY)
        # Also where nobody closes it: a worker lives for many trainings.
        self._close = weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        return self.count

    def read(self, rows: Rows) -> NDArray[np.uint8]:
        """(m,) rows -> (m, side, side, 3)."""
        pictures = np.empty((len(rows), self.side, self.side, 3), np.uint8)
        for picture, row in zip(pictures, rows.tolist(), strict=True):
            if os.preadv(self._file, [picture.data.cast("B")], row * self._size) != self._size:
                raise ArtifactDamaged(f"Row {row} of the framed pictures cannot be read.")
        return pictures

    def close(self) -> None:
        self._close()


def count_written(path: Path, *, side: int, facts: Facts) -> int:
    """How many whole pictures an attempt that was killed has left; others than these are thrown away."""
    plan, partial = _plan_of(path), _partial_of(path)
    if not plan.exists() or json.loads(plan.read_bytes()) != {"side": side, "facts": dict(facts)}:
        partial.unlink(missing_ok=True)
        write_file(plan, json.dumps({"side": side, "facts": dict(facts)}).encode())
        return 0
    return count_partial(path, side=side)


def count_partial(path: Path, *, side: int) -> int:
    """How many whole pictures an attempt that did not end, or goes on, has written so far."""
    try:
        return _partial_of(path).stat().st_size // (3 * side * side)
    except FileNotFoundError:
        return 0


def write_pictures(
    path: Path, pictures: Iterable[NDArray[np.uint8]], *, side: int, facts: Facts, after: int = 0
) -> None:
    """Store framed pictures that follow the first ``after``, which `count_written` found.

    Nothing stands at ``path`` with its card until the last picture does. Raises DiskFull.
    """
    size = 3 * side * side
    with disk_errors(path), _partial_of(path).open("r+b" if after else "wb") as file:
        file.truncate(after * size)
        file.seek(after * size)
        count = after
        for picture in pictures:
            file.write(np.ascontiguousarray(picture).data)
            count += 1
            if count % _FLUSH_ROWS == 0:
                file.flush()
        file.flush()
        os.fsync(file.fileno())
    _partial_of(path).replace(path)
    sync_folder(path.parent)
    card = {"count": count, "side": side, "facts": dict(facts), "sha256": sha256_of(path)}
    write_file(_card_of(path), json.dumps(card).encode())
    _plan_of(path).unlink(missing_ok=True)


def _read_card(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(_card_of(path).read_bytes()))
    except ValueError as error:
        raise ArtifactDamaged(f"{_card_of(path)} cannot be read. Delete it; it is made anew.") from error


def _card_of(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _plan_of(path: Path) -> Path:
    return path.with_name(path.name + ".plan")


def _partial_of(path: Path) -> Path:
    return path.with_name(path.name + ".partial")
