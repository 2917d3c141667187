"""What every policy does, and what several of them need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from search.engine.navigation.history import History
from search.engine.navigation.terrain import Distances, Items, Terrain, Vectors


class Policy(Protocol):
    """Chooses slates. The same history gives the same slate, whoever asks and whenever."""

    def choose(self, history: History, k: int) -> Items:
        """(k,) items that look different and were not shown yet; fewer where no more are left."""
        ...


def find_unseen(terrain: Terrain, history: History) -> NDArray[np.bool_]:
    """Which items look like none that was shown, (n,)."""
    return ~terrain.alike(history.shown)


def take_different(terrain: Terrain, ranked: Iterable[int], k: int) -> Items:
    """The first ``k`` of ranked items that look different."""
    chosen: dict[int, int] = {}
    for item in ranked:
        chosen.setdefault(int(terrain.identity[item]), item)
        if len(chosen) == k:
            break
    return np.array(list(chosen.values()), np.int64)


def find_nearest(terrain: Terrain, space: Distances, item: int, k: int, allowed: NDArray[np.bool_]) -> Items:
    """The ``k`` allowed items nearest to one, that look different; equally near ones by place."""
    places = np.flatnonzero(allowed)
    squared = space.to_all(np.array([item]))[0][places]
    found = take_different(terrain, places[_rank_smallest(squared, 4 * k + 16)].tolist(), k)
    if len(found) < k:  # many look alike
        found = take_different(terrain, places[_rank_smallest(squared, len(places))].tolist(), k)
    return found


def _rank_smallest(values: Vectors, count: int) -> Items:
    """Places of the ``count`` smallest values, smallest first; equal ones by place."""
    ahead = np.arange(len(values))
    if count < len(values):
        ahead = np.sort(np.argpartition(values, count)[:count])
    ranked: Items = ahead[np.argsort(values[ahead], kind="stable")]
    return ranked


def draw_unseen(terrain: Terrain, allowed: NDArray[np.bool_], k: int, draws: Generator) -> Items:
    """``k`` allowed items that look different, evenly drawn."""
    return take_different(terrain, draws.permutation(np.flatnonzero(allowed)).tolist(), k)


def draws_of(seed: int, history: History) -> Generator:
    """The randomness of the next slate, which depends on the seed and the game alone."""
    picks = [place for step in history.steps for place in (len(step.slate), 1 + (step.pick or 0))]
    return np.random.default_rng([seed, len(history.steps), *picks])
