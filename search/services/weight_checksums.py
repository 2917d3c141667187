"""Checksums of weight files, which may be large: computed once, and again when a file has changed.

A web process answers its visitors one after the other, and must not read hundreds of megabytes for one of
them. The job that learns from a file reads it whole in any case and believes nothing remembered.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from django.conf import settings

from search.engine.errors import DiskFull
from search.engine.files import sha256_of, write_file

# A file written this lately may be written again within the same tick of its time stamp.
_SETTLED_S = 2.0


def checksum_of(weights: Path) -> str:
    """The sha256 of a file; remembered while its size, its time of writing and its place stay the same.

    Raises OSError where it cannot be read.
    """
    real = weights.resolve()
    before = _describe(real)
    if (known := _recall(real)) and known.get("file") == before:
        return str(known["sha256"])
    found = sha256_of(real)
    if _describe(real) == before and time.time() - real.stat().st_mtime > _SETTLED_S:
        with contextlib.suppress(DiskFull):  # it is computed again next time
            write_file(_note_of(real), json.dumps({"file": before, "sha256": found}).encode())
    return found


def forget_checksum(weights: Path) -> None:
    """Have the file read again when it is asked for next: it is not what was remembered of it."""
    _note_of(weights.resolve()).unlink(missing_ok=True)


def _describe(real: Path) -> list[str | int]:
    told = os.stat(real)  # noqa: PTH116  # one look, not three
    return [str(real), told.st_size, told.st_mtime_ns, told.st_ino]


def _recall(real: Path) -> dict[str, Any] | None:
    try:
        known = json.loads(_note_of(real).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return known if isinstance(known, dict) and isinstance(known.get("sha256"), str) else None


def _note_of(real: Path) -> Path:
    folder: Path = settings.TRAINING_FOLDER
    return folder / "checksums" / f"{hashlib.sha256(str(real).encode()).hexdigest()[:32]}.json"
