"""Nearest neighbours where comparing with every item takes too long: a shortlist, then exact distances.

What a search reports is exact, and ordered as `metrics` orders it; what it may miss is an item that was not
shortlisted. There are two ways to a shortlist, and the space itself decides by measured recall which one
serves it: `signs`, the rows whose centred sign bits differ least, and `lists`, an inverted file of 8-bit
codes that looks at the lists whose centres are nearest (Jégou, Douze and Schmid, *Product quantization for
nearest neighbor search*, 2011, section IV; faiss).
"""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from search.engine.errors import VectorsRejected
from search.engine.metrics import Bits, Exclusions, Gallery, Metric, Neighbours, Vectors, nearest, sign_bits

Kind: TypeAlias = Literal["signs", "lists"]
Positions: TypeAlias = npt.NDArray[np.intp]

RECALL = 0.97  # of the ten nearest, on the sample; what is asked of an index is .95
RECALL_AT = 10
SAMPLE = 256
FLAT = 100_000  # rows up to which every one is compared
MOST_SPARE = (
    1024  # rows left out of an answer for which the shortlist is made longer; for more it is filtered
)
_TOGETHER = 64  # queries of one task
_COMPARED = 1 << 13  # rows copied at once


@dataclass(frozen=True)
class Reach:
    """How a space is searched, and what that found of the nearest ten of its own rows."""

    kind: Kind
    shortlisted: int  # items whose distance is computed
    probes: int  # lists looked at; 0 for `signs`
    recall: float


class Shortlist(Protocol):
    """Rows that are probably near a query."""

    def propose(
        self, queries: Vectors, count: int, probes: int, *, without: Positions | None = None
    ) -> Positions:
        """(q, d) to (q, count) rows, none of ``without``; -1 where there are fewer."""


class Signs:
    """Rows by how many sign bits they share with the query, around `centre` (d,)."""

    def __init__(self, bits: Bits, centre: Vectors) -> None:
        self._gallery, self._centre = Gallery("hamming", bits), centre

    def propose(
        self, queries: Vectors, count: int, probes: int, *, without: Positions | None = None
    ) -> Positions:
        exclude = None if without is None else [without] * len(queries)
        found = self._gallery.nearest(sign_bits(queries, self._centre), count, exclude=exclude, threads=1)
        return found.positions.astype(np.intp)


