"""The sampler of the published system: candidates near the current pick by each mask, to choose from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.engine.navigation.history import History
from search.engine.navigation.policies.base import find_nearest, find_unseen
from search.engine.navigation.terrain import Items, Terrain

SAMPLED = 15  # candidates per mask, at least


@dataclass(frozen=True)
class Sampled:
    """c candidates, and which of the terrain's samplers found each, (c,) both; several may find one."""

    items: Items
    samplers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.items)


def sample_candidates(terrain: Terrain, history: History, k: int) -> Sampled:
    """The unseen items nearest to the current pick in each sampler's space, ``k`` or more if there are.

    Raises ValueError where nothing was picked yet and the game has no start.
    """
    if history.current is None:
        raise ValueError("Nothing was picked yet: there is nothing to look near to.")
    unseen = find_unseen(terrain, history)
    found = [
        find_nearest(terrain, space, history.current, max(SAMPLED, k), unseen) for space in terrain.samplers
    ]
    numbers = np.repeat(np.arange(len(found)), [len(items) for items in found])
    return Sampled(np.concatenate(found), numbers)
