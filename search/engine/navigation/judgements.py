"""Simulated users on questions that people answered: which of the options looks most like an item?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.engine.navigation.terrain import Distances, Vectors


def measure_distances(space: Distances, questions: NDArray[np.int64]) -> Vectors:
    """Squared distances of k options from the reference, (n, k), of ``questions`` (n, 1 + k): ref, options.

    What an exact user compares, who picks the nearest one.
    """
    squared = np.empty((len(questions), questions.shape[1] - 1), np.float32)
    for reference in np.unique(questions[:, 0]):
        asked = np.flatnonzero(questions[:, 0] == reference)
        options, places = np.unique(questions[asked, 1:], return_inverse=True)
        squared[asked] = space.between(reference[None], options)[0][places.reshape(len(asked), -1)]
    return squared


def shares_choosing(distances: NDArray[np.floating]) -> NDArray[np.float64]:
    """How likely an exact user chooses each of k options at ``distances`` (n, k): 1, 0, or by lot.

    Of equally near options each is chosen equally often: nothing says which of them stands first.
    """
    nearest = distances == distances.min(axis=1, keepdims=True)
    return np.asarray(nearest / nearest.sum(axis=1, keepdims=True), dtype=float)


def share_choosing_first(distances: NDArray[np.floating]) -> NDArray[np.float64]:
    """`shares_choosing` of the first of two options, (n,)."""
    return shares_choosing(distances)[:, 0]
