"""Candidates as an index knows them, before anybody looks up what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from search.engine.closeness import Closeness
from search.selectors.searchable import Positions


@dataclass(frozen=True)
class Hit:
    """A candidate as the index knows it, by `Item.position`; its ``duplicates`` come later in the order."""

    position: int
    distance: float
    closeness: str
    score: float
    duplicates: tuple[int, ...]
    aspects: Mapping[str, float] = field(default_factory=dict)


def find_row(items: Positions, position: int) -> int | None:
    """Which row of an index with these ``items`` the one at this position is; None where it has none."""
    row = int(np.searchsorted(items, position))
    return row if row < len(items) and items[row] == position else None


def collapse(positions: Positions, distances: NDArray[np.float32], originals: Mapping[int, int]) -> list[Hit]:
    """Near-duplicates as one hit each, where the first of them stands."""
    hits: dict[int, Hit] = {}
    for position, distance in zip(positions.tolist(), distances.tolist(), strict=True):
        original = originals.get(position, position)
        first = hits.get(original)
        if first is None:
            hits[original] = Hit(position, distance, "", 0.0, ())
        else:
            hits[original] = replace(first, duplicates=(*first.duplicates, position))
    return list(hits.values())


def tell(hit: Hit, usual: Closeness) -> Hit:
    """The hit with its distance in words and as a similarity."""
    return replace(hit, closeness=usual.tell(hit.distance), score=usual.similarity(hit.distance))
