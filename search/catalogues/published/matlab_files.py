"""MATLAB files (version 5), read without running anything and without inflating more than is allowed."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.io import loadmat, whosmat
from scipy.io.matlab import MatReadError

from search.catalogues.files import Entry
from search.catalogues.published.unpacked import Unpacked
from search.catalogues.rows import CatalogueUnreadable

MAX_BYTES = 32 * 2**20  # of the file, and of what is packed in it
MAX_VALUES = 1_000_000  # of one array
_HEADER = 128
_PACKED = 15  # the type of an element that is deflated
# What scipy raises for files that are damaged, or made to be.
_DAMAGED = (
    MatReadError, ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError,
    OverflowError, MemoryError, EOFError, OSError, RecursionError, AssertionError, struct.error, zlib.error,
)  # fmt: skip


def read_matlab(root: Unpacked, entry: Entry, names: list[str]) -> dict[str, npt.NDArray[Any]]:
    """Those of the named arrays that the file holds. Raises CatalogueUnreadable, OSError.

    scipy makes plain arrays of it and never unpickles; what it needs is memory, so that is counted first.
    """
    data = root.read(entry, MAX_BYTES)
    try:
        _check_packed(data)
        for name, shape, _ in whosmat(io.BytesIO(data)):
            if name in names and np.prod(shape, dtype=float) > MAX_VALUES:
                raise ValueError(f"{name} has more than {MAX_VALUES:,} values")
        arrays = loadmat(io.BytesIO(data), variable_names=names)
    except _DAMAGED as error:
        raise CatalogueUnreadable(
            f"{entry.name} is not a MATLAB file that can be read ({error}). Unpack it again; one that MATLAB "
            "saved as -v7.3 must be saved as -v7."
        ) from error
    return {name: np.asarray(arrays[name]) for name in names if name in arrays}


def _check_packed(data: bytes) -> None:
    """Inflate what is packed, only to count it. Raises ValueError, struct.error, zlib.error."""
    order = ">" if data[126:128] == b"MI" else "<"
    left, at = MAX_BYTES, _HEADER
    while at + 8 <= len(data):
        kind, size = struct.unpack(f"{order}II", data[at : at + 8])
        if kind == _PACKED:
            left -= _inflated(data[at + 8 : at + 8 + size], left)
        at += 8 + size


def _inflated(packed: bytes, most: int) -> int:
    inflater = zlib.decompressobj()
    size = len(inflater.decompress(packed, most + 1))
    if size > most:
        raise ValueError(f"more than {MAX_BYTES >> 20} MiB are packed in it")
    return size
