"""Whether a lifestyle photo can show its item at all: what is in none of its regions is not learned from.

A photo is set beside the catalogue picture of its own item and beside those of others, each by the region
whose colours are nearest. Where the item is not in sight, its picture is as likely to come anywhere among the
others: the share of them that are nearer is then uniform. So whoever leaves out what has a share above t
loses 1 - t of the photos without their item, whatever they show, and of good ones as many as colours mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from search.engine.encoders.histograms import count_colours
from search.engine.errors import ImageRejected
from search.engine.regions import Region, crop_region

Finder: TypeAlias = Callable[[Image.Image], Sequence[Region]]
Vectors: TypeAlias = NDArray[np.float32]

OTHERS = 200  # catalogue pictures that a photo is set beside
LEAST_OTHERS = 20  # with fewer a share says too little
MOST_LEFT_OUT = 0.5  # beyond this it is the looking that fails, not the photos
SALT = 20261128  # of the draw of others, which is the same for whatever training
# What COCO's detector knows of what is sold with clothes, and who wears them.
WORN = frozenset({"person", "backpack", "umbrella", "handbag", "tie", "suitcase"})


class Verdict(StrEnum):
    """What was found of an item in its photo."""

    SEEN = "seen"
    NOTHING = "nothing"
    UNLIKE = "unlike"


@dataclass(frozen=True)
class Unseen:
    """What became of ``looked`` lifestyle photos. ``left_out`` are their rows, in order.

    ``nothing``: no region was found in so many. ``unlike``: in so many, the regions are less like the item
    than like others. ``trusted`` is False where that would be so many photos that none was left out.
    """

    way: str
    looked: int
    left_out: NDArray[np.int64]
    nothing: int
    unlike: int
    trusted: bool

    def describe(self) -> str:
        """A sentence for the log."""
        found = f"{self.nothing:,} without any region, {self.unlike:,} whose regions are unlike the item"
        if not self.trusted:
            return (
                f"All {self.looked:,} lifestyle photos are learned from: by {self.way}, more than half would "
                f"not show their item ({found}), which says more of {self.way} than of them."
            )
        return f"{len(self.left_out):,} of {self.looked:,} lifestyle photos are left out ({found})."

    def as_json(self) -> dict[str, object]:
        """For the card."""
        return {
            "way": self.way,
            "looked": self.looked,
            "left_out": len(self.left_out),
            "nothing": self.nothing,
            "unlike": self.unlike,
            "trusted": self.trusted,
            "told": self.describe(),
        }


def choose_others(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows whose catalogue pictures photos are set beside; drawn the same every time."""
    draws = np.random.default_rng(SALT)
    return np.sort(draws.permutation(rows)[:OTHERS])


def judge_photo(regions: Vectors, own: Vectors, others: Vectors, *, most: float) -> Verdict:
    """``regions`` (r, d) of a photo; ``own`` (d,) and ``others`` (m, d) of catalogue pictures.

    UNLIKE where more than the share ``most`` of the others are nearer to some region than the own is to any.
    """
    if not len(regions):
        return Verdict.NOTHING
    if len(others) < LEAST_OTHERS:
        return Verdict.SEEN
    nearer = (_nearest(regions, others) < _nearest(regions, own[None])).mean()
    return Verdict.UNLIKE if nearer > most else Verdict.SEEN


def describe_regions(picture: Image.Image, find: Finder) -> Vectors:
    """The colours of each region of a picture: (r, 816), see `count_colours`."""
    found = []
    for region in find(picture):
        try:
            crop = crop_region(
                picture, left=region.left, top=region.top, width=region.width, height=region.height
            )
        except ImageRejected:  # too small to tell anything
            continue
        found.append(count_colours(crop))
    return np.stack(found) if found else np.empty((0, 0), np.float32)


def sum_up(way: str, judged: Iterable[tuple[int, Verdict]]) -> Unseen:
    """What to leave out, given what was found in the photo of each row."""
    verdicts = list(judged)
    bad = np.array([row for row, verdict in verdicts if verdict is not Verdict.SEEN], np.int64)
    trusted = len(bad) <= MOST_LEFT_OUT * len(verdicts)
    return Unseen(
        way=way,
        looked=len(verdicts),
        left_out=bad if trusted else np.empty(0, np.int64),
        nothing=sum(verdict is Verdict.NOTHING for _, verdict in verdicts),
        unlike=sum(verdict is Verdict.UNLIKE for _, verdict in verdicts),
        trusted=trusted,
    )


def _nearest(regions: Vectors, pictures: Vectors) -> Vectors:
    """(m,): squared distances of catalogue pictures to the nearest region."""
    squared = (regions**2).sum(axis=1)[:, None] + (pictures**2).sum(axis=1) - 2 * regions @ pictures.T
    nearest: Vectors = squared.min(axis=0)
    return nearest
