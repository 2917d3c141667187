"""What searches see of a space: it, with the items that were added to it since it was built.

The files lie beside those of the space, one for each time; `artifacts` reads what was built.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search import artifacts
from search.artifacts import Positions, Vectors
from search.engine import segments
from search.engine.errors import ArtifactDamaged
from search.engine.metrics import Metric
from search.engine.segments import Listed, Segment
from search.models import EmbeddingSpace, Index


def write_segment(space: EmbeddingSpace, segment: Segment) -> dict[str, str | int]:
    """Store items that are added to a space; returns what `EmbeddingSpace.segments` says of them.

    A file is named by what is in it: one that was never published is in nobody's way. Raises ``DiskFull``.
    """
    digest = hashlib.sha256(np.ascontiguousarray(segment.items).data)
    for array in (segment.vectors, *(one.items for one in segment.listed.values())):
        digest.update(np.ascontiguousarray(array).data)
    for listed in segment.listed.values():
        digest.update(np.ascontiguousarray(listed.neighbours.positions).data)
    name = f"segment-{len(space.segments) + 1}-{digest.hexdigest()[:16]}.safetensors"
    sha256 = segments.write_segment(artifacts.space_folder(space) / name, segment, of=space.sha256)
    return {"file": name, "sha256": sha256, "items": len(segment.items)}


def open_segments(space: EmbeddingSpace) -> list[Segment]:
    """What was added to a space, in order, every byte checked. Raises ``ArtifactDamaged``."""
    folder = artifacts.space_folder(space)
    try:
        return [
            segments.load_segment(folder / known["file"], known["sha256"], of=space.sha256)
            for known in space.segments
        ]
    except FileNotFoundError as error:
        raise ArtifactDamaged(f"What was added to {space} is gone: build the contenders again.") from error


def read_items(space: EmbeddingSpace) -> Positions:
    """`Item.position` of each row of a space and of what was added since. Raises ``ArtifactDamaged``."""
    return _join(artifacts.read_items(space), [one.items for one in open_segments(space)])


def read_vectors(space: EmbeddingSpace) -> tuple[Positions, Vectors]:
    """The items of a space and of what was added since, (n,), and their vectors, (n, d).

    Memory-mapped where nothing was added. Raises ``ArtifactDamaged``.
    """
    rows = _join(artifacts.open_vectors(space).rows, [one.vectors for one in open_segments(space)])
    return read_items(space), rows


def read_neighbours(index: Index) -> Listed:
    """As `artifacts.read_neighbours`, with what was added since. Raises ``ArtifactDamaged``."""
    metric: Metric = index.metric  # type: ignore[assignment]  # its choices
    changes = [one.listed[metric] for one in open_segments(index.space) if metric in one.listed]
    return segments.lay_over(Listed(*artifacts.read_neighbours(index)), changes)


def _join(first: NDArray[Any], others: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([first, *others]) if len(others) else first
