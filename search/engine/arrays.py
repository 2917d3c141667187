"""Arrays in one file that is either whole or refused.

The layout is that of safetensors (8-byte length, JSON header, data), so any reader of it opens these files.
In addition every byte is accounted for: the metadata hold a manifest with the sha256 of each array and of
itself, the header is the only one that this manifest can have, and the file ends where the last array does.
"""

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt

from search.engine.errors import ArtifactDamaged
from search.engine.files import open_atomic

Arrays: TypeAlias = Mapping[str, npt.NDArray[Any]]
Facts: TypeAlias = Mapping[str, str | int | float | bool | None]

HEADER_SIZE = 4096  # the header is padded to a multiple of it, which aligns the data with memory pages
_LENGTH = struct.Struct("<Q")
_MOST_HEADER = 1 << 20
_TYPES = {"F32": np.float32, "I32": np.int32, "I64": np.int64, "U8": np.uint8}
_NAMES = {np.dtype(dtype): name for name, dtype in _TYPES.items()}


@dataclass(frozen=True)
class Layout:
    """One array of a file: its safetensors type name, its shape and the sha256 of its bytes."""

    dtype: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def size(self) -> int:
        """Bytes."""
        return math.prod(self.shape) * np.dtype(_TYPES[self.dtype]).itemsize


def write_arrays(path: Path, arrays: Arrays, facts: Facts) -> None:
    """Store float32, int32, int64 or uint8 arrays and a few facts about them. Raises DiskFull."""
    kept = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    layouts = {name: layout_of(array) for name, array in kept.items()}
    with open_atomic(path) as file:
        file.write(header(layouts, facts))
        for array in kept.values():
            file.write(array.reshape(-1).view(np.uint8).data)


def read_arrays(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """The arrays of a file, memory-mapped and read-only, and its facts, after every byte was checked.

    Raises ArtifactDamaged for any change since it was written, FileNotFoundError where there is no file.
    """
    with path.open("rb") as file:
        start = file.read(_LENGTH.size)
        if len(start) < _LENGTH.size or _LENGTH.unpack(start)[0] > _MOST_HEADER:
            _refuse(path, "its header is not readable")
        start += file.read(_LENGTH.unpack(start)[0])
    layouts, facts = _parse(path, start)
    if path.stat().st_size != len(start) + sum(layout.size for layout in layouts.values()):
        _refuse(path, "it is cut off or has grown")
    arrays: dict[str, npt.NDArray[Any]] = {}
    offset = len(start)
    for name, layout in layouts.items():
        arrays[name] = _map(path, layout, offset)
        if layout_of(arrays[name]) != layout:
            _refuse(path, f"its {name} are not what was written")
        offset += layout.size
    return arrays, facts


def layout_of(array: npt.NDArray[Any]) -> Layout:
    """Type, shape and checksum of a contiguous array."""
    return Layout(
        _NAMES[array.dtype], array.shape, hashlib.sha256(array.reshape(-1).view(np.uint8).data).hexdigest()
    )


def header(layouts: Mapping[str, Layout], facts: Facts) -> bytes:
    """The one header that these arrays and facts have, its length included."""
    manifest = json.dumps(
        {"arrays": {name: vars(layout) for name, layout in layouts.items()}, "facts": dict(facts)},
        sort_keys=True,
    )
    checksum = hashlib.sha256(manifest.encode()).hexdigest()
    entries: dict[str, Any] = {"__metadata__": {"manifest": manifest, "sha256": checksum}}
    offset = 0
    for name, layout in layouts.items():
        entries[name] = {
            "dtype": layout.dtype,
            "shape": layout.shape,
            "data_offsets": [offset, offset + layout.size],
        }
        offset += layout.size
    text = json.dumps(entries).encode()
    length = -(-(len(text) + _LENGTH.size) // HEADER_SIZE) * HEADER_SIZE - _LENGTH.size
    return _LENGTH.pack(length) + text.ljust(length)


def _parse(path: Path, start: bytes) -> tuple[dict[str, Layout], dict[str, Any]]:
    try:
        entries = json.loads(start[_LENGTH.size :])
        manifest = json.loads(entries["__metadata__"]["manifest"])
        layouts = {
            name: Layout(about["dtype"], tuple(about["shape"]), about["sha256"])
            for name, about in (
                (name, manifest["arrays"][name]) for name in entries if name != "__metadata__"
            )
        }
        facts = dict(manifest["facts"])
        intact = header(layouts, facts) == start and not any(
            side < 0 for layout in layouts.values() for side in layout.shape
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        intact = False
    if not intact:
        _refuse(path, "its header is not the one that was written")
    return layouts, facts


def _map(path: Path, layout: Layout, offset: int) -> npt.NDArray[Any]:
    dtype = _TYPES[layout.dtype]
    if layout.size == 0:  # nothing to map
        return np.empty(layout.shape, dtype)
    return np.asarray(np.memmap(path, dtype, "r", offset, layout.shape))


def _refuse(path: Path, why: str) -> NoReturn:
    raise ArtifactDamaged(f"{path} is damaged: {why}. Nothing of it is used; build it again.")
