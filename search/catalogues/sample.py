"""Some rows of a large source, chosen by hash: the same ones each time, in their own order."""

import hashlib
import heapq
from collections.abc import Iterable, Iterator

from search.catalogues.rows import AspectSpec, CatalogueUnreadable, Importer, Rejection, Row


class SampledImporter:
    """At most `items` rows of another importer: those with the smallest hash of seed and key.

    A larger sample with the same seed holds the smaller one. Rejections are all given.
    """

    def __init__(self, importer: Importer, items: int, seed: int) -> None:
        if items < 1:
            raise CatalogueUnreadable(f"{items} items leave nothing to import. Ask for at least 1.")
        self._importer, self._seed = importer, seed
        keys = (row.key for row in importer.rows() if isinstance(row, Row))
        self._chosen = frozenset(heapq.nsmallest(items, keys, key=self._order))

    @property
    def generator(self) -> str:
        return self._importer.generator

    @property
    def total(self) -> int | None:
        return len(self._chosen)

    def aspects(self) -> list[AspectSpec]:
        return self._importer.aspects()

    def rows(self) -> Iterator[Row | Rejection]:
        for row in self._importer.rows():
            if isinstance(row, Rejection) or row.key in self._chosen:
                yield row

    def prepare(self, rows: Iterable[Row]) -> Iterator[Row]:
        return self._importer.prepare(rows)

    def fingerprint(self) -> str:
        chosen = "\n".join(sorted(self._chosen))
        return hashlib.sha256(f"{self._importer.fingerprint()}\n{chosen}".encode()).hexdigest()

    def close(self) -> None:
        self._importer.close()

    def _order(self, key: str) -> bytes:
        return hashlib.sha256(f"{self._seed}\0{key}".encode()).digest()
