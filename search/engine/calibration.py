"""How far a network's confidence can be believed, and how to make it believable.

Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017: one temperature divides
all logits, chosen on items that were not learned from (section 4.2); the expected calibration error compares
confidence with accuracy in equal bins of confidence (section 2). Few items vouch for no certainty: labels are
taken for a little less than sure, by Laplace's rule of succession, as Platt's scaling does ("Probabilistic
Outputs for Support Vector Machines", 1999, section 2.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15
_COLDEST, _HOTTEST = 0.05, 20.0


@dataclass(frozen=True)
class Bin:
    """Predictions of like confidence: how many, how confident they are and how often right, on average."""

    count: int
    confidence: float
    accuracy: float


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """(n, values) logits -> probabilities."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def find_temperature(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """The temperature under which the labels (n,) are likeliest; 1 where there are none.

    Each is taken for right with chance (n + 1) / (n + 2), else for any value evenly: where all of a few are
    right, confidence does not go beyond what so few can say.
    """
    # Heavy, and nothing to those that only read how a network is calibrated.
    from scipy.optimize import minimize_scalar

    if not len(labels):
        return 1.0

    doubt = 1 / (len(labels) + 2)

    def surprise(log_temperature: float) -> float:
        scaled = logits.astype(np.float64) / np.exp(log_temperature)
        highest = scaled.max(axis=1)
        total = highest + np.log(np.exp(scaled - highest[:, None]).sum(axis=1))
        told = (1 - doubt) * scaled[np.arange(len(labels)), labels] + doubt * scaled.mean(axis=1)
        return float((total - told).mean())

    found = minimize_scalar(surprise, bounds=(np.log(_COLDEST), np.log(_HOTTEST)), method="bounded")
    return float(np.exp(found.x))


def bin_confidences(
    confidence: NDArray[np.floating], right: NDArray[np.floating], bins: int = BINS
) -> list[Bin]:
    """Predictions, (n,) and (n,), in ``bins`` equal parts of confidence 0 to 1; empty ones are left out."""
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        Bin(int(inside.sum()), float(confidence[inside].mean()), float(right[inside].mean()))
        for place in range(bins)
        if (inside := places == place).any()
    ]


def calibration_error(found: list[Bin]) -> float:
    """The expected calibration error: how far confidence is from accuracy, on average over predictions."""
    total = sum(part.count for part in found)
    return sum(part.count * abs(part.confidence - part.accuracy) for part in found) / max(1, total)
