"""What a frozen backbone says of every picture: asked for once, kept in a file that later trainings share."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from search.engine.arrays import Facts
from search.engine.errors import ArtifactDamaged, StoreBusy
from search.engine.training.samples import FeatureViews, Views
from search.engine.vectors import StoredVectors, VectorStore, load_vectors

AT_ONCE = 64
SUFFIX = ".safetensors"
_BETWEEN_LOOKS_S = 0.2


class Weighted(Protocol):
    """Whatever has weights."""

    def state_dict(self) -> dict[str, Any]: ...


class Looking(Weighted, Protocol):
    """A trunk, whatever it is made of: pictures in, ``width`` numbers of each out."""

    width: int

    def __call__(self, pictures: Tensor, /) -> Tensor: ...

    def eval(self) -> Any: ...


def look_through(
    trunk: Looking,
    views: Views,
    *,
    count: int,
    path: Path,
    facts: Facts,
    device: torch.device,
    report: Callable[[int], None],
) -> FeatureViews:
    """The trunk's answers to all ``count`` rows of a view, from ``path`` where they lie already.

    ``facts`` say of what they are; others', and damaged ones, are computed anew. ``report`` is told how many
    there are and may raise to stop; what was computed is kept. While another process computes them, it is
    waited for. Raises DiskFull.
    """
    trunk.eval()
    while True:
        stored = _find(path, facts)
        if stored is not None:
            path.touch()  # see `keep_newest`
            return FeatureViews(stored.rows, device)
        try:
            with VectorStore(path, count=count, dimensions=trunk.width, facts=facts) as store:
                _fill(store, trunk, views, report)
                return FeatureViews(store.finish().rows, device)
        except StoreBusy:
            report(0)
            time.sleep(_BETWEEN_LOOKS_S)


def keep_newest(folder: Path, *, most_bytes: int) -> None:
    """Delete the features used longest ago, until all together take so much; the last used stay in any case.

    Who reads a deleted file reads on: the system keeps it until then.
    """
    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            told = path.stat()
        except FileNotFoundError:  # another training was quicker
            continue
        found.append((told.st_mtime_ns, told.st_size, path))
    total = 0
    for place, (_, size, path) in enumerate(sorted(found, reverse=True)):
        total += size
        if place and total > most_bytes:
            path.unlink(missing_ok=True)


def name_weights(trunk: Weighted) -> str:
    """The sha256 of all that a module's answers depend on besides its code: names, shapes and bytes."""
    digest = hashlib.sha256()
    for name, tensor in sorted(trunk.state_dict().items()):
        array = np.ascontiguousarray(tensor.detach().cpu().numpy())
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.data.cast("B") if array.size else b"")
    return digest.hexdigest()


def _find(path: Path, facts: Facts) -> StoredVectors | None:
    try:
        stored = load_vectors(path)
    except (FileNotFoundError, ArtifactDamaged):
        return None
    return stored if stored.facts == facts else None


def _fill(store: VectorStore, trunk: Looking, views: Views, report: Callable[[int], None]) -> None:
    pending = store.pending()
    for start in range(0, len(pending), AT_ONCE):
        rows = pending[start : start + AT_ONCE]
        with torch.inference_mode():
            store.write(rows, trunk(views.plain(rows)).float().cpu().numpy())
        report(store.count - len(pending) + start + len(rows))
