"""Simulated users: who picks from a slate, knowing the target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.random import Generator

from search.engine.navigation.choices import ChoiceModel
from search.engine.navigation.terrain import Blend, Distances, Space, Vectors


class SimulatedUser(Protocol):
    """One player in one episode, who sees items in ``space``."""

    @property
    def space(self) -> Distances: ...

    def pick(self, target: int, options: Sequence[int], draws: Generator) -> int | None:
        """One of the options, or None for "can't tell"."""
        ...


# A user for one episode: some have tastes of their own each time.
UserMaker = Callable[[Generator], SimulatedUser]


@dataclass(frozen=True)
class ExactUser:
    """Picks what is nearest to the target; of equally near ones the first."""

    space: Distances

    def pick(self, target: int, options: Sequence[int], draws: Generator) -> int:
        """See `SimulatedUser`."""
        return options[int(_squared(self.space, target, options).argmin())]


@dataclass(frozen=True)
class NoisyUser:
    """Picks by chance, the nearer the likelier."""

    space: Distances
    model: ChoiceModel

    def pick(self, target: int, options: Sequence[int], draws: Generator) -> int:
        """See `SimulatedUser`."""
        chances = self.model.chances(_squared(self.space, target, options)[None])[0].astype(float)
        return options[int(draws.choice(len(options), p=chances / chances.sum()))]


@dataclass(frozen=True)
class UnsureUser:
    """Cannot tell where the second nearest option is at most ``margin`` times as far as the nearest."""

    user: SimulatedUser
    margin: float

    @property
    def space(self) -> Distances:
        """What the user itself sees by."""
        return self.user.space

    def pick(self, target: int, options: Sequence[int], draws: Generator) -> int | None:
        """See `SimulatedUser`."""
        nearest = np.sort(_squared(self.space, target, options))[:2]
        if len(nearest) > 1 and nearest[1] <= self.margin**2 * nearest[0]:
            return None
        return self.user.pick(target, options, draws)


def draw_opinionated(spaces: tuple[Space, ...], draws: Generator) -> ExactUser:
    """A user to whom aspects matter unequally: weights drawn evenly from all that sum to one."""
    weights = draws.dirichlet(np.ones(len(spaces))).tolist()
    return ExactUser(Blend(tuple(zip(spaces, weights, strict=True))))


def _squared(space: Distances, target: int, options: Sequence[int]) -> Vectors:
    return np.asarray(space.between(np.array([target]), np.array(options))[0])
