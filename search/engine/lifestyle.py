"""Tells a catalogue picture (the item alone, on even ground) from a lifestyle photo by a picture's border.

Grid Dynamics marks pictures without a white background as lifestyle photos, by a histogram of their colours.
Here the histogram is of the border alone, where an item alone leaves the ground to be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

BORDER = 0.07  # of the shorter side
LIGHT = 240  # the darkest channel of white ground is at least that
BINS = 8  # per channel
CATALOGUE_FROM, LIFESTYLE_UNTIL = 0.75, 0.55

Verdict = Literal["catalogue", "lifestyle", "uncertain"]


@dataclass(frozen=True)
class View:
    """``score`` is the share of the border that is ground, 0 (lifestyle) to 1 (catalogue)."""

    score: float
    verdict: Verdict


def tell_view(picture: NDArray[np.uint8]) -> View:
    """Judge an RGB picture, (h, w, 3)."""
    height, width, _ = picture.shape
    band = max(1, round(BORDER * min(height, width)))
    inner = np.zeros((height, width), bool)
    inner[band : height - band, band : width - band] = True
    border = picture[~inner]
    white = (border.min(axis=1) >= LIGHT).mean()
    places = (border // (256 // BINS)).astype(np.int64) @ np.array([BINS * BINS, BINS, 1])
    counts = np.bincount(places, minlength=BINS**3) / len(border)
    # Ground that is even but not white falls into a bin or two: neighbours share what lies on their edge.
    score = float(max(white, np.sort(counts)[-2:].sum()))
    return View(score, judge_score(score))


def judge_score(score: float) -> Verdict:
    """What a score means; between the two it means nothing."""
    if score >= CATALOGUE_FROM:
        return "catalogue"
    return "lifestyle" if score <= LIFESTYLE_UNTIL else "uncertain"
