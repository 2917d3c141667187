"""People's judgements about a catalogue's items, beside what its spaces say of the same questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.catalogues.judgements import Judgements, find_views, read_judgements
from search.engine.navigation.terrain import Blend, Distances
from search.models import Catalogue, Item
from search.services.navigation_terrain import open_space


@dataclass(frozen=True)
class JudgedCatalogue:
    """Judgements with the items that their names mean: ``items`` (names, views) are `Item.position`.

    ``lights`` names the views: folders, where things were pictured several times.
    """

    catalogue: Catalogue
    judgements: Judgements
    items: NDArray[np.int64]
    lights: tuple[str, ...]


def open_judged(*, catalogue: Catalogue, path: Path) -> JudgedCatalogue:
    """Read judgements and find the items they are about. Raises JudgementsRejected."""
    judgements = read_judgements(path)
    return JudgedCatalogue(catalogue, judgements, *find_items(catalogue, judgements.names))


def find_items(catalogue: Catalogue, names: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The items that names mean, as `JudgedCatalogue` has them, with the views. Raises JudgementsRejected."""
    rows = Item.objects.filter(catalogue=catalogue).order_by("position").values_list("position", "key")
    positions, keys = zip(*rows, strict=True) if rows else ((), ())
    views = find_views(names, keys)
    return np.array(positions, dtype=np.int64)[views.places], views.lights


def open_sight(judged: JudgedCatalogue, space: str) -> Distances:
    """How a space sees what was judged: its places are the judgements' names. Raises as `open_views`."""
    return open_views(judged.catalogue, space, judged.items)


def open_views(catalogue: Catalogue, space: str, items: NDArray[np.int64]) -> Distances:
    """How a space sees things by their views, ``items`` (things, views), all of which weigh the same.

    Raises ``NoSuchSpace`` and ``ArtifactDamaged``.
    """
    views = [open_space(catalogue=catalogue, space=space, items=column) for column in items.T]
    return views[0] if len(views) == 1 else Blend(tuple((view, 1 / len(views)) for view in views))
