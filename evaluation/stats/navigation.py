"""Navigation games in figures: which policy is played, what a pick told, how many slates policies need."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

ALLOCATION: Final = "play-2"
# How often each policy is played: those most worth knowing about often, dull ones as often as they are needed
# for comparison.
SHARES: Final = {
    "information": 0.28,
    "information-multi": 0.16,
    "posterior-sampling": 0.16,
    "rule": 0.12,
    "dqn": 0.1,
    "dqn-belief": 0.1,
    "nearest-per-mask": 0.08,
}
NEED_MASKS: Final = frozenset({"information-multi"})
NEED_RANKERS: Final = frozenset({"dqn", "dqn-belief"})
STAND_IN: Final = "information"  # goes on where a game's ranker is lost; it needs neither


@dataclass(frozen=True)
class DrawnPolicy:
    """A policy and the probability with which it was drawn."""

    policy: str
    propensity: float


@dataclass(frozen=True)
class Mean:
    """A mean with its interval; no interval with games of fewer than two players."""

    mean: float
    low: float | None
    high: float | None


def list_shares(*, has_masks: bool, trained: Collection[str] = ()) -> dict[str, float]:
    """The probability of each policy that makes sense here; they sum to one.

    ``trained``: those of `NEED_RANKERS` that have a ranker for these very games.
    """
    missing = NEED_RANKERS.difference(trained) | (frozenset() if has_masks else NEED_MASKS)
    able = {name: share for name, share in SHARES.items() if name not in missing}
    total = sum(able.values())
    return {name: share / total for name, share in able.items()}


def draw_policy(shares: Mapping[str, float], rng: np.random.Generator) -> DrawnPolicy:
    """One policy by these probabilities. Raises ValueError where they do not sum to one."""
    names = list(shares)
    name = names[int(rng.choice(len(names), p=list(shares.values())))]
    return DrawnPolicy(name, shares[name])


def measure_bits(chances: NDArray[np.floating], identity: NDArray[np.int64]) -> float:
    """How much is left to know, in bits: the entropy of (n,) chances, of what looks the same taken together.

    ``identity`` (n,) numbers the looks, 0, 1, 2 ...
    """
    looks = np.bincount(identity, weights=chances).astype(float)
    looks /= looks.sum()
    looks = looks[looks > 0]
    return max(0.0, float(-(looks * np.log2(looks)).sum()))


def mean_of_clusters(
    values: NDArray[np.floating], clusters: NDArray[np.int64], *, low: float, high: float, level: float = 0.95
) -> Mean:
    """The mean of (n,) values, and its interval allowing for those of one cluster to be alike, (n,).

    Liang and Zeger, "Longitudinal data analysis using generalized linear models", Biometrika 73:13, 1986, for
    a mean alone: the variance is G / (G - 1) times the sum over the G clusters of their summed residuals
    squared, over n squared. The quantile is Student's with G - 1 degrees of freedom. The interval stays
    within ``low`` and ``high``, what a value can be. Raises ValueError without values.
    """
    count = len(values)
    if not count:
        raise ValueError("There is no value to take the mean of.")
    mean = float(np.mean(values, dtype=float))
    _, own = np.unique(clusters, return_inverse=True)
    sums = np.bincount(own, weights=np.asarray(values, float) - mean)
    groups = len(sums)
    if groups < 2:
        return Mean(mean, None, None)
    error = float(np.sqrt(groups / (groups - 1) * np.square(sums).sum())) / count
    reach = float(stdtrit(groups - 1, 0.5 + level / 2)) * error
    return Mean(mean, max(low, mean - reach), min(high, mean + reach))
