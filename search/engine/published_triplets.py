"""Published triplets as rows of a catalogue, each on the side where the catalogue's own split has it.

The authors' split says what a triplet is for; the catalogue's says what may never be learned from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from search.engine.triplet_files import ConditionTriplets
from search.engine.triplets import Triplets

NO_ITEM = -1  # the row of a picture that is no item
TRAIN, VALIDATION, TEST = "train", "val", "test"


@dataclass(frozen=True)
class Count:
    """How many triplets of a split were used, and how many were left out for what reason.

    ``no_item``: a picture is no item, or the same one as another. ``other_side``: an item may not be used for
    this, since it is evaluation-only (to learn from, to judge by) or was looked at in training (to measure).
    """

    used: int = 0
    no_item: int = 0
    other_side: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.used + other.used, self.no_item + other.no_item, self.other_side + other.other_side)


@dataclass(frozen=True)
class PublishedTriplets:
    """Triplets of rows, in the order of ``conditions``: to learn from, to judge by meanwhile and in the end.

    ``counts`` are those of each split ("train", "val", "test"), in the same order.
    """

    conditions: tuple[str, ...]
    learned: list[Triplets]
    validation: list[Triplets]
    measured: list[Triplets]
    counts: dict[str, list[Count]]

    def of(self, conditions: Sequence[str]) -> PublishedTriplets:
        """Those of some conditions; what is measured stays what no condition learned from."""
        places = [self.conditions.index(condition) for condition in conditions]
        return PublishedTriplets(
            conditions=tuple(conditions),
            learned=[self.learned[place] for place in places],
            validation=[self.validation[place] for place in places],
            measured=[self.measured[place] for place in places],
            counts={split: [counts[place] for place in places] for split, counts in self.counts.items()},
        )

    def describe(self) -> dict[str, dict[str, int]]:
        """The counts of each split, over all conditions, as JSON."""
        return {split: asdict(sum(counts, Count())) for split, counts in self.counts.items()}


def sort_out(
    parts: Iterable[ConditionTriplets],
    rows: NDArray[np.int64],
    *,
    trainable: NDArray[np.bool_],
    copies: NDArray[np.int64],
) -> PublishedTriplets:
    """The triplets that a catalogue of n items can use. ``parts`` have three splits of each condition.

    ``rows`` (names,) is each picture's row or NO_ITEM; ``trainable`` (n,) says which rows may be learned
    from; ``copies`` (n,) numbers rows so that near duplicates have one number. No triplet to measure by
    has a row, or a copy of one, that others are learned from or judged by.
    """
    found: dict[str, dict[str, Triplets]] = {TRAIN: {}, VALIDATION: {}, TEST: {}}
    totals: dict[str, list[int]] = {split: [] for split in found}
    for part in parts:
        found[part.split][part.condition] = _keep_known(rows[part.triplets])
        totals[part.split].append(len(part.triplets))
    learned = _keep_within(found[TRAIN].values(), trainable)
    validation = _keep_within(found[VALIDATION].values(), trainable)
    unseen = ~np.isin(copies, copies[rows_of(learned + validation)])
    measured = _keep_within(found[TEST].values(), unseen)
    counts = {
        split: [
            Count(used=len(kept), no_item=total - len(known), other_side=len(known) - len(kept))
            for kept, known, total in zip(used, found[split].values(), totals[split], strict=True)
        ]
        for split, used in ((TRAIN, learned), (VALIDATION, validation), (TEST, measured))
    }
    return PublishedTriplets(tuple(found[TRAIN]), learned, validation, measured, counts)


def rows_of(parts: Sequence[Triplets]) -> NDArray[np.int64]:
    """Every row that these triplets have, once and in order."""
    return np.unique(np.concatenate([np.empty(0, np.int64), *(part.reshape(-1) for part in parts)]))


def _keep_known(triplets: Triplets) -> Triplets:
    """Those whose three pictures are items, and three of them: two spellings may mean one."""
    anchor, positive, negative = triplets.T
    distinct = (anchor != positive) & (anchor != negative) & (positive != negative)
    known: Triplets = triplets[(triplets != NO_ITEM).all(axis=1) & distinct]
    return known


def _keep_within(parts: Iterable[Triplets], allowed: NDArray[np.bool_]) -> list[Triplets]:
    return [part[allowed[part].all(axis=1)] for part in parts]
