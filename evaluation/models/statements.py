"""Statements over many rows at once, for what happens with every deal and every vote.

Through the ORM a busy moment would be dozens of queries, each built and compiled anew; that costs several
times what the database needs to answer them. Here the text of a statement is as good as fixed, and one
statement serves all rows. Everything else in the project uses the ORM.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Model

# Any number, the same in every process: who holds it has the turn to write.
_TURN = 0x646F7065
Row = tuple[Any, ...]


def take_turn() -> None:
    """Wait for the turn to write votes, deals and counts, and keep it until the transaction ends.

    Every such transaction changes the same few rows (the contenders' counts), so they wait for each other in
    any case. Taking turns from the start they cannot also block each other in a circle. SQLite has one writer
    at a time by itself.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])


def fetch(query: str, parameters: Sequence[Any]) -> list[Row]:
    """All rows of a query. Times come as the driver gives them: compare them in the query."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: list[Row] = cursor.fetchall()
        return rows


def run(statement: str, parameters: Sequence[Any]) -> None:
    """Run a statement that gives no rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def among(column: str, values: Collection[Any]) -> str:
    """A condition with as many places for parameters as there are values, at least one."""
    return f"{column} IN ({', '.join(['%s'] * len(values))})"


def moment(at: datetime) -> Any:
    """A time as a parameter."""
    return connection.ops.adapt_datetimefield_value(at)


def uuid_parameter(key: uuid.UUID) -> Any:
    """A UUID as a parameter: some databases have none of their own."""
    return key if connection.features.has_native_uuid_field else key.hex


def as_uuid(value: Any) -> uuid.UUID | None:
    """A UUID as a query gave it."""
    return value if value is None or isinstance(value, uuid.UUID) else uuid.UUID(hex=value)


def insert_rows(
    model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]], tail: str = ""
) -> list[Row]:
    """Insert rows; ``tail`` follows the values: ON CONFLICT, and RETURNING, whose rows are returned."""
    if not rows:
        return []
    places = f"({', '.join(['%s'] * len(columns))})"
    values = ", ".join([places] * len(rows))
    statement = f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES {values} {tail}"
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row])
        returned: list[Row] = cursor.fetchall() if "RETURNING" in tail else []
        return returned


def add_to_rows(model: type[Model], fields: Sequence[str], deltas: Mapping[Any, Sequence[int]]) -> None:
    """Add integers to columns of existing rows, by primary key: `F()` increments, many at once."""
    key = model._meta.pk
    assert key is not None
    rows = [[*deltas[pk], pk] for pk in sorted(deltas) if any(deltas[pk])]
    if not rows:
        return
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            changes = ", ".join(f"{name} = t.{name} + v.{name}" for name in fields)
            arrays = ", ".join([*["%s::bigint[]"] * len(fields), f"%s::{key.rel_db_type(connection)}[]"])
            names = ", ".join([*fields, "pk"])
            given = f"unnest({arrays}) v({names})"
            cursor.execute(
                f"UPDATE {table} t SET {changes} FROM {given} WHERE t.{key.column} = v.pk",
                [list(column) for column in zip(*rows, strict=True)],
            )
        else:
            changes = ", ".join(f"{name} = {name} + %s" for name in fields)
            cursor.executemany(f"UPDATE {table} SET {changes} WHERE {key.column} = %s", rows)