class ShortlistGallery:
    """Vectors (n, d) searched through a shortlist; `nearest` is that of `Gallery`. The rows may be mapped."""

    def __init__(self, metric: Metric, rows: Vectors, shortlist: Shortlist, reach: Reach) -> None:
        self.metric, self.reach = metric, reach
        self._rows, self._shortlist = rows, shortlist

    def __len__(self) -> int:
        return len(self._rows)

    def nearest(
        self,
        queries: npt.NDArray[Any],
        k: int,
        *,
        exclude: Exclusions | None = None,
        threads: int | None = None,
    ) -> Neighbours:
        """The k nearest of the shortlisted rows, by exact distance. Raises VectorsRejected."""
        if queries.ndim != 2 or queries.shape[1] != self._rows.shape[1]:
            raise VectorsRejected(
                f"The queries have shape {queries.shape}; (n, {self._rows.shape[1]}) is needed."
            )
        if not np.isfinite(queries).all():
            raise VectorsRejected("The queries hold a value that is not a number.")
        asked = np.asarray(queries, np.float32)
        found = Neighbours(
            np.full((len(asked), k), -1, np.int32), np.full((len(asked), k), np.inf, np.float32)
        )

        def answer(start: int) -> None:
            block = slice(start, start + _TOGETHER)
            left_out = None if exclude is None else exclude[block]
            self._answer(asked[block], left_out, found.positions[block], found.distances[block])

        workers = threads or len(os.sched_getaffinity(0))
        with ThreadPoolExecutor(workers, thread_name_prefix="shortlist") as pool:
            starts = range(0, len(asked), _TOGETHER)
            deque((pool.map if len(starts) > 1 else map)(answer, starts), 0)
        return found

    def _answer(
        self, queries: Vectors, exclude: Exclusions | None, positions: npt.NDArray[np.int32], out: Vectors
    ) -> None:
        left_out = [np.asarray(rows, np.intp) for rows in exclude] if exclude is not None else []
        spare = max((len(rows) for rows in left_out), default=0)
        if spare > MOST_SPARE:
            for number, rows in enumerate(left_out):
                one = slice(number, number + 1)
                self._answer_filtered(queries[one], rows, positions[number], out[number])
            return
        count = min(len(self), max(self.reach.shortlisted, out.shape[1]) + spare)
        for number, row in enumerate(self._shortlist.propose(queries, count, self.reach.probes)):
            chosen = np.setdiff1d(row, left_out[number]) if left_out else row
            self._compare(queries[number : number + 1], chosen, positions[number], out[number])

    def _answer_filtered(
        self, query: Vectors, left_out: Positions, positions: npt.NDArray[np.int32], out: Vectors
    ) -> None:
        """One query that may find few of the rows: all of them are compared, or the search goes further."""
        allowed = np.ones(len(self), bool)
        allowed[left_out] = False
        left = int(allowed.sum())
        if left <= FLAT:
            self._compare(query, np.flatnonzero(allowed), positions, out)
            return
        probes = -(-self.reach.probes * len(self) // left)
        count = max(self.reach.shortlisted, len(out))
        self._compare(
            query, self._shortlist.propose(query, count, probes, without=left_out)[0], positions, out
        )

    def _compare(
        self, query: Vectors, chosen: Positions, positions: npt.NDArray[np.int32], out: Vectors
    ) -> None:
        """The nearest of the chosen rows (-1 is none), a block at a time."""
        # Ascending, so that of equal distances the lower position comes first, as everywhere.
        chosen = np.unique(chosen[chosen >= 0])
        for start in range(0, len(chosen), _COMPARED):
            block = chosen[start : start + _COMPARED]
            near = nearest(self.metric, query, self._rows[block], len(out), threads=1)
            there = near.positions[0] >= 0
            rows = np.concatenate([positions, block[near.positions[0][there]]])
            apart = np.concatenate([out, near.distances[0][there]])
            # Stable: what was found before has the lower positions, and what is empty comes last.
            best = np.argsort(apart, kind="stable")[: len(out)]
            positions[:], out[:] = rows[best], apart[best]


def choose_reach(
    metric: Metric,
    rows: Vectors,
    *,
    signs: Shortlist,
    lists: Shortlist,
    count: int,
    seed: int,
    recall: float = RECALL,
) -> Reach | None:
    """How to search (n, d) rows, reading least, and find `recall` of the nearest ten; None if nothing does.

    `lists` has `count` of them. Measured on rows drawn from the space, each left out of its own answer.
    """
    sample = np.sort(np.random.default_rng(seed).permutation(len(rows))[:SAMPLE])
    queries, itself = np.ascontiguousarray(rows[sample]), list(sample[:, None])
    truth = nearest(metric, queries, rows, RECALL_AT, exclude=itself).positions
    for way in sorted(_ways(count), key=lambda way: _cost(way, rows.shape, count)):
        gallery = ShortlistGallery(metric, rows, signs if way.kind == "signs" else lists, way)
        found = gallery.nearest(queries, RECALL_AT, exclude=itself).positions
        hits = sum(len(np.intersect1d(one, other)) for one, other in zip(truth, found, strict=True))
        if hits >= recall * truth.size:
            return replace(way, recall=hits / truth.size)
    return None


def _ways(lists: int) -> Iterator[Reach]:
    for shortlisted in (64, 256, 1024):
        yield Reach("signs", shortlisted, 0, 0.0)
        for probes in (1 << step for step in range(2, lists.bit_length() - 1)):
            yield Reach("lists", shortlisted, probes, 0.0)


def _cost(way: Reach, shape: tuple[int, ...], lists: int) -> float:
    """Bytes that a query moves: the same on every machine, unlike the time it takes."""
    count, dimensions = shape
    exact = way.shortlisted * dimensions * 4
    if way.kind == "signs":
        # The bits of all rows; and how far each is, written once and read again.
        return exact + count * (dimensions / 8 + 2 * 4)
    return exact + lists * dimensions * 4 + way.probes / lists * count * dimensions
