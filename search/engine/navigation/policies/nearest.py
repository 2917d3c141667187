"""Nearest neighbours of the current pick: the sampler of the published system, without any ranking."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest

from search.engine.navigation.history import History
from search.engine.navigation.policies.base import (
    draw_unseen,
    draws_of,
    find_nearest,
    find_unseen,
    take_different,
)
from search.engine.navigation.terrain import Distances, Items, Terrain


class Nearest:
    """The nearest to the current pick in each space in turn, then each one's second; before a pick, any.

    ``spaces``: none for the terrain's whole space alone.
    """

    def __init__(self, terrain: Terrain, *, spaces: Sequence[Distances] = (), seed: int = 0) -> None:
        self._terrain, self._spaces, self._seed = terrain, spaces or [terrain.whole], seed

    def choose(self, history: History, k: int) -> Items:
        """See `Policy`."""
        unseen = find_unseen(self._terrain, history)
        if history.current is None:
            return draw_unseen(self._terrain, unseen, k, draws_of(self._seed, history))
        lists = [
            find_nearest(self._terrain, space, history.current, k, unseen).tolist() for space in self._spaces
        ]
        ranked = (item for item in chain.from_iterable(zip_longest(*lists)) if item is not None)
        return take_different(self._terrain, ranked, k)
