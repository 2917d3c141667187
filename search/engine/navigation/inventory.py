"""The inventory as a graph: items are linked where they share an attribute (eBay's article, figure 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from search.engine.navigation.terrain import Terrain

Attributes = Mapping[str, str]  # an item's value of each aspect that is known of it


@dataclass(frozen=True)
class Link:
    """What two items share, and how far apart they are by each of the terrain's samplers."""

    aspects: tuple[str, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Inventory:
    """Items of a terrain, by their places, and what is known of them."""

    terrain: Terrain
    attributes: Mapping[int, Attributes]

    def link(self, one: int, other: int) -> Link | None:
        """How two items are linked; None where they share nothing."""
        aspects = list_shared(self.attributes.get(one, {}), self.attributes.get(other, {}))
        if not aspects:
            return None
        pair = np.array([one]), np.array([other])
        weights = [float(np.sqrt(space.between(*pair)[0, 0])) for space in self.terrain.samplers]
        return Link(aspects, tuple(weights))

    def follow(self, path: Sequence[int]) -> list[Link | None]:
        """The links from each item of a path to the next."""
        return [self.link(one, other) for one, other in pairwise(path)]


def list_shared(one: Attributes, other: Attributes) -> tuple[str, ...]:
    """The aspects of which both have the same value, in the order of the first."""
    return tuple(aspect for aspect, value in one.items() if other.get(aspect) == value)
