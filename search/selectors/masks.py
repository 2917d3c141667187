"""The masks of a conditional network, from its card: how they share the dimensions of the embedding."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.selectors.card_parts import list_aspects

MOST_COLUMNS = 128  # of a picture: more cannot be told apart


@dataclass(frozen=True)
class Mask:
    """One aspect's weights over all dimensions, and how they stand to those of the others."""

    aspect: str
    cells: Sequence[float]  # by column, 0 to 1 of the mask's heaviest one
    holds_half: int  # so few dimensions hold half of the mask
    weighs_most: int  # so many dimensions no other aspect weighs more
    own: tuple[float, float]  # their columns, from and to
    overlaps: Sequence[float | None]  # with each mask, 0 to 1; None with itself and where one weighs nothing


@dataclass(frozen=True)
class Masks:
    """All masks over the same columns: the dimensions by the aspect that weighs them most, heaviest first."""

    dimensions: int
    dimensions_per_column: int
    rows: Sequence[Mask]


def read_masks(card: Mapping[str, Any]) -> Masks:
    """The masks of a card; see ``read_part``. Each is taken as shares of its sum, so that they compare."""
    names = list_aspects(card)
    shares = _share_out(np.array(card["masks"], dtype=np.float64), len(names))
    heaviest = np.where(shares.max(axis=0) > 0, shares.argmax(axis=0), len(names))
    order = np.lexsort((-shares.max(axis=0), heaviest))
    dimensions = len(order)
    per_column = math.ceil(dimensions / MOST_COLUMNS)
    columns = np.add.reduceat(shares[:, order], np.arange(0, dimensions, per_column), axis=1)
    columns /= np.add.reduceat(np.ones(dimensions), np.arange(0, dimensions, per_column))
    counts = np.bincount(heaviest, minlength=len(names) + 1)
    ends = np.cumsum(counts) / per_column
    overlaps = _overlap(shares)
    rows = [
        Mask(
            aspect=name,
            cells=(columns[place] / (columns[place].max() or 1)).tolist(),
            holds_half=_count_half(shares[place]),
            weighs_most=int(counts[place]),
            own=(float(ends[place] - counts[place] / per_column), float(ends[place])),
            overlaps=overlaps[place],
        )
        for place, name in enumerate(names)
    ]
    return Masks(dimensions, per_column, rows)


def _share_out(weights: NDArray[np.float64], aspects: int) -> NDArray[np.float64]:
    """(aspects, width) weights -> each as shares of its sum; nought where it weighs nothing."""
    if weights.ndim != 2 or not weights.size or len(weights) != aspects:
        raise ValueError("there is not one mask per aspect")
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("a mask holds what is no weight")
    peaks = weights.max(axis=1, keepdims=True)
    scaled = weights / np.where(peaks > 0, peaks, 1)  # first, so that no sum is too large for a float
    sums = scaled.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = scaled / np.where(sums > 0, sums, 1)
    return shares


def _count_half(shares: NDArray[np.float64]) -> int:
    if not shares.any():
        return 0
    held = np.cumsum(np.sort(shares)[::-1])
    return int(np.searchsorted(held, 0.5 - 1e-9)) + 1


def _overlap(shares: NDArray[np.float64]) -> list[list[float | None]]:
    """How much of its shares each mask has in common with each other one."""
    common = [np.minimum(mask, shares).sum(axis=1) for mask in shares]
    weighs = shares.sum(axis=1) > 0
    return [
        [
            float(common[one][other]) if one != other and weighs[one] and weighs[other] else None
            for other in range(len(shares))
        ]
        for one in range(len(shares))
    ]
