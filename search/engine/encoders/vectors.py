"""Precomputed vectors: what users bring who cannot or will not hand over their model.

Two shapes: a ``.npy`` array beside a text file with one item key per line, or a Parquet file with a column
``key`` and either a column ``vector`` of lists or one numeric column per component. Such a space has
vectors for the items of a catalogue and for nothing else: it refuses photos.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.engine.encoders.base import EncoderInfo, Vectors
from search.engine.errors import VectorsRejected
from search.engine.files import sha256_of

GIVEN_FAMILY = "vectors"  # of spaces that no encoder here can make again, nor look at a photo for
SHOWN = 5  # examples in a message
KEY_COLUMN = "key"
VECTOR_COLUMN = "vector"
_BLOCK = 4096


@dataclass(frozen=True)
class RejectedVector:
    """A row that was left out, by its key, and why."""

    key: str
    message: str


@dataclass(frozen=True)
class VectorTable:
    """Vectors by item key, every one finite and of the same length.

    ``keys[i]`` belongs to ``vectors[i]``; ``version`` is the start of a sha256 over the files' bytes.
    """

    keys: tuple[str, ...]
    vectors: Vectors
    rejected: tuple[RejectedVector, ...]
    version: str

    def describe(self, name: str) -> EncoderInfo:
        """Describe the table as an encoder of the given name.

        Signs count as they are where no value is negative and many are zero, as after a ReLU.
        """
        sample = self.vectors[:_BLOCK]
        after_relu = bool(sample.min() >= 0 and (sample == 0).mean() > 0.1)
        return EncoderInfo(
            name=name,
            family=GIVEN_FAMILY,
            title=f"{name} (precomputed)",
            dimensions=self.vectors.shape[1],
            version=self.version,
            sign_structured=after_relu,
            network=name,
        )

    def align(self, item_keys: Sequence[str]) -> AlignedVectors:
        """Bring the vectors into the order of a catalogue's items.

        Raises VectorsRejected where not one key fits, naming examples from both sides.
        """
        places = {key: place for place, key in enumerate(self.keys)}
        found = [(position, places[key]) for position, key in enumerate(item_keys) if key in places]
        if not found:
            raise VectorsRejected(
                "None of the vectors' keys is an item of the catalogue: the vectors have "
                f"{_name_some(self.keys)}, the catalogue has {_name_some(item_keys)}."
            )
        positions, rows = np.array(found, dtype=np.intp).T
        wanted = set(item_keys)
        return AlignedVectors(
            positions=positions,
            vectors=self.vectors[rows],
            missing=tuple(key for key in item_keys if key not in places),
            unknown=tuple(key for key in self.keys if key not in wanted),
        )


@dataclass(frozen=True)
class AlignedVectors:
    """Vectors for the items of a catalogue.

    ``vectors[i]`` belongs to the item at ``positions[i]``; ``missing`` are items without a vector,
    ``unknown`` keys without an item.
    """

    positions: NDArray[np.intp]
    vectors: Vectors
    missing: tuple[str, ...]
    unknown: tuple[str, ...]

    def list_problems(self) -> list[str]:
        """Say in words what did not fit; empty where everything did."""
        problems = []
        if self.missing:
            problems.append(
                f"{len(self.missing)} items have no vector and are left out: {_name_some(self.missing)}."
            )
        if self.unknown:
            problems.append(
                f"{len(self.unknown)} vectors belong to no item and are ignored: {_name_some(self.unknown)}."
            )
        return problems


def read_vectors(path: Path, keys: Path | None = None) -> VectorTable:
    """Read precomputed vectors: ``.npy`` with ``keys`` (default: the same name ending in .txt), or Parquet.

    Rows with a value that is not finite, of another length than most, or with a key that came before are
    left out and listed in ``rejected``. Raises VectorsRejected where the files as a whole are unusable.
    """
    if path.suffix == ".npy":
        key_file = keys or path.with_suffix(".txt")
        names, rows = _read_keys(key_file), _read_array(path)
        if len(names) != len(rows):
            raise VectorsRejected(
                f"{path.name} has {len(rows)} vectors, but {key_file.name} has {len(names)} keys. "
                "Write one key per line, in the order of the vectors."
            )
        return _check(path, names, rows, (), _digest(path, key_file))
    if path.suffix in (".parquet", ".pq"):
        return _read_parquet(path)
    raise VectorsRejected(f"{path.name} is neither a .npy nor a .parquet file.")


def _read_keys(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise VectorsRejected(
            f"There is no {path.name} beside the vectors. Write one item key per line."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise VectorsRejected(f"{path.name} cannot be read as UTF-8 text: {error}.") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _read_array(path: Path) -> NDArray[np.generic]:
    """Map a .npy array; never unpickles, so that a file cannot run code."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise VectorsRejected(
            f"{path.name} cannot be read as an array of numbers: {error}. "
            "Save it with numpy.save as a two-dimensional float32 array."
        ) from error
    if array.ndim != 2 or array.dtype.kind not in "fiu" or 0 in array.shape:
        raise VectorsRejected(
            f"{path.name} holds {array.dtype} of shape {array.shape}; "
            "numbers of shape (items, dimensions) are needed."
        )
    return np.asanyarray(array)


