"""What is on the server: one row for each build, two kinds of tables, and how a build is searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias

import numpy as np

from search.engine.metrics import Metric, Vectors

Way: TypeAlias = Literal["every", "graph", "signs"]

SCHEMA: Final = "dopeornope_vectors"
BUILDS: Final = f"{SCHEMA}.builds"
MOST_DIMENSIONS: Final = 16_000  # of pgvector's vectors
MOST_IN_GRAPH: Final = 2_000  # of those it makes a graph over; bits may have 64,000
COLUMNS: Final = "index_sha256, vectors_sha256, metric, rows, dimensions, centre, way, reach, recall"


class Ask(Protocol):
    """Asks the server; see `Server.ask`."""

    def __call__(self, statements: str, parameters: Sequence[Any] = (), /) -> list[tuple[Any, ...]]: ...


@dataclass(frozen=True)
class Reach:
    """How a build is searched, and what that found of the nearest ten of its own rows.

    ``every``: all rows are compared. ``graph``: HNSW over the vectors, or for Hamming their bits. ``signs``:
    HNSW over sign bits, then exact distances; for vectors of more than `MOST_IN_GRAPH` dimensions. ``width``
    is how many the walk keeps in sight (`hnsw.ef_search`); 0 for ``every``.
    """

    way: Way
    width: int
    recall: float


@dataclass(frozen=True)
class Build:
    """An index on the server. ``centre`` (d,): around which its bits were taken."""

    index_sha256: str
    vectors_sha256: str
    metric: Metric
    rows: int
    dimensions: int
    centre: Vectors
    reach: Reach

    @property
    def vectors_table(self) -> str:
        """Of (row, vector), shared by the builds of a space."""
        return name_vectors_table(self.vectors_sha256)

    @property
    def bits_table(self) -> str:
        """Of (row, bits); where the metric is Hamming or the way is ``signs``."""
        return name_bits_table(self.index_sha256)

    @property
    def graph(self) -> str:
        """The name of its HNSW index, in `SCHEMA`; where its way is not ``every``."""
        return name_graph(self.index_sha256)


def name_vectors_table(vectors_sha256: str) -> str:
    return f"{SCHEMA}.vectors_{vectors_sha256[:32]}"


def name_bits_table(index_sha256: str) -> str:
    return f"{SCHEMA}.bits_{index_sha256[:32]}"


def name_graph(index_sha256: str) -> str:
    return f"graph_{index_sha256[:32]}"


def find_build(ask: Ask, index_sha256: str) -> Build | None:
    """The build of an index; None where there is none. Raises psycopg2's UndefinedTable on a new server."""
    found = ask(f"SELECT {COLUMNS} FROM {BUILDS} WHERE index_sha256 = %s", (index_sha256,))
    if not found:
        return None
    index, vectors, metric, rows, dimensions, centre, way, width, recall = found[0]
    around = np.frombuffer(centre, "<f4").astype(np.float32)
    return Build(index, vectors, metric, rows, dimensions, around, Reach(way, width, recall))
