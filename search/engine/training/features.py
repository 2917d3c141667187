"""What a frozen backbone says of every picture: asked for once, kept in a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from search.engine.arrays import Facts
from search.engine.backbones import Trunk
from search.engine.errors import ArtifactDamaged
from search.engine.training.samples import FeatureViews, Views
from search.engine.vectors import VectorStore, load_vectors

AT_ONCE = 64


def look_through(
    trunk: Trunk,
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
    there are and may raise to stop; what was computed is kept. Raises DiskFull, StoreBusy.
    """
    try:
        stored = load_vectors(path)
        if stored.facts == facts:
            return FeatureViews(stored.rows, device)
    except (FileNotFoundError, ArtifactDamaged):
        pass
    trunk.eval()
    with VectorStore(path, count=count, dimensions=trunk.width, facts=facts) as store:
        pending = store.pending()
        for start in range(0, len(pending), AT_ONCE):
            rows = pending[start : start + AT_ONCE]
            with torch.inference_mode():
                store.write(rows, trunk(views.plain(rows)).float().cpu().numpy())
            report(count - len(pending) + start + len(rows))
        return FeatureViews(store.finish().rows, device)
