"""What an encoder makes of the photos that a measurement asks with, kept while they are looked at.

A measurement that was stopped looks at those alone that it had not come to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from search.engine.arrays import read_arrays, write_arrays
from search.engine.errors import ArtifactDamaged
from search.models import EmbeddingSpace
from search.services.calibrating_run import encode_pictures
from search.services.calibration_queries import Queries

KEPT_EVERY: Final = 256  # photos

Vectors = NDArray[np.float32]


def look_at_photos(space: EmbeddingSpace, asked: Queries, *, report: Callable[[int, int], None]) -> Vectors:
    """(n, d), one row per photo. ``report`` as in `encode_pictures`. Raises ``JobFailed``."""
    path = _path_of(space, asked)
    found = _read(path, space.dimensions)
    waiting: list[Vectors] = []
    for batch in encode_pictures([space], asked, start=len(found), report=report):
        waiting.append(batch[space.encoder])
        if sum(map(len, waiting)) >= KEPT_EVERY or len(found) + sum(map(len, waiting)) == len(asked):
            found, waiting = np.concatenate([found, *waiting]), []
            write_arrays(path, {"vectors": found}, {"kind": "measured"})
    return found


def _path_of(space: EmbeddingSpace, asked: Queries) -> Path:
    """Another encoder, or other photos, have another file."""
    facts = f"{space.encoder} {space.encoder_version} {asked.describe()}"
    folder: Path = settings.HOME / "measurements"
    return folder / f"photos-{hashlib.sha256(facts.encode()).hexdigest()[:32]}.safetensors"


def _read(path: Path, dimensions: int) -> Vectors:
    try:
        kept: Vectors = read_arrays(path)[0]["vectors"]
    except (FileNotFoundError, ArtifactDamaged, KeyError):
        return np.empty((0, dimensions), np.float32)
    return kept
