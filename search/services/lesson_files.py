"""Triplets of items that somebody wants an encoder taught by, in a file of their own with a checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from search.engine.arrays import header, layout_of, read_arrays, write_arrays
from search.engine.errors import ArtifactDamaged
from search.engine.files import sha256_of
from search.models import Training
from search.services.jobs import JobFailed

if TYPE_CHECKING:  # it imports torch, which web processes do without
    from search.services.training_samples import CatalogueItems

SUFFIX = ".safetensors"


def write_lessons(
    positions: NDArray[np.int64], weights: NDArray[np.float32], *, content_hash: str
) -> tuple[Path, str]:
    """Keep triplets (k, 3) of `Item.position` and their weights (k,); where, and the file's sha256.

    The same triplets have the same file. Raises DiskFull.
    """
    arrays: dict[str, NDArray[Any]] = {"triplets": positions, "weights": weights}
    facts = {"of": content_hash}
    layouts = {name: layout_of(array) for name, array in arrays.items()}
    named = hashlib.sha256(header(layouts, facts)).hexdigest()  # which names every array's sha256
    path: Path = settings.TRAINING_FOLDER / "lessons" / f"{named[:32]}{SUFFIX}"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_arrays(path, arrays, facts)
    return path, sha256_of(path)


def read_lessons(training: Training, items: CatalogueItems) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """A training's triplets as rows of the items, and their weights. Raises ``JobFailed``."""
    path = Path(training.triplets)
    try:
        if sha256_of(path) != training.triplets_sha256:
            raise ArtifactDamaged(f"{path} is not what was written.")
        arrays, _ = read_arrays(path)
    except (OSError, ArtifactDamaged) as error:
        raise JobFailed(
            f"The triplets of this training cannot be read ({error}). Ask for it again."
        ) from error
    known = np.array(items.positions, np.int64)
    rows = np.searchsorted(known, arrays["triplets"])
    return rows, np.asarray(arrays["weights"])


def name_some(keys: Sequence[str], most: int = 3) -> str:
    """The first few of many, for a message."""
    return ", ".join(f"“{key}”" for key in keys[:most]) + (" …" if len(keys) > most else "")
