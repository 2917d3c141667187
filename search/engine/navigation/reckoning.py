"""What a slate needs to know of every item, worked out so that each processor comes to the same bits.

A sum, a difference, a product and a quotient of two float32 numbers are rounded alike everywhere (IEEE 754),
as long as they are made in the same order and none is fused with the next; logarithms and powers of the
libraries are not. In large spaces everything that is worked out for all items is made of those four alone, so
that a GPU and the processor of a web process choose the same slate. In small ones a matrix product is taken:
there a GPU has nothing to win.

What `belief` makes of the answers, its logarithms and powers, is numpy's wherever the answers are from: two
processes come to the same bits where numpy takes the same path, as on processors of one family.

A squared distance is LANES sums of squared differences, each over the dimensions p with the same p % LANES in
their order, that are then folded: the second half of the sums onto the first until one is left.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Items = NDArray[np.int64]
Vectors = NDArray[np.float32]
# (o, n) float32: squared distances of o items to all, an array or what `fetch` makes one of.
Table: TypeAlias = Any
Tables: TypeAlias = Sequence[tuple[Table, float]]  # of the spaces of one way to see, with their weights

LARGE = 50_000  # items from which on a space is large
FLOOR = 1e-6  # squared, the mean being one: what lies nearer is not told apart
_AT_ONCE = 1 << 14  # items whose answers are worked out together: what is written stays in the cache
_SHARED = 1 << 24  # numbers from which on waiting for other threads is worth it


class Laid(Protocol):
    """A large space, laid out where its distances are worked out."""

    def squared(self, ones: Items) -> Table:
        """Squared distances of a few items to all, (len(ones), n)."""
        ...

    def prepare(self, ones: Items) -> None:
        """These will be asked for: by several games, whose distances are worked out in one go."""
        ...


class Reckoner(Protocol):
    """Where distances and answers are worked out; wherever that is, the bits are the same."""

    def lay(self, rows: Rows) -> Laid: ...

    def answer(self, tables: Tables, pick: int, power: int, lapse: float) -> Vectors:
        """How likely each target makes the option at ``pick`` the one that is picked, (n,).

        P = (1 - lapse) / sum over options b of (s_pick / s_b)^power + lapse / options, of squared distances
        s, which is `ChoiceModel.chances` with an exponent of 2 * power.
        """
        ...


class Rows:
    """(n, d) vectors kept in blocks, in which the numbers of one dimension lie side by side."""

    def __init__(self, vectors: Vectors) -> None:
        # Loading the compiled loop takes half a second; who has no large space does not need it.
        from search.engine.navigation import ordered_sums

        self._sums, self._size = ordered_sums, len(vectors)
        width, count = ordered_sums.BLOCK, -(-len(vectors) // ordered_sums.BLOCK)
        self.blocks = np.zeros((count, vectors.shape[1], width), np.float32)
        whole = len(vectors) // width
        self.blocks[:whole] = (
            vectors[: whole * width].reshape(whole, width, vectors.shape[1]).transpose(0, 2, 1)
        )
        if whole < count:
            self.blocks[whole, :, : len(vectors) - whole * width] = vectors[whole * width :].T

    def __len__(self) -> int:
        return self._size

    def take(self, items: Items) -> Vectors:
        """The vectors of some items, (len(items), d)."""
        return np.ascontiguousarray(self.blocks[items // self._sums.BLOCK, :, items % self._sums.BLOCK])

    def squared(self, ones: Items) -> Vectors:
        """See `Laid`."""
        return self.measure(self.take(ones))

    def prepare(self, ones: Items) -> None:
        """See `Laid`. What is made here would have to be kept here: it is made when it is needed."""

    def measure(self, vectors: Vectors) -> Vectors:
        """Squared distances of (q, d) vectors to all, (q, n)."""
        found = np.empty((len(vectors), *self.blocks.shape[::2]), np.float32)
        threads = len(os.sched_getaffinity(0)) if self.blocks.size * len(vectors) >= _SHARED else 1
        step = max(1, -(-len(self.blocks) // threads))
        with ThreadPoolExecutor(threads, thread_name_prefix="reckoning") as pool:
            parts = [slice(begin, begin + step) for begin in range(0, len(self.blocks), step)]
            done = [
                pool.submit(self._sums.add_in_order, self.blocks[part], vectors, found[:, part])
                for part in parts
            ]
            for one in done:
                one.result()
        return found.reshape(len(vectors), self.blocks.shape[0] * self.blocks.shape[2])[:, : self._size]


class InOrder:
    """On this machine's processors."""

    def lay(self, rows: Rows) -> Laid:
        """See `Reckoner`."""
        return rows

    def answer(self, tables: Tables, pick: int, power: int, lapse: float) -> Vectors:
        """See `Reckoner`."""
        size = tables[0][0].shape[1]
        found = np.empty(size, np.float32)
        with np.errstate(over="ignore"):  # of what is many times as near as the pick: the lapse is left
            for begin in range(0, size, _AT_ONCE):
                part = slice(begin, begin + _AT_ONCE)
                seen = look([(table[:, part], weight) for table, weight in tables])
                share, rest = split_chances(lapse, len(seen))
                found[part] = foresee(seen, pick, power, np.float32(share), np.float32(rest))
        return found


