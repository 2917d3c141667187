"""Vectors, bits and rows as PostgreSQL reads and writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from search.engine.metrics import Bits, Vectors

Positions = NDArray[np.intp]
# PostgreSQL's binary COPY: signature, flags and the length of an extension; the end is a count of -1.
COPY_BEGIN: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END: Final = b"\xff\xff"
_HEAD: Final = 4  # bytes before the floats of a vector: its dimensions, and two that are kept free


def vector_text(vector: Vectors) -> str:
    """A (d,) vector as pgvector reads it; every float32 is read back as it was."""
    return "[" + ",".join(map(repr, vector.tolist())) + "]"


def bits_text(bits: Bits, dimensions: int) -> str:
    """Packed bits of one vector as PostgreSQL reads a bit string."""
    return (np.unpackbits(bits)[:dimensions] + ord("0")).tobytes().decode()


def rows_text(rows: Iterable[int]) -> str:
    """Numbers as PostgreSQL reads an array."""
    return "{" + ",".join(map(str, rows)) + "}"


def bitmap_text(allowed: NDArray[np.bool_]) -> str:
    """Which rows are allowed, as a `bytea` whose `get_bit(…, row)` is 1 for them."""
    return "\\x" + np.packbits(allowed, bitorder="little").tobytes().hex()


def copy_vectors(first: int, vectors: Vectors) -> bytes:
    """(m, d) vectors as rows of (integer, vector) for a binary COPY; the first is row ``first``."""
    count, dimensions = vectors.shape
    layout = np.dtype(
        [*_row_layout(), ("dimensions", ">i2"), ("free", ">i2"), ("values", ">f4", (dimensions,))]
    )
    rows = _number(np.zeros(count, layout), first, size=_HEAD + 4 * dimensions)
    rows["dimensions"], rows["values"] = dimensions, vectors
    return rows.tobytes()


def copy_bits(first: int, bits: Bits, dimensions: int) -> bytes:
    """(m, ceil(d / 8)) packed bits as rows of (integer, bit) for a binary COPY."""
    count, width = bits.shape
    layout = np.dtype([*_row_layout(), ("dimensions", ">i4"), ("values", "u1", (width,))])
    rows = _number(np.zeros(count, layout), first, size=4 + width)
    rows["dimensions"], rows["values"] = dimensions, bits
    return rows.tobytes()


def read_vectors(sent: Sequence[Any], dimensions: int) -> Vectors:
    """What `vector_send` gave for each row, as (m, d) float32."""
    floats = [np.frombuffer(one, ">f4", offset=_HEAD) for one in sent]
    return np.array(floats, np.float32).reshape(len(sent), dimensions)


def _row_layout() -> list[tuple[str, str]]:
    return [("fields", ">i2"), ("row_size", ">i4"), ("row", ">i4"), ("size", ">i4")]


def _number(rows: NDArray[Any], first: int, *, size: int) -> NDArray[Any]:
    rows["fields"], rows["row_size"], rows["size"] = 2, 4, size
    rows["row"] = np.arange(first, first + len(rows))
    return rows
