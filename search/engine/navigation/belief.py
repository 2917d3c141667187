"""What is believed after some picks: how likely each item is the target, and how the player sees.

Belief never rules an item out: greedy elimination fails under noise, because one wrong pick loses the target
for good (Golovin, Krause and Ray, "Near-optimal Bayesian active learning with noisy observations", 2010).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from search.engine.navigation.choices import ChoiceModel
from search.engine.navigation.history import History
from search.engine.navigation.terrain import Distances, Terrain, Vectors

_OVERLOOKED = np.float32(np.log(0.02))  # how likely a target that was shown was not noticed
_LEAST = np.float32(-60)  # of a belief's logarithm beside the highest: below, its share would round to nought
_KEPT = 4  # beliefs that are remembered, the last ones asked for


class Belief:
    """Beliefs of games on a terrain: of the target, and of which of some ways to see is the player's.

    The last few are remembered, so that a pick costs one step; the answer is the same without.
    """

    def __init__(self, terrain: Terrain, sights: Sequence[Distances], model: ChoiceModel) -> None:
        self._terrain, self.sights, self.model = terrain, tuple(sights), model
        self._known: OrderedDict[History, Vectors] = OrderedDict()

    def weigh(self, history: History) -> Vectors:
        """Logarithms of the joint belief in sights and items, (sights, n) float32, the highest being 0."""
        found = self._known.get(history)
        if found is None:
            found = self._learn(history) if history.steps else self._begin(history)
            self._known[history] = found
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found

    def of_items(self, history: History) -> Vectors:
        """How likely each item is the target, (n,) float32; sums to one."""
        shares = np.exp(self.weigh(history)).sum(axis=0)
        return np.asarray(shares / shares.sum(dtype=np.float64), np.float32)

    def of_sights(self, history: History) -> Vectors:
        """How likely each way to see is the player's, (sights,) float32; sums to one."""
        shares = np.exp(self.weigh(history)).sum(axis=1, dtype=np.float64)
        return np.asarray(shares / shares.sum(), np.float32)

    def _begin(self, history: History) -> Vectors:
        weights = np.zeros((len(self.sights), len(self._terrain)), np.float32)
        if history.start is not None:
            weights[:, self._terrain.alike(np.array([history.start]))] = _OVERLOOKED
        return weights

    def _learn(self, history: History) -> Vectors:
        before, step = history.before, history.steps[-1]
        weights = self.weigh(before).copy()
        if step.pick is not None:
            options = before.options(step.slate)
            weights += self._foresee(options, options.index(step.pick))
        weights[:, self._terrain.alike(np.array(step.slate))] += _OVERLOOKED
        weights -= weights.max()
        return np.maximum(weights, _LEAST, out=weights)

    def _foresee(self, options: Sequence[int], pick: int) -> Vectors:
        """Logarithms of how likely each target makes the option at ``pick`` the pick, (sights, n)."""
        reckoner, ones = self._terrain.whole.reckoner, np.array(options)
        spaces = {id(space): space for sight in self.sights for space, _ in sight.parts}
        is_large = self._terrain.whole.is_large
        squared = {
            key: space.lay_out(ones) if is_large else space.to_all(ones).T for key, space in spaces.items()
        }
        found = np.empty((len(self.sights), len(self._terrain)), np.float32)
        for chances, sight in zip(found, self.sights, strict=True):
            parts = [(squared[id(space)], weight) for space, weight in sight.parts]
            if is_large:
                chances[:] = reckoner.answer(parts, pick, self.model.power, self.model.lapse)
            else:
                seen = sum(np.float32(weight) * table for table, weight in parts)
                chances[:] = self.model.chances(np.asarray(seen))[:, pick]
        return np.log(found, out=found)
