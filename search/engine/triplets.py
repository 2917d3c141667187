"""Triplets: an anchor, a positive that is like it and a negative that is not, drawn from coarse attributes.

eBay, "Interactive Visual Search": that two items share an attribute is known of nearly all of them, while
"more open than" has to be asked for.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Triplets = NDArray[np.int64]  # (k, 3): anchor, positive, negative

UNKNOWN = -1


def draw_triplets(labels: NDArray[np.int64], count: int, generator: Generator) -> Triplets:
    """``count`` triplets of places in ``labels`` (n,); the anchor shares its value with the positive only.

    Places labelled UNKNOWN are never drawn. Empty where no value has two items, or only one value occurs.
    """
    places = np.flatnonzero(labels != UNKNOWN)
    order = places[np.argsort(labels[places], kind="stable")]
    values, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    able = np.flatnonzero(sizes >= 2)
    if len(values) < 2 or not len(able):
        return np.empty((0, 3), np.int64)
    # As often as it has items: an anchor is any item that has a positive.
    drawn = generator.choice(able, count, p=sizes[able] / sizes[able].sum())
    first, size = starts[drawn], sizes[drawn]
    anchor = generator.integers(0, size)
    positive = (anchor + generator.integers(1, size)) % size
    # The items of other values stand before and after those of this one.
    other = generator.integers(0, len(order) - size)
    negative = np.where(other < first, other, other + size)
    return np.stack([order[first + anchor], order[first + positive], order[negative]], axis=1)


def draw_overlap_triplets(table: NDArray[np.int64], count: int, generator: Generator) -> Triplets:
    """At most ``count`` triplets whose anchor shares more attributes with the positive than the negative.

    ``table`` is (n, aspects). What two items share is the share of the aspects known of both in which they
    agree; where none is, nothing is known of what they share. The comparison of any two is kept or turned
    round; ties and what is not known are left out.
    """
    if len(table) < 3:
        return np.empty((0, 3), np.int64)
    anchor = generator.integers(0, len(table), count)
    one = (anchor + generator.integers(1, len(table), count)) % len(table)
    other = (anchor + generator.integers(1, len(table), count)) % len(table)
    near, far = _overlap(table, anchor, one), _overlap(table, anchor, other)
    triplets = np.where(
        (near > far)[:, None],
        np.stack([anchor, one, other], axis=1),
        np.stack([anchor, other, one], axis=1),
    )
    unequal: Triplets = triplets[(near > far) | (near < far)]
    return unequal


def _overlap(
    table: NDArray[np.int64], ones: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The share of the aspects known of both in which they agree; NaN, which nothing equals, without any."""
    known = (table[ones] != UNKNOWN) & (table[others] != UNKNOWN)
    equal = (known & (table[ones] == table[others])).sum(axis=1)
    count = known.sum(axis=1)
    shared: NDArray[np.float64] = np.where(count > 0, equal / np.maximum(1, count), np.nan)
    return shared
