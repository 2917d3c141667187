"""Agreement against how clear a question is: near ties are no fault of whoever answers them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEPS = 5


@dataclass(frozen=True)
class CurvePoint:
    """The questions whose margin lies from ``low`` to ``high``, and the mean agreement on them."""

    low: float
    high: float
    questions: int
    agreement: float


def curve(
    margins: NDArray[np.floating], right: NDArray[np.floating], *, steps: int = STEPS
) -> list[CurvePoint]:
    """Agreement ``right`` (n,) on questions in order of their ``margins`` (n,), in equally many at a time.

    Questions of one margin stay together, so there may be fewer points than ``steps``.
    """
    if not len(margins):
        return []
    edges = np.unique(np.quantile(margins, np.arange(steps) / steps, method="higher"))
    place = np.searchsorted(edges, margins, side="right") - 1
    points = []
    for step in np.unique(place):
        here = place == step
        points.append(
            CurvePoint(
                float(margins[here].min()),
                float(margins[here].max()),
                int(here.sum()),
                float(right[here].mean()),
            )
        )
    return points
