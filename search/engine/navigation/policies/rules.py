"""Hand-made rules, which a trained policy must beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.engine.navigation.history import History
from search.engine.navigation.policies.base import (
    draw_unseen,
    draws_of,
    find_unseen,
    take_different,
)
from search.engine.navigation.policies.sampler import sample_candidates
from search.engine.navigation.terrain import Distances, Items, Terrain

COMPARED = 1000  # items among which spread ones are looked for


class RuleSampler:
    """The sampler's candidates, ranked by hand: first those that fit the last pick, as spread as can be."""

    def __init__(self, terrain: Terrain, *, seed: int = 0) -> None:
        self._terrain, self._seed = terrain, seed

    def choose(self, history: History, k: int) -> Items:
        """See `Policy`."""
        terrain = self._terrain
        if history.current is None:
            return draw_unseen(terrain, find_unseen(terrain, history), k, draws_of(self._seed, history))
        sampled = sample_candidates(terrain, history, k)
        candidates = take_different(terrain, np.unique(sampled.items).tolist(), len(terrain))
        broken = _count_broken(terrain.whole, candidates, history, last_only=True)
        fitting, others = candidates[broken == 0], candidates[broken > 0]
        chosen = spread(terrain.whole, fitting, k, first=_nearest_to(terrain, fitting, history.current))
        rest = spread(terrain.whole, others, k - len(chosen), first=0)
        return np.concatenate([chosen, rest])


class Rule:
    """Of the items that fit every pick so far, the most central one and others far from it and each other.

    An item fits a pick where it is at most as far from what was picked as from everything that was not. Where
    nothing fits all of them, those that fit the most stay.
    """

    def __init__(self, terrain: Terrain, *, seed: int = 0) -> None:
        self._terrain, self._seed = terrain, seed

    def choose(self, history: History, k: int) -> Items:
        """See `Policy`."""
        terrain, draws = self._terrain, draws_of(self._seed, history)
        items = np.flatnonzero(find_unseen(terrain, history))
        broken = _count_broken(terrain.whole, items, history, last_only=False)
        chosen: list[int] = []
        for least in np.unique(broken):
            fitting = items[broken == least]
            if len(fitting) > COMPARED:
                fitting = np.sort(draws.choice(fitting, COMPARED, replace=False))
            fitting = take_different(terrain, fitting.tolist(), len(fitting))
            middle = (
                int(terrain.whole.between(fitting, fitting).sum(axis=1).argmin()) if len(fitting) > 1 else 0
            )
            chosen += spread(terrain.whole, fitting, k - len(chosen), first=middle).tolist()
            chosen = take_different(terrain, chosen, k).tolist()
            if len(chosen) == k:
                break
        return np.array(chosen, np.int64)


def spread(space: Distances, items: Items, k: int, *, first: int) -> Items:
    """At most ``k`` of the items, beginning at place ``first``, each the farthest from those before."""
    if not len(items) or k < 1:
        return items[:0]
    chosen = [first]
    nearest = space.between(items, items[[first]])[:, 0]
    while len(chosen) < min(k, len(items)):
        nearest[chosen] = -1
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, space.between(items, items[[chosen[-1]]])[:, 0])
    return items[chosen]


def _nearest_to(terrain: Terrain, items: Items, item: int) -> int:
    return int(terrain.whole.between(np.array([item]), items)[0].argmin()) if len(items) else 0


def _count_broken(space: Distances, items: Items, history: History, *, last_only: bool) -> NDArray[np.int64]:
    """With how many picks each item does not fit, (len(items),)."""
    broken = np.zeros(len(items), np.int64)
    game = history
    while game.steps:
        step, game = game.steps[-1], game.before
        if step.pick is None:
            continue
        rejected = [place for place in game.options(step.slate) if place != step.pick]
        if rejected and len(items):
            squared = space.to_all(np.array([step.pick, *rejected]))[:, items]
            broken += (squared[0] > squared[1:]).any(axis=0)
        if last_only:
            break
    return broken
