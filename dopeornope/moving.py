"""Everything that a SQLite file holds, moved into PostgreSQL in one transaction: all of it, or nothing."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import Field, Model

from evaluation.services.recount import find_differences

ROWS_AT_ONCE = 5000
# What `migrate` itself writes: not a sign that somebody has used the database.
OF_MIGRATE = ("django_migrations", "django_content_type", "auth_permission")
# As PostgreSQL's COPY reads it.
NULL = "\\N"
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class CannotMove(Exception):
    """Nothing was moved; the text says why and what to do."""


def move_everything(file: Path, *, report: Callable[[str, int], None]) -> dict[str, int]:
    """Move every row into the empty database of the settings; returns the rows of each table.

    ``report`` is told of each table when it is copied. Whatever goes wrong, and whatever is killed, the
    tables stay empty. Raises ``CannotMove``.
    """
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as source:
        _check_migrated(source, file)
        check_empty()
        call_command("migrate", verbosity=0, interactive=False)
        source.execute("BEGIN")  # All that is read belongs to one moment.
        with transaction.atomic():
            models = list_models()
            _take_tables(models)
            for model in models:
                report(model._meta.db_table, _copy(source, model))
            _set_sequences(models)
            counts = _compare(source, models)
            if differences := find_differences():
                raise CannotMove(
                    f"{len(differences)} counts of the leaderboard differ from the votes, the first: "
                    f"{differences[0]}. Where the old database says the same, mend it there first: "
                    "DOPEORNOPE_DATABASE=sqlite manage.py recount_leaderboard --repair"
                )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return counts


def check_file(file: Path) -> None:
    """Raises ``CannotMove`` where there is no file. Asked first: to lock its folder would make one."""
    if not file.is_file():
        raise CannotMove(f"There is no file {file}: name the SQLite database with --from FILE.")


def list_models() -> list[type[Model]]:
    """Every model with a table, those that others point at first."""
    models = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]
    graph = {
        model: {
            field.related_model
            for field in model._meta.local_concrete_fields
            if field.is_relation and field.related_model is not model
        }
        for model in models
    }
    return [model for model in TopologicalSorter(graph).static_order() if model in graph]


def check_empty() -> None:
    """Raises ``CannotMove`` naming the tables of the target that hold rows."""
    with connection.cursor() as cursor:
        tables = sorted(set(connection.introspection.table_names(cursor)) - set(OF_MIGRATE))
        counts = {table: _count(cursor, table) for table in tables}
    if found := [f"{table} ({count} rows)" for table, count in counts.items() if count]:
        name = connection.settings_dict["NAME"]
        raise CannotMove(
            f"The database “{name}” is not empty: {', '.join(found)}. Name an empty one in "
            f"DOPEORNOPE_DATABASE, or drop this one and make it anew: dropdb {name}; createdb {name}"
        )


def _check_migrated(source: sqlite3.Connection, file: Path) -> None:
    try:
        applied = set(source.execute("SELECT app, name FROM django_migrations"))
    except sqlite3.DatabaseError as error:
        raise CannotMove(f"{file} is no database of this game ({error}).") from error
    ours = set(MigrationLoader(None).disk_migrations)
    if missing := sorted(ours - applied):
        first = ".".join(missing[0])
        raise CannotMove(
            f"{file} is not fully migrated: {len(missing)} migrations are missing, the first is {first}. "
            "Run this once: DOPEORNOPE_DATABASE=sqlite manage.py migrate"
        )
    if newer := sorted(applied - ours):
        raise CannotMove(
            f"{file} was written by a newer version ({'.'.join(newer[0])}): move it with that version."
        )


def _take_tables(models: Sequence[type[Model]]) -> None:
    """Empty them of what `migrate` wrote, and let nobody else in until the end."""
    names = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in models)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {names}")
        # Checked table by table, where a violation can still be told from others.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _copy(source: sqlite3.Connection, model: type[Model]) -> int:
    fields = model._meta.local_concrete_fields
    table = connection.ops.quote_name(model._meta.db_table)
    columns = ", ".join(connection.ops.quote_name(field.column or "") for field in fields)
    rows = source.execute(f"SELECT {columns} FROM {table}")
    lines = _Lines(rows, [_converter(field) for field in fields])
    try:
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", lines)
            return int(cursor.rowcount)
    except DatabaseError as error:
        reason = str(error).partition("\n")[0]
        raise CannotMove(f"PostgreSQL does not take a row of {table}: {reason}") from error


class _Lines:
    """Rows as a file of COPY's lines, never more than some thousands of them in memory."""

    def __init__(self, rows: sqlite3.Cursor, converters: Sequence[Callable[[Any], str]]) -> None:
        self._blocks = self._write(rows, converters)

    def read(self, size: int = -1) -> str:
        return next(self._blocks, "")

    def _write(self, rows: sqlite3.Cursor, converters: Sequence[Callable[[Any], str]]) -> Iterator[str]:
        while block := rows.fetchmany(ROWS_AT_ONCE):
            yield "".join(
                "\t".join(
                    NULL if value is None else convert(value)
                    for value, convert in zip(row, converters, strict=True)
                )
                + "\n"
                for row in block
            )


def _converter(field: "Field[Any, Any]") -> Callable[[Any], str]:
    """How SQLite's value of a column is written for PostgreSQL; numbers, UUIDs and JSON as they are."""
    kind = field
    while kind.is_relation:
        kind = kind.target_field  # type: ignore[attr-defined]  # what a foreign key holds
    return _CONVERTERS.get(kind.get_internal_type(), _write_text)


def _write_text(value: object) -> str:
    return str(value).translate(ESCAPES)


_CONVERTERS: Mapping[str, Callable[[Any], str]] = {
    "BooleanField": lambda value: "t" if value else "f",
    # Django keeps UTC there, without saying so.
    "DateTimeField": lambda value: f"{value}+00",
}


def _set_sequences(models: Sequence[type[Model]]) -> None:
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)


def _compare(source: sqlite3.Connection, models: Sequence[type[Model]]) -> dict[str, int]:
    counts = {}
    with connection.cursor() as cursor:
        for model in models:
            table = model._meta.db_table
            counts[table] = _count(cursor, table)
            [[there]] = source.execute(f'SELECT count(*) FROM "{table}"')
            if counts[table] != there:
                raise CannotMove(f"{table} has {there} rows in SQLite and {counts[table]} in PostgreSQL.")
    return counts


def _count(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
    return int(cursor.fetchone()[0])
