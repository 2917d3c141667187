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

DRAWS = 2000
AT_ONCE = 50  # draws in memory: each holds a number per unit
FEWER_DRAWS = 300  # where each one takes a moment
_TAIL = 0.025

# What is measured: (questions' places, seed's place) -> the measure of those questions with that seed.
Statistic = Callable[[NDArray[np.int64], int], float]


@dataclass(frozen=True)
class Estimate:
    """A measure, averaged over seeds, and its 95 % interval."""

    mean: float
    low: float
    high: float


def estimate_share(right: NDArray[np.floating], units: NDArray[np.int64]) -> Estimate:
    """The mean of ``right`` (seeds, n), how far each answer was right; ``units`` (n,) are the questions'.

    Raises ValueError where there is no question.
    """
    if not len(units):
        raise ValueError("There is no question to measure.")
    _, unit = np.unique(units, return_inverse=True)
    sizes = np.bincount(unit).astype(float)
    sums = np.stack([np.bincount(unit, weights=line) for line in right.astype(float)])
    generator = np.random.default_rng(0)
    drawn = []
    for _ in range(0, DRAWS, AT_ONCE):
        taken = generator.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=AT_ONCE)
        seeds = generator.multinomial(len(right), np.full(len(right), 1 / len(right)), size=AT_ONCE)
        drawn.append(np.einsum("ds,ds->d", seeds / len(right), taken @ sums.T) / (taken @ sizes))
    low, high = np.quantile(np.concatenate(drawn), [_TAIL, 1 - _TAIL])
    return Estimate(float(right.mean(dtype=float)), float(low), float(high))


def estimate(statistic: Statistic, *, seeds: int, units: NDArray[np.int64]) -> Estimate:
    """Any measure, which need not be a mean over questions; otherwise as `estimate_share`."""
    if not len(units):
        raise ValueError("There is no question to measure.")
    everything = np.arange(len(units))
    mean = float(np.mean([statistic(everything, seed) for seed in range(seeds)]))
    order = np.argsort(units, kind="stable")
    _, starts = np.unique(units[order], return_index=True)
    members = np.split(order, starts[1:])
    generator = np.random.default_rng(0)
    drawn = []
    for _ in range(FEWER_DRAWS):
        taken = generator.integers(len(members), size=len(members))
        places = np.concatenate([members[unit] for unit in taken])
        drawn.append(np.mean([statistic(places, seed) for seed in generator.integers(seeds, size=seeds)]))
    low, high = np.quantile(drawn, [_TAIL, 1 - _TAIL])
    return Estimate(mean, float(low), float(high))
