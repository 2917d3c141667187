"""Where the triplets of a conditional similarity network come from: drawn from labels, or read from files."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.engine.published_triplets import PublishedTriplets
from search.engine.training.samples import MISSING, Division, Labels, Rows, draw_rows
from search.engine.training.settings import CsnSettings
from search.engine.triplets import Triplets, draw_overlap_triplets, draw_triplets

JUDGED_TRIPLETS = 2000  # per aspect
ASKED_TRIPLETS = 5000  # per aspect


@dataclass(frozen=True)
class Batch:
    """What a step looks at: ``rows`` (m,), each once and in order; triplets are places in them.

    ``triplets`` are those of each condition; ``overlap`` those whose positive shares more attributes.
    """

    rows: Rows
    triplets: list[Triplets]
    overlap: Triplets


class TripletSource(Protocol):
    """Triplets of every condition, in the order of the masks; a list may be empty."""

    def draw(self, settings: CsnSettings, step: int) -> Batch:
        """A step's batch: depends on the settings' seed and the step alone."""
        ...

    def judged(self, rows: Rows, *, seed: int) -> list[Triplets]:
        """Triplets to judge by among the rows, as places in them: the same ones for every network."""
        ...

    def questions(self) -> list[Triplets]:
        """Triplets of held-out rows, by which a model is measured: whatever its seed."""
        ...


class LabelTriplets:
    """Drawn among items that have a label: an anchor shares its value with its positive only.

    The items of a batch are drawn first, so that each picture serves in many triplets.
    """

    def __init__(self, labels: Labels, division: Division) -> None:
        self._labels, self._division = labels, division

    def draw(self, settings: CsnSettings, step: int) -> Batch:
        """See `TripletSource`."""
        rows = draw_rows(self._division.learned, settings.items, seed=settings.seed, step=step)
        draws = np.random.default_rng([settings.seed, step, 1])
        table = self._labels.table[rows]
        triplets = [
            draw_triplets(table[:, column], settings.triplets, draws) for column in range(table.shape[1])
        ]
        return Batch(rows, triplets, draw_overlap_triplets(table, settings.triplets * 2, draws))

    def judged(self, rows: Rows, *, seed: int) -> list[Triplets]:
        """See `TripletSource`."""
        return draw_judged_triplets(self._labels.table, rows, JUDGED_TRIPLETS, seed=seed)

    def questions(self) -> list[Triplets]:
        """See `TripletSource`."""
        return draw_questions(self._labels, self._division.held_out)


class FileTriplets:
    """Read from files: the catalogue's labels say nothing about them but what items have in common.

    ``known`` (n, aspects): what is known of the items, places in aspects' values or MISSING.
    """

    def __init__(self, published: PublishedTriplets, known: NDArray[np.int64]) -> None:
        self._published, self._known = published, known

    def draw(self, settings: CsnSettings, step: int) -> Batch:
        """See `TripletSource`. At most ``settings.items`` rows: fewer triplets where they would need more."""
        draws = np.random.default_rng([settings.seed, step, 1])
        lists = self._published.learned
        drawn = np.stack([part[draws.integers(0, len(part), settings.triplets)] for part in lists])
        # One of each condition, then another of each: where not all find room, every one has its share.
        # Each step begins with another condition, for there may be room for fewer than there are.
        turns = np.roll(np.arange(len(lists)), -(step % len(lists)))
        queue = drawn[turns].swapaxes(0, 1).reshape(-1, 3)
        kept = queue[: _count_fitting(queue, settings.items)]
        rows = np.unique(kept)
        placed = np.searchsorted(rows, kept)
        triplets = [placed[start :: len(lists)] for start in np.argsort(turns)]
        return Batch(rows, triplets, draw_overlap_triplets(self._known[rows], settings.triplets * 2, draws))

    def judged(self, rows: Rows, *, seed: int) -> list[Triplets]:
        """See `TripletSource`. Whatever the seed, all that are there to judge or to measure by."""
        place_of = np.full(len(self._known), MISSING, np.int64)
        place_of[rows] = np.arange(len(rows))
        pairs = zip(self._published.validation, self._published.measured, strict=True)
        placed = [place_of[np.concatenate(pair)] for pair in pairs]
        return [part[(part != MISSING).all(axis=1)] for part in placed]

    def questions(self) -> list[Triplets]:
        """See `TripletSource`."""
        return self._published.measured


def draw_judged_triplets(table: NDArray[np.int64], rows: Rows, count: int, *, seed: int) -> list[Triplets]:
    """Triplets of every aspect among the rows, as places in ``rows``: the same ones for every network."""
    return [
        draw_triplets(table[rows, column], count, np.random.default_rng([seed, column, 2]))
        for column in range(table.shape[1])
    ]


def draw_questions(labels: Labels, rows: Rows) -> list[Triplets]:
    """Triplets of rows per aspect, for `exams.examine_triplets`."""
    return [
        rows[draw_triplets(labels.table[rows, column], ASKED_TRIPLETS, _randomness_of(aspect.name))]
        for column, aspect in enumerate(labels.aspects)
    ]


def _randomness_of(aspect: str) -> np.random.Generator:
    """By the aspect's name, so that a specialist is asked what everybody is."""
    return np.random.default_rng(zlib.crc32(aspect.encode()))


def _count_fitting(queue: Triplets, most: int) -> int:
    """How many triplets from the front have at most so many different rows."""
    _, first = np.unique(queue, return_index=True)
    needed = np.cumsum(np.bincount(first // 3, minlength=len(queue)))
    return int(np.searchsorted(needed, most, side="right"))
