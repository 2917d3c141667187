"""Statements over many rows at once, for what happens with every deal and every vote.

Through the ORM a busy moment would be dozens of queries, each built, sent and planned anew; that costs
several times what the database needs to do the work. Here one statement serves all rows, its text never
changes, so that PostgreSQL plans it once per connection, and several go in one message. Everything else uses
the ORM.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from django.db import connection
from django.db.models import Model

# The same in every process, and not the number of the sweeper on duty: who holds it has the turn to write.
_TURN = 0x7475726E
Row = tuple[Any, ...]
# See `plan_by_key`.
BY_KEY = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"

_by_key: "WeakSet[Any]" = WeakSet()
# By driver connection: which texts it has planned, under which names.
_prepared: "WeakKeyDictionary[Any, dict[str, str]]" = WeakKeyDictionary()


@dataclass(frozen=True)
class Statement:
    """A text with places for parameters; a list takes the place in `= ANY(%s)`.

    ``for_each``: the parameters are many rows, and the statement is run with each.
    """

    text: str
    parameters: Sequence[Any]
    for_each: bool = False


def execute(*statements: Statement | None) -> list[Row]:
    """Run statements one after the other, leaving out None; the rows of the last one, if it gives any.

    Times come as the driver gives them: compare them in the query.
    """
    wanted = [statement for statement in statements if statement is not None]
    if not wanted:
        return []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            calls = [_call_prepared(cursor, statement) for statement in wanted]
            cursor.execute("; ".join(calls), [_as_array(value) for one in wanted for value in one.parameters])
        else:
            for statement in wanted:
                if statement.for_each:
                    cursor.executemany(statement.text, statement.parameters)
                else:
                    cursor.execute(_without_any(statement.text), _without_lists(statement.parameters))
        rows: list[Row] = cursor.fetchall() if cursor.description else []
        return rows


def plan_by_key() -> None:
    """Has this connection look rows up by their keys; call it between transactions.

    A plan is kept, and one made while a table was empty would read all of it until its statistics are
    renewed. Every statement here looks a few rows up, however many there are. Within a transaction the
    settings would be lost with it.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return
    connection.ensure_connection()
    if connection.connection not in _by_key:
        with connection.cursor() as cursor:
            cursor.execute(BY_KEY)
        _by_key.add(connection.connection)


def fetch(query: str, *parameters: Any) -> list[Row]:
    """All rows of one query."""
    return execute(Statement(query, parameters))


def take_turn() -> Statement | None:
    """Waits for the turn to change counts, and keeps it until the transaction ends.

    Every such transaction changes the same few rows (the contenders' counts), so they wait for each other in
    any case. Taken first, before any row is changed, it keeps them from blocking each other in a circle.
    SQLite has one writer at a time by itself.
    """
    if connection.vendor != "postgresql":
        return None
    return Statement("SELECT pg_advisory_xact_lock(%s::bigint)", [_TURN])


def insert(
    model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]], tail: str = ""
) -> Statement | None:
    """Inserts rows; ``tail`` follows the values: ON CONFLICT, RETURNING. None where there are no rows."""
    if not rows:
        return None
    into = f"INSERT INTO {model._meta.db_table} ({', '.join(columns)})"
    if connection.vendor == "postgresql":
        types = [_array_type(model, column) for column in columns]
        arrays = ", ".join(f"%s::{type_}" for type_ in types)
        return Statement(f"{into} SELECT * FROM unnest({arrays}) {tail}", _columns(rows))
    values = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(rows))
    return Statement(f"{into} VALUES {values} {tail}", [value for row in rows for value in row])


def increase(
    model: type[Model], keys: Sequence[str], fields: Sequence[str], deltas: Mapping[Any, Sequence[int]]
) -> Statement | None:
    """Adds integers to columns of existing rows: `F()` increments, many at once.

    ``deltas`` by the values of the key columns: a tuple of them where there are several.
    """
    rows = [
        [*delta, *(key if isinstance(key, tuple) else (key,))] for key, delta in deltas.items() if any(delta)
    ]
    if not rows:
        return None
    table = model._meta.db_table
    if connection.vendor == "postgresql":
        changes = ", ".join(f"{name} = t.{name} + v.{name}" for name in fields)
        same = " AND ".join(_is_same(model, key) for key in keys)
        types = [*["bigint[]"] * len(fields), *(_array_type(model, key) for key in keys)]
        given = f"unnest({', '.join(f'%s::{type_}' for type_ in types)}) v({', '.join([*fields, *keys])})"
        return Statement(f"UPDATE {table} t SET {changes} FROM {given} WHERE {same}", _columns(rows))
    changes = ", ".join(f"{name} = {name} + %s" for name in fields)
    same = " AND ".join(f"{key} IS %s" for key in keys)
    return Statement(f"UPDATE {table} SET {changes} WHERE {same}", rows, for_each=True)


def moment(at: datetime) -> Any:
    """A time as a parameter."""
    return connection.ops.adapt_datetimefield_value(at)


def uuid_parameter(key: uuid.UUID) -> Any:
    """A UUID as a parameter: some databases have none of their own."""
    return key if connection.features.has_native_uuid_field else key.hex


def as_uuid(value: Any) -> uuid.UUID | None:
    """A UUID as a query gave it."""
    return value if value is None or isinstance(value, uuid.UUID) else uuid.UUID(hex=value)


def _columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


@lru_cache
def _array_type(model: type[Model], column: str) -> str:
    for field in model._meta.concrete_fields:
        if field.column == column:
            return f"{field.rel_db_type(connection)}[]"
    raise KeyError(f"{model.__name__} has no column {column}")


@lru_cache
def _is_same(model: type[Model], key: str) -> str:
    nullable = any(field.null for field in model._meta.concrete_fields if field.column == key)
    return f"t.{key} IS NOT DISTINCT FROM v.{key}" if nullable else f"t.{key} = v.{key}"


def _call_prepared(cursor: Any, statement: Statement) -> str:
    """What runs the statement on this connection, planned where it is new to it."""
    names = _prepared.setdefault(connection.connection, {})
    name = names.get(statement.text)
    if name is None:
        name = f"hot_{len(names)}"
        numbers = count(1)
        places = [f"${next(numbers)}" for _ in statement.parameters]
        # Without parameters, so that the driver leaves the text as it is.
        cursor.execute(f"PREPARE {name} AS {statement.text}" % tuple(places))
        names[statement.text] = name
    return f"EXECUTE {name}({', '.join(['%s'] * len(statement.parameters))})"


def _as_array(value: Any) -> Any:
    """A list as PostgreSQL writes arrays: its elements one by one cost far more to adapt and to parse."""
    if not isinstance(value, list):
        return value
    return "{" + ",".join(_as_element(one) for one in value) + "}"


def _as_element(value: Any) -> str:
    if value is None:
        return "NULL"
    text = str(value)
    if text.isalnum() and text.upper() != "NULL":
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@lru_cache
def _without_any(text: str) -> str:
    return text.replace("= ANY(%s)", "IN (SELECT value FROM json_each(%s))")


def _without_lists(parameters: Sequence[Any]) -> list[Any]:
    return [json.dumps(value) if isinstance(value, list) else value for value in parameters]