class WhereItIsFastest:
    """On a GPU if there is one, or else as `InOrder`; looked for once the first large space is there.

    A GPU that is full or broken then is not asked again by this process. ``device``: auto, cpu or cuda.
    """

    def __init__(self, device: str) -> None:
        self._device = device

    @cached_property
    def _chosen(self) -> Reckoner:
        if self._device == "cpu":
            return IN_ORDER
        # Loading torch takes seconds; where all spaces are small nobody needs it.
        from search.engine.navigation.residents import find_gpu

        return find_gpu(self._device) or IN_ORDER

    def lay(self, rows: Rows) -> Laid:
        """See `Reckoner`."""
        return self._chosen.lay(rows)

    def answer(self, tables: Tables, pick: int, power: int, lapse: float) -> Vectors:
        """See `Reckoner`."""
        return self._chosen.answer(tables, pick, power, lapse)


IN_ORDER = InOrder()


def fetch(table: Table) -> Vectors:
    """A table as an array, wherever it is."""
    return table if isinstance(table, np.ndarray) else np.asarray(table.numpy(force=True))


def split_chances(lapse: float, options: int) -> tuple[float, float]:
    """What is shared out by distance, and what each option has of the lapses, as float32 numbers."""
    return float(np.float32(1 - lapse)), float(np.float32(lapse / options))


def look(tables: Tables) -> list[Any]:
    """The squared distances to each option as one way to see has them, none below FLOOR."""
    floor, seen = float(np.float32(FLOOR)), []
    for option in range(len(tables[0][0])):
        table, weight = tables[0]
        squared = table[option] * float(np.float32(weight))
        for table, weight in tables[1:]:
            squared = squared + table[option] * float(np.float32(weight))
        seen.append(squared.clip(min=floor))
    return seen


def foresee(seen: Sequence[Any], pick: int, power: int, share: Any, rest: Any) -> Any:
    """See `Reckoner.answer`: the same steps for arrays and for tensors.

    ``share`` and ``rest`` are of the same kind as what is in ``seen``, as torch turns a division that a plain
    number takes part in into a multiplication.
    """
    total = raise_to(seen[pick] / seen[0], power)
    for squared in seen[1:]:
        total = total + raise_to(seen[pick] / squared, power)
    return share / total + rest


def raise_to(base: Any, power: int) -> Any:
    """base^power by squaring, for a power of one or more."""
    found = None
    while power:
        if power & 1:
            found = base if found is None else found * base
        power >>= 1
        if power:
            base = base * base
    return found
