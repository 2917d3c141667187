"""What a query is searched for, known from labels alone: what tells it apart from other items.

The telling aspect of an item is that of which its value is the most unusual, compared with what is usual of
that aspect: its category among all items, any other value among the items of its category. A leopard sneaker
is looked for as leopard, a plain black one as a sneaker. What has the same value of that aspect is relevant,
whatever else it is. No encoder has a part in this, and a ranker is never told: it has to see it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MISSING = -1  # as in `search.engine.training.samples`
LEAST_RELEVANT = 3  # other items that have the value: with fewer, a query asks for what hardly is there

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Wanted:
    """Which of n items are looked for, and as what.

    ``queries`` (q,) rows of items; ``aspects`` (q,) columns of the telling aspect; ``table`` (n, K) labels;
    ``copies`` (n,) numbers what looks the same: a query's own picture is no answer to it.
    """

    queries: Rows
    aspects: NDArray[np.int64]
    table: NDArray[np.int64]
    copies: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.queries)

    def is_relevant(self, number: int) -> NDArray[np.bool_]:
        """Which items the query of this number is searched for, (n,); its own copies are not."""
        column = self.table[:, self.aspects[number]]
        same = column == column[self.queries[number]]
        return np.asarray(same & self.is_other(number))

    def is_other(self, number: int) -> NDArray[np.bool_]:
        """Which items show something else than the query itself, (n,)."""
        return np.asarray(self.copies != self.copies[self.queries[number]])

    def among(self, rows: Rows) -> Wanted:
        """The queries that are among these items."""
        own = np.isin(self.queries, rows)
        return Wanted(self.queries[own], self.aspects[own], self.table, self.copies)


def find_wanted(table: NDArray[np.int64], *, category: int | None, copies: NDArray[np.int64]) -> Wanted:
    """Every item that can be asked for by its telling aspect. ``category`` is its column, if there is any."""
    surprise = _surprise(table, category)
    aspects = np.where(np.isnan(surprise), -np.inf, surprise).argmax(axis=1)
    known = ~np.isnan(surprise).all(axis=1)
    everything = Wanted(np.flatnonzero(known), aspects[known], table, copies)
    asked = _count_relevant(everything) >= LEAST_RELEVANT
    return Wanted(everything.queries[asked], everything.aspects[asked], table, copies)


def _count_relevant(wanted: Wanted) -> NDArray[np.int64]:
    """How many items are relevant to each query, (q,): all that have the value, less the query's copies."""
    found = np.zeros(len(wanted), np.int64)
    for column in np.unique(wanted.aspects):
        own = wanted.aspects == column
        rows, labels = wanted.queries[own], wanted.table[:, column]
        _, value, having = np.unique(labels, return_inverse=True, return_counts=True)
        _, look, alike = np.unique(
            np.stack([labels, wanted.copies]), axis=1, return_inverse=True, return_counts=True
        )
        found[own] = having[value[rows]] - alike[look[rows]]
    return found


def _surprise(table: NDArray[np.int64], category: int | None) -> NDArray[np.float64]:
    """(n, K): by how much a value is rarer than its aspect's values usually are; nan where there is none.

    Rarity is minus the logarithm of the share of items with the same value, one added to the number of each,
    so that a value seen once in a small category is no wonder. What is usual is its mean over all items: an
    aspect of many values loses what it owes to their number.
    """
    n, k = table.shape
    groups = np.zeros(n, np.int64) if category is None else table[:, category] + 1
    found = np.full((n, k), np.nan)
    for column in range(k):
        labels = table[:, column]
        within = np.zeros(n, np.int64) if column == category else groups
        known = np.flatnonzero(labels != MISSING)
        values = int(labels.max(initial=0)) + 1
        counts = np.zeros((within.max(initial=0) + 1, values))
        np.add.at(counts, (within[known], labels[known]), 1)
        kinds = (counts > 0).sum(axis=1)
        shares = (counts + 1) / (counts.sum(axis=1) + kinds)[:, None].clip(min=1)
        rarity = -np.log(shares[within[known], labels[known]])
        found[known, column] = rarity - (rarity.mean() if len(known) else 0)
    return found
