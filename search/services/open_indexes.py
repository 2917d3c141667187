"""Indexes that this process has open, each with what is usual among its distances.

What is open is known by the checksums of index, vectors and what was added since, so whoever has looked up a
row searches the very vectors that it names, whatever is put in their place meanwhile.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np

from search.artifacts import open_index
from search.engine.closeness import Closeness, measure_closeness
from search.engine.errors import ArtifactDamaged
from search.engine.indexes import SearchedIndex
from search.engine.metrics import Metric as MetricName
from search.engine.metrics import Vectors
from search.engine.segments import Composition
from search.models import Index
from search.selectors.searchable import Positions
from search.services.compositions import open_segments
from search.services.vectors_server import is_used, open_remote

MOST_OPEN = 24
Checksums: TypeAlias = tuple[int | str, ...]


@dataclass(frozen=True)
class Searchable:
    """An index, open to be searched: in its file or on the server of vectors, with what was added since.

    Its rows are ``items``, ascending.
    """

    index: SearchedIndex
    items: Positions
    closeness: Closeness


class OpenIndexes:
    """The ones that were searched last. One thread opens each; the others wait for that one alone."""

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._open: OrderedDict[Checksums, Future[Searchable]] = OrderedDict()

    def open(self, index: Index) -> Searchable:
        """Asks no database where the row came with its space.

        Raises ArtifactDamaged; where a server of vectors is asked, NotLoaded and VectorsAway.
        """
        added = tuple(segment["sha256"] for segment in index.space.segments)
        checksums = (index.pk, index.sha256, index.space.sha256, *added)
        with self._lock:
            found = self._open.pop(checksums, None)
            is_mine = found is None
            found = found or Future()
            self._open[checksums] = found
            if len(self._open) > self._most:
                self._open.popitem(last=False)
        if is_mine:
            self._fulfil(found, checksums, index)
        return found.result()

    def _fulfil(self, found: Future[Searchable], checksums: Checksums, index: Index) -> None:
        try:
            found.set_result(_open(index))
        except BaseException as error:
            with self._lock:  # so that it is tried again
                if self._open.get(checksums) is found:
                    del self._open[checksums]
            found.set_exception(error)


def _open(index: Index) -> Searchable:
    built, centre = _open_built(index)
    added = open_segments(index.space)
    if not added:
        return built
    # One segment alone stays mapped, as it is on the disk.
    vectors = added[0].vectors if len(added) == 1 else np.concatenate([one.vectors for one in added])
    composed = Composition(built.index, vectors, cast(MetricName, index.metric), centre)
    items = np.concatenate([built.items, *(one.items for one in added)])
    return Searchable(composed, items, built.closeness)


def _open_built(index: Index) -> tuple[Searchable, Vectors]:
    """An index as it was built, and the centre around which it takes signs."""
    if is_used():
        remote = open_remote(index)
        return Searchable(remote.index, remote.items, remote.closeness), remote.index.build.centre
    opened = open_index(index)
    if len(opened.items) != len(opened.index):
        raise ArtifactDamaged(f"The items of {index.space} are not those of its vectors: build it again.")
    usual = measure_closeness(opened.index.neighbours)
    return Searchable(opened.index, opened.items, usual), opened.index.centre


open_indexes = OpenIndexes()
