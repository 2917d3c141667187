"""Indexes that this process has open, each with what is usual among its distances.

What is open is known by the checksums of index and vectors, so whoever has looked up a row searches the very
vectors that it names, whatever is put in their place meanwhile. An index's own file is checked against the
checksums in it, which name its vectors: over the same vectors it is the same, whenever it was built.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass

from search.artifacts import open_index
from search.engine.closeness import Closeness, measure_closeness
from search.engine.errors import ArtifactDamaged
from search.engine.indexes import SearchedIndex
from search.models import Index
from search.selectors.searchable import Positions
from search.services.vectors_server import is_used, open_remote

MOST_OPEN = 24


@dataclass(frozen=True)
class Searchable:
    """An index, open to be searched: in its file, or on the server of vectors. Its rows are ``items``."""

    index: SearchedIndex
    items: Positions
    closeness: Closeness


class OpenIndexes:
    """The ones that were searched last. One thread opens each; the others wait for that one alone."""

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[int, str, str], Future[Searchable]] = OrderedDict()

    def open(self, index: Index) -> Searchable:
        """Asks no database where the row came with its space.

        Raises ArtifactDamaged; where a server of vectors is asked, NotLoaded and VectorsAway.
        """
        checksums = (index.pk, index.sha256, index.space.sha256)
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

    def _fulfil(self, found: Future[Searchable], checksums: tuple[int, str, str], index: Index) -> None:
        try:
            found.set_result(_open(index))
        except BaseException as error:
            with self._lock:  # so that it is tried again
                if self._open.get(checksums) is found:
                    del self._open[checksums]
            found.set_exception(error)


def _open(index: Index) -> Searchable:
    if is_used():
        remote = open_remote(index)
        return Searchable(remote.index, remote.items, remote.closeness)
    opened = open_index(index)
    if len(opened.items) != len(opened.index):
        raise ArtifactDamaged(f"The items of {index.space} are not those of its vectors: build it again.")
    return Searchable(opened.index, opened.items, measure_closeness(opened.index.neighbours))


open_indexes = OpenIndexes()
