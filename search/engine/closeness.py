"""Distances in words: how close a candidate is, by what is usual among the items of the same index.

A number means nothing to a person, and another thing under each metric. What is usual is known: the distances
from every item to its nearest ones, which the index holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.engine.metrics import Neighbours

WORDS = ("the same", "very close", "close", "similar", "a little alike", "hardly alike")


@dataclass(frozen=True)
class Closeness:
    """``limits``: up to which distance each of the `WORDS` but the last holds, ascending.

    ``usual`` is the median distance of an item's last neighbour, by which distances become similarities.
    """

    limits: tuple[float, ...]
    usual: float

    def tell(self, distance: float) -> str:
        """The distance in words."""
        return WORDS[int(np.searchsorted(self.limits, distance))]

    def similarity(self, distance: float) -> float:
        """1 at no distance, falling by a factor e with each usual distance."""
        return float(np.exp(-distance / self.usual))


def measure_closeness(neighbours: Neighbours) -> Closeness:
    """What is usual among the nearest neighbours (n, k) of an index's items.

    "Very close" is closer than a quarter of the items have anything, "close" than nine of ten; "similar" is
    within nine of ten items' k-th neighbours, "a little alike" within one and a half times that.
    """
    near, far = _finite(neighbours.distances[:, :1]), _finite(neighbours.distances[:, -1:])
    if not len(near):  # one item, or none: nothing is usual
        return Closeness((0.0,) * (len(WORDS) - 1), 1.0)
    far = far if len(far) else near
    widest = float(np.quantile(far, 0.9))
    limits = (0.0, float(np.quantile(near, 0.25)), float(np.quantile(near, 0.9)), widest, 1.5 * widest)
    usual = float(np.median(far))
    return Closeness(tuple(np.maximum.accumulate(limits).tolist()), usual if usual > 0 else 1.0)


def _finite(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    return distances[np.isfinite(distances)]
