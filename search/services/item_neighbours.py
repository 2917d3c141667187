"""What is nearest to an item by each engine, for its page: read from the indexes, nothing is searched."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from search.engine.closeness import Closeness, measure_closeness
from search.engine.errors import ArtifactDamaged
from search.engine.metrics import Neighbours
from search.models import Catalogue, Index
from search.selectors.searchable import Positions, describe_engine, show_items
from search.selectors.searches import Candidate, ContenderNeighbours
from search.services import compositions
from search.services.hits import Hit, collapse, find_row, tell

MOST: Final = 6


@dataclass(frozen=True)
class Known:
    """The neighbours of an index's ``items``, by `Item.position`, and how far is usual."""

    items: Positions
    neighbours: Neighbours
    closeness: Closeness


KEPT: Final = 24  # indexes whose neighbours are in memory
_lock = threading.Lock()
_known: OrderedDict[tuple[int | str, ...], Known] = OrderedDict()


def find(
    indexes: Sequence[Index], position: int, originals: Mapping[int, int], removed: Positions
) -> list[tuple[Index, Sequence[Hit]]]:
    """By each index the hits next to the item at this position, none ``removed``; asks no database."""
    found: list[tuple[Index, Sequence[Hit]]] = []
    own = originals.get(position, position)
    for index in indexes:
        try:
            known = _read(index)
        except ArtifactDamaged:
            continue
        row = find_row(known.items, position)
        if row is None:
            continue
        near = known.neighbours.positions[row].astype(np.int64)
        there = (near >= 0) & ~np.isin(near, removed)
        hits = collapse(near[there], known.neighbours.distances[row][there], originals)
        others = [hit for hit in hits if originals.get(hit.position, hit.position) != own]
        found.append((index, [tell(hit, known.closeness) for hit in others[:MOST]]))
    return found


def describe(catalogue: Catalogue, found: Sequence[tuple[Index, Sequence[Hit]]]) -> list[ContenderNeighbours]:
    """The same with the items' pictures and words."""
    items = show_items(catalogue, [hit.position for _, hits in found for hit in hits])
    return [
        ContenderNeighbours(
            describe_engine(index, is_default=not place),
            [
                Candidate(items[hit.position], hit.distance, hit.closeness, hit.score, {}, hit.duplicates)
                for hit in hits
                if hit.position in items
            ],
        )
        for place, (index, hits) in enumerate(found)
    ]


def _read(index: Index) -> Known:
    """What a row names, kept by its checksums; its vectors are not opened. Raises ArtifactDamaged."""
    added = tuple(segment["sha256"] for segment in index.space.segments)
    checksums = (index.pk, index.sha256, index.space.sha256, *added)
    with _lock:
        if checksums in _known:
            _known.move_to_end(checksums)
            return _known[checksums]
    listed = compositions.read_neighbours(index)
    read = Known(listed.items, listed.neighbours, measure_closeness(listed.neighbours))
    with _lock:
        _known[checksums] = read
        while len(_known) > KEPT:
            _known.popitem(last=False)
    return read
