"""Files that are either complete or absent: written beside their place, flushed, then renamed."""

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from search.engine.errors import DiskFull

_OUT_OF_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_BLOCK = 1 << 20


def write_file(path: Path, data: bytes) -> str:
    """Store `data` at `path` so that a reader sees the old file or the new one, never a part.

    Returns the sha256 of `data` in hexadecimal. Raises DiskFull with nothing left behind.
    """
    with open_atomic(path) as file:
        file.write(data)
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def open_atomic(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears at `path` only when the block ends without an error.

    Missing parent folders are made. The bytes and the new name are on the disk when the block has ended.
    Whatever goes wrong, the temporary file is removed and an older file at `path` stays as it was.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{secrets.token_hex(6)}.partial")
        try:
            with partial.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn "no space left" in its several spellings into DiskFull that names `path`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _OUT_OF_SPACE:
            raise
        raise DiskFull(
            f"The disk is full: {path} could not be written ({error.strerror}). "
            "Free some space and start the job again; nothing unfinished was kept."
        ) from error


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, so that a rename in it survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
