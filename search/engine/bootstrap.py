"""Intervals of measures that were taken with several seeds on the same questions, by resampling.

Questions of one unit (the photos of one person, the items of one design) are not independent: units are
drawn, not questions, and seeds as well (the percentile bootstrap on two crossed levels; Owen, "The pigeonhole
bootstrap", Annals of Applied Statistics 1:386, 2007).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 1000

# What is measured: (questions' places, seed's place) -> the measure of those questions with that seed.
Statistic = Callable[[NDArray[np.int64], int], float]


@dataclass(frozen=True)
class Estimate:
    """A measure, averaged over seeds, and its interval."""

    mean: float
    low: float
    high: float


def estimate(
    statistic: Statistic,
    *,
    seeds: int,
    units: NDArray[np.int64],
    confidence: float = 0.95,
    draws: int = DRAWS,
) -> Estimate:
    """A measure over ``seeds`` runs and the questions whose units are given, (n,) numbers from 0.

    Raises ValueError where there is no question.
    """
    if not len(units):
        raise ValueError("There is no question to measure.")
    everything = np.arange(len(units))
    mean = float(np.mean([statistic(everything, seed) for seed in range(seeds)]))
    generator = np.random.default_rng(0)
    order = np.argsort(units, kind="stable")
    _, starts = np.unique(units[order], return_index=True)
    members = np.split(order, starts[1:])
    drawn = []
    for _ in range(draws):
        places = np.concatenate(
            [members[place] for place in generator.integers(len(members), size=len(members))]
        )
        chosen = generator.integers(seeds, size=seeds)
        drawn.append(np.mean([statistic(places, seed) for seed in chosen]))
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Estimate(mean, float(low), float(high))


def estimate_share(right: NDArray[np.floating], units: NDArray[np.int64]) -> Estimate:
    """The mean of ``right`` (seeds, n), which holds 0 and 1, or a share of them, per question."""
    return estimate(lambda places, seed: float(right[seed, places].mean()), seeds=len(right), units=units)


def estimate_difference(
    ones: NDArray[np.floating], others: NDArray[np.floating], units: NDArray[np.int64]
) -> Estimate:
    """How much more of the same questions one model gets right than another, (seeds, n) each, in pairs."""
    return estimate_share(ones - others, units)
