"""A navigation game as it is stored: the slates that were shown and what was picked from each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from search.engine.errors import EngineError
from search.engine.navigation.terrain import Items


class NotOnSlate(EngineError):
    """A pick of an item that was not there to be picked."""


@dataclass(frozen=True)
class Step:
    """A slate and the pick from it; None where the player could not tell."""

    slate: tuple[int, ...]
    pick: int | None


@dataclass(frozen=True)
class History:
    """Everything a policy may know of a game.

    ``start`` is the item that the search sets out from, where there is one. With ``keeps``, the current pick
    may be kept: it is compared with the next slate as if it stood on it (the article of eBay: the pick is the
    closest to the target among all queries picked so far).
    """

    start: int | None = None
    steps: tuple[Step, ...] = ()
    keeps: bool = False

    @property
    def current(self) -> int | None:
        """The last pick; before the first one the start, if any."""
        picks = [step.pick for step in self.steps if step.pick is not None]
        return picks[-1] if picks else self.start

    @property
    def before(self) -> History:
        """The game before its last step. Raises ValueError where no slate was shown yet."""
        if not self.steps:
            raise ValueError("The game has just begun.")
        return replace(self, steps=self.steps[:-1])

    @property
    def shown(self) -> Items:
        """All items that were on a slate, and the start."""
        places = [place for step in self.steps for place in step.slate]
        return np.array(places if self.start is None else [self.start, *places], np.int64)

    def options(self, slate: tuple[int, ...]) -> tuple[int, ...]:
        """What a player chooses from when ``slate`` is shown next: with ``keeps`` also the current pick."""
        if not self.keeps or self.current is None or self.current in slate:
            return slate
        return (*slate, self.current)

    def after(self, slate: tuple[int, ...], pick: int | None) -> History:
        """The game with one more step. Raises NotOnSlate."""
        if pick is not None and pick not in self.options(slate):
            raise NotOnSlate(f"Item {pick} is not on the slate. Pick one of those that are shown.")
        return replace(self, steps=(*self.steps, Step(slate, pick)))
