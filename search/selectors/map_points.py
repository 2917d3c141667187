"""What a map's picture is drawn from: places as integers, colours as codes, and who lies inside a shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from search.models import Catalogue, Item
from search.selectors.searchable import find_allowed, list_filters

if TYPE_CHECKING:
    from search.artifacts import OpenLayout, Positions

Grid: TypeAlias = NDArray[np.uint16]  # (n, 2), x to the right and y downwards

SIDE: Final = 65535  # of the square that a map fills
NAMED: Final = 11  # values with a colour of their own; all others share one
MOST_CORNERS: Final = 200  # of a shape


@dataclass(frozen=True)
class Colours:
    """By which aspect the items of a map are told apart: ``codes`` (n,) count into the values, most first.

    The code after the last value is of all other items.
    """

    values: Sequence[tuple[str, int]]  # with how many items have each
    others: int
    codes: NDArray[np.uint8]


@lru_cache(8)
def make_grid(opened: OpenLayout) -> Grid:
    """Places as whole numbers in a square, their proportions kept."""
    places = np.asarray(opened.places, np.float64)
    low, size = places.min(axis=0), np.ptp(places, axis=0)
    side = float(size.max()) or 1.0
    return np.asarray(np.rint(((places - low) + (side - size) / 2) / side * SIDE), np.uint16)


def pack_points(opened: OpenLayout) -> bytes:
    """The picture's points, little-endian: n as uint32; x, y as uint16 each; by how much each
    `Item.position` is larger than the one before and one more, as uint32 (0 everywhere in whole catalogues).
    """
    steps = np.diff(opened.items, prepend=-1) - 1
    count = np.array([len(opened.items)], "<u4")
    return count.tobytes() + make_grid(opened).astype("<u2").tobytes() + steps.astype("<u4").tobytes()


def list_aspects(catalogue: Catalogue) -> list[str]:
    """By what the items can be coloured."""
    return [choice.aspect for choice in list_filters(catalogue) if len(choice.values) > 1]


def read_colours(catalogue: Catalogue, items: Positions, aspect: str) -> Colours:
    """The aspect's most frequent values, and which of them each item has; the first, where it has several.

    Raises KeyError for an aspect that the catalogue has not.
    """
    choice = next((one for one in list_filters(catalogue) if one.aspect == aspect), None)
    if choice is None:
        raise KeyError(aspect)
    values = [value for value, _ in choice.values[:NAMED]]
    codes = np.full(len(items), len(values), np.uint8)
    for code, value in reversed(list(enumerate(values))):
        having = find_allowed(catalogue, {aspect: (value,)})
        assert having is not None  # a value was asked for
        codes[np.isin(items, having, assume_unique=True)] = code
    counts = np.bincount(codes, minlength=len(values) + 1).tolist()
    return Colours(list(zip(values, counts, strict=False)), counts[-1], codes)


def read_area(text: str) -> list[tuple[int, int]]:
    """The corners of a shape from an address, "x,y,x,y,…". Raises ValueError, which says what is wrong."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise ValueError("A shape is whole numbers with commas between them: x,y,x,y,…") from error
    if len(numbers) % 2 or not 6 <= len(numbers) <= 2 * MOST_CORNERS:
        raise ValueError(f"A shape has from 3 to {MOST_CORNERS} corners, each of two numbers.")
    if not all(0 <= number <= SIDE for number in numbers):
        raise ValueError(f"A corner of a shape lies outside the map, which reaches from 0 to {SIDE}.")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def find_inside(grid: Grid, area: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """Which points lie inside a shape, by the even-odd rule, reckoned as in `static/js/map-data.js`."""
    x, y = grid[:, 0].astype(np.float64), grid[:, 1].astype(np.float64)
    inside = np.zeros(len(grid), bool)
    for (x0, y0), (x1, y1) in zip(area, [area[-1], *area[:-1]], strict=True):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            inside ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return inside


def order_by_nearness(grid: Grid, row: int) -> NDArray[np.int64]:
    """All rows, the nearest on the map to one of them first, itself before all others."""
    apart = np.square(grid.astype(np.float64) - grid[row]).sum(axis=1)
    apart[row] = -1
    return np.argsort(apart, kind="stable")


def find_named(catalogue: Catalogue, words: str) -> Positions:
    """Positions of the items whose key or category has these words in it, ascending."""
    return _find_named(catalogue.pk, catalogue.content_hash, catalogue.imported_at, words.strip().lower())


@lru_cache(32)
def _find_named(catalogue: int, content_hash: str, imported_at: datetime | None, words: str) -> Positions:
    items = Item.objects.present().filter(catalogue=catalogue)
    found = items.filter(Q(key__icontains=words) | Q(category__value__icontains=words))
    return np.array(found.order_by("position").values_list("position", flat=True), np.int64)
