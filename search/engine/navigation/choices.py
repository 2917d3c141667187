"""How people are thought to pick: the nearer, the likelier, by a power of the distance.

P(a | t, Q) = (1 - lapse) * d(t, a)^-exponent / sum over b in Q of d(t, b)^-exponent + lapse / |Q|
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.engine.navigation.reckoning import FLOOR
from search.engine.navigation.terrain import Items, Terrain, Vectors


@dataclass(frozen=True)
class ChoiceModel:
    """``exponent`` of distances, from 0 (picks at random) upwards; ``lapse``, the share of random picks."""

    exponent: float
    lapse: float = 0.02

    @property
    def power(self) -> int:
        """The exponent of squared distances, in `reckoning`. Raises ValueError where it is not whole."""
        if self.exponent < 2 or self.exponent % 2:
            raise ValueError(f"In a large space an exponent is an even number, not {self.exponent:g}.")
        return int(self.exponent) // 2

    def logits(self, squared: Vectors) -> Vectors:
        """Logarithms of d^-exponent, from squared distances of any shape."""
        found = np.log(np.maximum(squared, np.float32(FLOOR)))
        found *= np.float32(-self.exponent / 2)
        return np.asarray(found)

    def chances(self, squared: Vectors) -> Vectors:
        """How likely each of the options is picked, (m, options); each row sums to one."""
        weights = self.logits(squared)
        weights -= weights.max(axis=1, keepdims=True)
        np.exp(weights, out=weights)
        weights /= weights.sum(axis=1, keepdims=True)
        weights *= np.float32(1 - self.lapse)
        weights += np.float32(self.lapse / squared.shape[1])
        return weights


def calibrate(terrain: Terrain, agreement: float, k: int, *, seed: int = 0) -> ChoiceModel:
    """The model, without lapses, that picks the nearest of uniform random slates in this share of cases.

    Targets and slates of ``k`` are of items that look different. Raises ValueError for a share that no
    exponent gives.
    """
    targets, slates = draw_slates(terrain, k, count=4000, seed=seed)
    squared = np.concatenate(
        [terrain.whole.between(target[None], slate) for target, slate in zip(targets, slates, strict=True)]
    )
    nearest = squared.argmin(axis=1)

    def agreement_of(exponent: float) -> float:
        chances = ChoiceModel(exponent, lapse=0).chances(squared)
        return float(np.take_along_axis(chances, nearest[:, None], axis=1).mean())

    low, high = 0.0, 256.0
    if not agreement_of(low) < agreement <= agreement_of(high):
        raise ValueError(
            f"No user picks the nearest of {k} in {agreement:.0%} of cases: it must be above 1 in {k} and at "
            f"most {agreement_of(high):.0%}."
        )
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if agreement_of(middle) < agreement else (low, middle)
    return ChoiceModel(high, lapse=0)


def draw_slates(terrain: Terrain, k: int, *, count: int, seed: int) -> tuple[Items, NDArray[np.int64]]:
    """Uniform random targets (count,) and slates (count, k), all of which look different within a row."""
    generator = np.random.default_rng(seed)
    rows = np.stack([generator.choice(terrain.representatives, k + 1, replace=False) for _ in range(count)])
    return rows[:, 0], rows[:, 1:]
