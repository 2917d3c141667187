"""What is nearest to an item by each engine, for its page: read from the indexes, nothing is searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from search.engine.errors import ArtifactDamaged
from search.models import Catalogue, Index
from search.selectors.searchable import describe_engine, list_indexes, list_originals, show_items
from search.selectors.searches import Candidate, ContenderNeighbours
from search.services.hits import Hit, collapse, find_row, tell
from search.services.open_indexes import open_indexes

MOST: Final = 6

__all__ = ["describe", "find", "list_asked", "list_originals"]


def list_asked(catalogue: Catalogue) -> list[Index]:
    """The indexes to be asked, the default one first."""
    return list_indexes(catalogue)


def find(
    indexes: Sequence[Index], position: int, originals: Mapping[int, int]
) -> list[tuple[Index, Sequence[Hit]]]:
    """By each index the hits next to the item at this position; asks no database."""
    found: list[tuple[Index, Sequence[Hit]]] = []
    own = originals.get(position, position)
    for index in indexes:
        try:
            searchable = open_indexes.open(index)
        except ArtifactDamaged:
            continue
        row = find_row(searchable, position)
        if row is None:
            continue
        neighbours = searchable.opened.index.neighbours
        known = neighbours.positions[row] >= 0
        positions = searchable.opened.items[neighbours.positions[row][known]]
        hits = collapse(positions, neighbours.distances[row][known], originals)
        others = [hit for hit in hits if originals.get(hit.position, hit.position) != own]
        found.append((index, [tell(hit, searchable) for hit in others[:MOST]]))
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
