"""How alike two items are by one aspect, from what a network says of its values (Slyce's filters).

The similarity of two items by an aspect is the chance that values drawn from what is said of each are the
same: <p(a), p(b)>. It is 1 for two items that surely have one value, and low where nothing is sure.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", np.float32, np.float64)


def similarities(ones: NDArray[T], others: NDArray[T]) -> NDArray[T]:
    """(n, values) and (m, values) probabilities -> (n, m), 0 to 1."""
    return np.asarray(ones @ others.T)
