"""Indexes that this process has open, each with what is usual among its distances.

What is open is known by the checksums of index and vectors, so whoever has looked up a row searches the very
bytes that it names, whatever is put in their place meanwhile.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from search.artifacts import OpenIndex, open_index
from search.engine.closeness import Closeness, measure_closeness
from search.models import Index

MOST_OPEN = 24


@dataclass(frozen=True)
class Searchable:
    """An index, open to be searched."""

    opened: OpenIndex
    closeness: Closeness


class OpenIndexes:
    """The ones that were searched last. One thread opens at a time; the others find it open."""

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[int, str, str], Searchable] = OrderedDict()

    def open(self, index: Index) -> Searchable:
        """Asks no database where the row came with its space. Raises ArtifactDamaged."""
        checksums = (index.pk, index.sha256, index.space.sha256)
        with self._lock:
            found = self._open.pop(checksums, None)
            if found is None:
                opened = open_index(index)
                found = Searchable(opened, measure_closeness(opened.index.neighbours))
            self._open[checksums] = found
            if len(self._open) > self._most:
                self._open.popitem(last=False)
            return found


open_indexes = OpenIndexes()
