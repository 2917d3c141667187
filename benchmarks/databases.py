"""Databases for one run of a benchmark: made, named in variables, and dropped."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg2

SERVER = "postgresql://postgres@127.0.0.1:5432/postgres"


class NoServer(Exception):
    """PostgreSQL does not answer; the text says how to name one that does."""


@contextmanager
def temporary_postgresql(name: str) -> Iterator[str]:
    """The address of an empty database on the server of the tests, dropped afterwards. Raises NoServer."""
    server = os.environ.get("DOPEORNOPE_TEST_DATABASE", SERVER)
    name = f"bench_{name}_{os.getpid()}"
    try:
        connection = psycopg2.connect(server, connect_timeout=5)
    except psycopg2.OperationalError as error:
        raise NoServer(
            f"PostgreSQL does not answer at {server}: start one, or name one in DOPEORNOPE_TEST_DATABASE"
        ) from error
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        connection.close()
