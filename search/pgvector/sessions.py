"""Connections for long work on the server of vectors, and what has to be there before any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Final

import psycopg2
from psycopg2 import extensions

from search.pgvector.builds import BUILDS, SCHEMA
from search.pgvector.connections import RESTS_S
from search.pgvector.errors import ServerUnfit, VectorsAway

OLDEST: Final = (0, 8)  # version of pgvector: walks that go on where a filter leaves too few
# A server that vanished without a word is noticed within half a minute.
_PATIENCE: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


@contextmanager
def connect(address: Mapping[str, str]) -> Iterator[extensions.connection]:
    """A connection for long work. Raises VectorsAway, also when it breaks off, and ServerUnfit."""
    try:
        with closing(
            psycopg2.connect(**address, application_name="dopeornope loading", **_PATIENCE)
        ) as opened:
            yield opened
    except (psycopg2.errors.DiskFull, psycopg2.errors.OutOfMemory) as error:
        raise ServerUnfit(
            "The server of vectors has no room for these: give it a larger disk or more memory."
        ) from error
    except psycopg2.errors.InsufficientPrivilege as error:
        raise ServerUnfit(
            "The user of DOPEORNOPE_VECTORS may not make a schema there: have an administrator run "
            "GRANT CREATE ON DATABASE … TO that user."
        ) from error
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise VectorsAway(RESTS_S) from error


def prepare(cursor: extensions.cursor) -> None:
    """The extension, the schema and the table of builds. Raises ServerUnfit."""
    lock(cursor, SCHEMA)
    cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
    if (found := cursor.fetchone()) is None:
        try:
            cursor.execute("CREATE EXTENSION vector")
        except psycopg2.Error as error:
            raise ServerUnfit(
                "The server of vectors has no pgvector, or this user may not switch it on: install it there, "
                "and have an administrator run CREATE EXTENSION vector in its database."
            ) from error
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        found = cursor.fetchone()
    assert found is not None
    if tuple(map(int, found[0].split(".")[:2])) < OLDEST:
        raise ServerUnfit(
            f"The server of vectors has pgvector {found[0]}; {OLDEST[0]}.{OLDEST[1]} is needed: install it "
            "there, and have an administrator run ALTER EXTENSION vector UPDATE."
        )
    cursor.execute(
        f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}; CREATE TABLE IF NOT EXISTS {BUILDS} ("
        "index_sha256 text PRIMARY KEY, vectors_sha256 text NOT NULL, metric text NOT NULL, "
        "rows integer NOT NULL, dimensions integer NOT NULL, centre bytea NOT NULL, way text NOT NULL, "
        "reach integer NOT NULL, recall real NOT NULL, loaded_at timestamptz NOT NULL, "
        "unwanted_since timestamptz)"
    )


def lock(cursor: extensions.cursor, name: str) -> None:
    """Nobody else works on what has this name, until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{SCHEMA} {name}",))
