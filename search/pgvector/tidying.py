"""Which builds are on the server, and taking off those that nobody wants any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

import psycopg2
from psycopg2 import extensions

from search.pgvector.builds import BUILDS, SCHEMA, name_bits_table, name_graph, name_vectors_table
from search.pgvector.sessions import connect, lock

KEPT_UNWANTED: Final = timedelta(minutes=10)  # while searches that began before may still ask for it


def keep_only(address: Mapping[str, str], wanted: Collection[str], *, now: datetime) -> tuple[set[str], int]:
    """Drop the builds that were found unwanted some time ago, and note those that now are.

    Returns the checksums of the indexes that are there, and how many were dropped. Raises VectorsAway.
    """
    with connect(address) as connection:
        with connection, connection.cursor() as cursor:
            if not _has_builds(cursor):
                return set(), 0
            cursor.execute(
                f"UPDATE {BUILDS} SET unwanted_since = CASE WHEN unwanted_since IS NULL THEN %s END "
                "WHERE (index_sha256 = ANY(%s)) = (unwanted_since IS NOT NULL)",
                (now, list(wanted)),
            )
            cursor.execute(f"SELECT index_sha256, vectors_sha256, unwanted_since FROM {BUILDS}")
            builds = cursor.fetchall()
        old = [
            (index, vectors)
            for index, vectors, since in builds
            if since is not None and now - since > KEPT_UNWANTED
        ]
        dropped = sum(_drop(connection, index, vectors) for index, vectors in old)
    return {index for index, _, _ in builds}, dropped


def _has_builds(cursor: extensions.cursor) -> bool:
    cursor.execute("SELECT to_regclass(%s)", (BUILDS,))
    return bool(cursor.fetchone() != (None,))


def _drop(connection: extensions.connection, index: str, vectors: str) -> bool:
    """Whoever searches is not made to wait behind this for long: it is tried again in the next round."""
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '1s'")
            lock(cursor, vectors)
            still = "index_sha256 = %s AND unwanted_since IS NOT NULL"
            cursor.execute(f"DELETE FROM {BUILDS} WHERE {still}", (index,))
            if not cursor.rowcount:
                return False
            cursor.execute(f"DROP TABLE IF EXISTS {name_bits_table(index)}")
            cursor.execute(f"DROP INDEX IF EXISTS {SCHEMA}.{name_graph(index)}")
            cursor.execute(f"SELECT count(*) FROM {BUILDS} WHERE vectors_sha256 = %s", (vectors,))
            if cursor.fetchone() == (0,):
                cursor.execute(f"DROP TABLE IF EXISTS {name_vectors_table(vectors)}")
    except psycopg2.errors.LockNotAvailable:
        return False
    return True
