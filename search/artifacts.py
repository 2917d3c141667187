"""From a row to its file and back: every file is opened through its row and checked against its checksum.

Files lie in `ARTIFACTS_FOLDER/space-<id>/`: the vectors, the positions of the items they belong to, one index
per metric, maps, and one file for each time that items were added since. What was opened is kept by checksum,
so a row that points at new bytes is opened anew.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from search.engine import indexes
from search.engine.arrays import read_arrays, write_arrays
from search.engine.errors import ArtifactDamaged
from search.engine.files import sha256_of
from search.engine.metrics import Neighbours
from search.engine.vectors import StoredVectors, VectorStore, load_vectors
from search.models import EmbeddingSpace, Index, Layout

Positions = NDArray[np.int64]
Vectors = NDArray[np.float32]
OPEN_SPACES = 32
OPEN_INDEXES = 64
OPEN_LAYOUTS = 16


@dataclass(frozen=True)
class OpenIndex:
    """An index with the items that its rows are: ``items[row]`` is `Item.position`."""

    index: indexes.Index
    items: Positions


@dataclass(frozen=True, eq=False)
class OpenLayout:
    """Where the items of a map lie: ``items[row]`` is `Item.position`, ascending."""

    items: Positions  # (n,)
    places: Vectors  # (n, 2)


def space_folder(space: EmbeddingSpace) -> Path:
    folder: Path = settings.ARTIFACTS_FOLDER
    return folder / f"space-{space.pk}"


def vectors_path(space: EmbeddingSpace) -> Path:
    return space_folder(space) / "vectors.safetensors"


def index_path(index: Index) -> Path:
    return space_folder(index.space) / f"{index.metric}.safetensors"


def begin_vectors(space: EmbeddingSpace, *, count: int, dimensions: int) -> VectorStore:
    """Where the vectors of a space are written, from the beginning or from where a killed process stopped.

    Raises ``StoreBusy``, ``DiskFull``.
    """
    return VectorStore(vectors_path(space), count=count, dimensions=dimensions, facts=_facts_about(space))


def find_vectors(space: EmbeddingSpace, *, count: int) -> StoredVectors | None:
    """The finished vectors of a space not marked ready yet; None where there are none of ``count`` rows.

    Where the database was restored or begun anew, a file may be of another space with the same number.
    """
    try:
        vectors = load_vectors(vectors_path(space))
    except (FileNotFoundError, ArtifactDamaged):
        return None
    is_of_this = vectors.facts == _facts_about(space) and len(vectors.rows) == count
    return vectors if is_of_this else None


def write_items(space: EmbeddingSpace, items: Positions, *, of: StoredVectors) -> None:
    """Store which items (`Item.position`, ascending) the rows of the space's vectors ``of`` belong to."""
    write_arrays(_items_path(space), {"items": items}, {"kind": "items", "of": of.sha256})


def read_items(space: EmbeddingSpace) -> Positions:
    """`Item.position` of each row of the space. Raises ``ArtifactDamaged``."""
    try:
        arrays, facts = read_arrays(_items_path(space))
    except FileNotFoundError as error:
        raise ArtifactDamaged(f"The items of {space} are gone: build the contenders again.") from error
    # Files of before it was noted do not say whose they are.
    if facts.get("kind") != "items" or facts.get("of", space.sha256) != space.sha256:
        raise ArtifactDamaged(f"{_items_path(space)} is of other vectors: build the contenders again.")
    return np.asarray(arrays["items"], dtype=np.int64)


def open_vectors(space: EmbeddingSpace) -> StoredVectors:
    """The vectors of a ready space, every byte checked once per process. Raises ``ArtifactDamaged``."""
    try:
        return _open_vectors(vectors_path(space), space.sha256)
    except FileNotFoundError as error:
        raise ArtifactDamaged(f"The vectors of {space} are gone: build the contenders again.") from error


def check_space(space: EmbeddingSpace) -> None:
    """Read every byte of a ready space anew: a process that opened it before would not see that it is lost.

    Raises ``ArtifactDamaged``.
    """
    _open_vectors.cache_clear()
    _open_index.cache_clear()
    open_vectors(space)
    read_items(space)


def open_index(index: Index) -> OpenIndex:
    """A ready index, checked and ready to search. Raises ``ArtifactDamaged``."""
    vectors = open_vectors(index.space)
    try:
        return OpenIndex(
            _open_index(index_path(index), index.sha256, vectors.path, vectors.sha256),
            read_items(index.space),
        )
    except FileNotFoundError as error:
        raise ArtifactDamaged(f"The index {index} is gone: build the contenders again.") from error


