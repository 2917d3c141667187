"""Where pictures are kept: by content, whole or not at all, many at a time."""

import contextlib
import os
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from search.engine.files import disk_errors, sync_folder
from search.engine.images import NormalisedImage
from search.selectors.catalogues import image_path

_STALE = timedelta(hours=1)


def store_images(images: Iterable[NormalisedImage]) -> None:
    """Write the pictures that are not there yet; they are on the disk when this returns.

    All are written before the first is flushed, which lets the file system do the flushing in one go.
    Raises DiskFull; then none of the new ones is there, nor a part of one.
    """
    partials: dict[Path, Path] = {}
    try:
        for image in images:
            path = image_path(image.sha256)
            if path not in partials and not _is_there(path, len(image.data)):
                partials[path] = path.with_name(f".{path.name}.{secrets.token_hex(6)}.partial")
                _write(path, partials[path], image.data)
        for path, partial in partials.items():
            _flush(path, partial)
        for path, partial in partials.items():
            partial.replace(path)
        for folder in {path.parent for path in partials}:
            sync_folder(folder)
    except BaseException:
        for partial in partials.values():
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
        raise


def remove_stale_parts(folder: Path, *, now: datetime) -> int:
    """Delete what a killed process left half-written more than an hour ago; returns how many files."""
    removed = 0
    for partial in folder.glob("*/.*.partial"):
        with contextlib.suppress(OSError):
            if partial.stat().st_mtime < (now - _STALE).timestamp():
                partial.unlink()
                removed += 1
    return removed


def _is_there(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _write(path: Path, partial: Path, data: bytes) -> None:
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)


def _flush(path: Path, partial: Path) -> None:
    with disk_errors(path):
        descriptor = os.open(partial, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
