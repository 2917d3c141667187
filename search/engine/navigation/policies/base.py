"""What every policy does, and what several of them need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from search.engine.navigation.history import History
from search.engine.navigation.terrain import Distances, Items, Terrain, Vectors

NO_ITEM = 1 << 32  # stands for none where a number is needed: more than any catalogue has


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
    return take_lowest(terrain, space.to_all(np.array([item]))[0], k, allowed)


def take_lowest(terrain: Terrain, values: Vectors, k: int, allowed: NDArray[np.bool_]) -> Items:
    """The ``k`` allowed items with the lowest of (n,) values, that look different; equal ones by place."""
    places = np.flatnonzero(allowed)
    for reach in (4 * k + 16, len(places)):  # where many look alike, all are ranked
        ranked = places[_rank_lowest(values[places], min(reach, len(places)))]
        found = take_different(terrain, ranked.tolist(), k)
        if len(found) == k:
            break
    return found


def _rank_lowest(values: Vectors, count: int) -> Items:
    """Places of the ``count`` lowest values and of all that equal the last of them, lowest first."""
    ahead = np.arange(len(values))
    if 0 < count < len(values):
        ahead = np.flatnonzero(values <= np.partition(values, count - 1)[count - 1])
    ranked: Items = ahead[np.argsort(values[ahead], kind="stable")]
    return ranked


def draw_unseen(terrain: Terrain, allowed: NDArray[np.bool_], k: int, draws: Generator) -> Items:
    """``k`` allowed items that look different, evenly drawn."""
    return take_different(terrain, draws.permutation(np.flatnonzero(allowed)).tolist(), k)


def draws_of(seed: int, history: History) -> Generator:
    """The randomness of the next slate, which depends on the seed and the game alone."""
    answers = [NO_ITEM if step.pick is None else step.pick for step in history.steps]
    start = NO_ITEM if history.start is None else history.start
    return np.random.default_rng([seed, start, *answers])