def _read_parquet(path: Path) -> VectorTable:
    import pyarrow  # slow to import, and needed for this format alone
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise VectorsRejected(f"{path.name} cannot be read as Parquet: {error}.") from error
    columns = table.column_names
    if KEY_COLUMN not in columns or len(columns) < 2:
        raise VectorsRejected(
            f"{path.name} has the columns {', '.join(columns)}; "
            f"'{KEY_COLUMN}' and '{VECTOR_COLUMN}' are needed."
        )
    names = [str(key) for key in table[KEY_COLUMN].to_pylist()]
    if VECTOR_COLUMN in columns:
        kept, rows, rejected = _pick_equal_lengths(names, table[VECTOR_COLUMN].to_pylist(), path)
        return _check(path, kept, rows, rejected, _digest(path))
    components = [name for name in columns if name != KEY_COLUMN]
    try:
        matrix = np.stack([table[name].to_numpy().astype(np.float32) for name in components], axis=1)
    except (ValueError, TypeError) as error:
        raise VectorsRejected(f"{path.name} has columns that are no numbers: {error}.") from error
    return _check(path, names, matrix, (), _digest(path))


def _pick_equal_lengths(
    names: list[str], lists: list[list[float] | None], path: Path
) -> tuple[list[str], NDArray[np.generic], tuple[RejectedVector, ...]]:
    """Keep the vectors of the most common length."""
    lengths = [len(entry) if isinstance(entry, list) else 0 for entry in lists]
    dimensions = max(set(lengths), key=lambda length: (lengths.count(length), length), default=0)
    if dimensions == 0:
        raise VectorsRejected(f"{path.name} holds no vectors in its column '{VECTOR_COLUMN}'.")
    kept = [place for place, length in enumerate(lengths) if length == dimensions]
    rejected = tuple(
        RejectedVector(names[place], f"has {length} components instead of {dimensions}")
        for place, length in enumerate(lengths)
        if length != dimensions
    )
    try:
        rows = np.array([lists[place] for place in kept], dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise VectorsRejected(f"{path.name} holds vectors that are not all numbers: {error}.") from error
    return [names[place] for place in kept], rows, rejected


def _check(
    path: Path,
    names: Sequence[str],
    rows: NDArray[np.generic],
    rejected: tuple[RejectedVector, ...],
    version: str,
) -> VectorTable:
    """Leave out rows that are not finite or come twice, and make the rest float32."""
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, and is then left out
        vectors = np.ascontiguousarray(rows, dtype=np.float32)
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(vectors).all(axis=1))
    keep: list[int] = []
    left_out = list(rejected)
    seen: set[str] = set()
    for place, name in enumerate(names):
        if not finite[place]:
            left_out.append(RejectedVector(name, "holds a value that is not a finite number"))
        elif name in seen:
            left_out.append(RejectedVector(name, "comes twice; the first vector is kept"))
        else:
            seen.add(name)
            keep.append(place)
    if not keep:
        raise VectorsRejected(f"{path.name} holds no usable vector: {left_out[0].key} {left_out[0].message}.")
    kept = vectors if len(keep) == len(vectors) else vectors[keep]
    return VectorTable(tuple(names[place] for place in keep), kept, tuple(left_out), version)


def _digest(*paths: Path) -> str:
    return hashlib.sha256("".join(sha256_of(path) for path in paths).encode()).hexdigest()[:12]


def _name_some(keys: Sequence[str]) -> str:
    shown = ", ".join(repr(key) for key in keys[:SHOWN])
    return shown + (f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else "")