def read_neighbours(index: Index) -> tuple[Positions, Neighbours]:
    """The nearest candidates of every item of a ready index, without opening its vectors.

    Returns the items asked, (n,), and their neighbours, (n, 10), all by `Item.position`; -1 at distance
    infinity where an item has fewer. Raises ``ArtifactDamaged``.
    """
    try:
        items = read_items(index.space)
        _require_named(index_path(index), index.sha256)
        found = indexes.load_neighbours(index_path(index))
    except FileNotFoundError as error:
        raise ArtifactDamaged(f"The index {index} is gone: build the contenders again.") from error
    positions = np.where(found.positions < 0, -1, items[found.positions])
    return items, Neighbours(positions.astype(np.int32), found.distances)


def write_asked(space: EmbeddingSpace, rows: Positions, vectors: Vectors, *, asked: str) -> None:
    """Store the vectors (n, d) of the pictures with which a space is calibrated, of the items at ``rows``.

    ``asked`` says which pictures they are of. Raises ``DiskFull``.
    """
    facts = {"kind": "asked", "of": space.sha256, "asked": asked}
    write_arrays(_asked_path(space), {"rows": rows, "vectors": vectors}, facts)


def read_asked(space: EmbeddingSpace, rows: Positions, *, asked: str) -> Vectors:
    """The vectors stored for the first of these very pictures and this very space: all, some or none."""
    none = np.empty((0, space.dimensions), np.float32)
    try:
        arrays, facts = read_arrays(_asked_path(space))
    except (FileNotFoundError, ArtifactDamaged):
        return none
    is_of_these = facts == {"kind": "asked", "of": space.sha256, "asked": asked}
    is_start = np.array_equal(arrays["rows"], rows[: len(arrays["rows"])])
    return arrays["vectors"] if is_of_these and is_start else none


def layout_path(layout: Layout) -> Path:
    return space_folder(layout.space) / f"map-{layout.fingerprint[:32]}.safetensors"


def write_layout(layout: Layout, items: Positions, places: Vectors) -> str:
    """Store where n items lie, (n, 2); returns the sha256 of the file. Raises ``DiskFull``."""
    path = layout_path(layout)
    write_arrays(path, {"items": items, "places": places}, _facts_about_layout(layout))
    return sha256_of(path)


def open_layout(layout: Layout) -> OpenLayout:
    """A ready map, every byte checked once per process. Raises ``ArtifactDamaged``."""
    try:
        return _open_layout(layout_path(layout), layout.sha256)
    except FileNotFoundError as error:
        raise ArtifactDamaged(f"{layout_path(layout)} is gone.") from error


def check_layout(layout: Layout) -> None:
    """Read every byte of a ready map anew. Raises ``ArtifactDamaged``."""
    _open_layout.cache_clear()
    open_layout(layout)


def _facts_about_layout(layout: Layout) -> dict[str, str | int | float | bool | None]:
    return {"kind": "map", "of": layout.vectors_sha256, "fingerprint": layout.fingerprint}


def _facts_about(space: EmbeddingSpace) -> dict[str, str | int | float | bool | None]:
    return {
        "encoder": space.encoder,
        "version": space.encoder_version,
        "catalogue": space.catalogue_hash,
    }


def _items_path(space: EmbeddingSpace) -> Path:
    return space_folder(space) / "items.safetensors"


def _asked_path(space: EmbeddingSpace) -> Path:
    return space_folder(space) / "asked.safetensors"


@lru_cache(OPEN_SPACES)
def _open_vectors(path: Path, sha256: str) -> StoredVectors:
    vectors = load_vectors(path)
    if vectors.sha256 != sha256:
        raise ArtifactDamaged(f"{path} is not the file its row names: build the contenders again.")
    return vectors


@lru_cache(OPEN_INDEXES)
def _open_index(path: Path, sha256: str, vectors_path: Path, vectors_sha256: str) -> indexes.Index:
    _require_named(path, sha256)
    return indexes.load_index(path, _open_vectors(vectors_path, vectors_sha256))


def _require_named(path: Path, sha256: str) -> None:
    """A file may be whole and yet another one: of an older build, or of another space."""
    if sha256_of(path) != sha256:
        raise ArtifactDamaged(f"{path} is not the file its row names: build the contenders again.")


@lru_cache(OPEN_LAYOUTS)
def _open_layout(path: Path, sha256: str) -> OpenLayout:
    _require_named(path, sha256)
    arrays, _ = read_arrays(path)
    return OpenLayout(np.asarray(arrays["items"], np.int64), arrays["places"])
