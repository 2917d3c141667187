"""A whole database as one file and back, while others go on writing: SQLite's own copy, or pg_dump's."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from django.db import connection

FILES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}


class CannotCopy(Exception):
    """The database was not copied; the text says why and what to do."""


def copy_database(folder: Path) -> Path:
    """Write the database, as it is at one moment, to a file in ``folder``. Raises ``CannotCopy``."""
    file = folder / FILES[connection.vendor]
    if connection.vendor == "sqlite":
        _copy_sqlite(Path(connection.settings_dict["NAME"]), file)
    else:
        _run("pg_dump", ["--format=custom", "--no-owner", "--no-privileges", f"--file={file}"])
    return file


def check_nothing_there() -> None:
    """Raises ``CannotCopy`` where the settings' database exists (SQLite) or has a table (PostgreSQL)."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        # A log that outlived its database would be played into the one that comes back.
        for path in (name, f"{name}-wal", f"{name}-journal"):
            if Path(path).exists():
                raise CannotCopy(f"{path} exists: name an empty folder in DOPEORNOPE_HOME.")
        return
    if tables := connection.introspection.table_names():
        raise CannotCopy(
            f"The database “{name}” has {len(tables)} tables: name an empty one in DOPEORNOPE_DATABASE, "
            f"or drop this one and make it anew: dropdb {name}; createdb {name}"
        )


def restore_database(file: Path) -> None:
    """Bring the database back from its file, whole or not at all. Raises ``CannotCopy``."""
    if connection.vendor == "sqlite":
        target = Path(connection.settings_dict["NAME"])
        partial = target.with_name(f"{target.name}.partial")
        _copy_sqlite(file, partial)
        partial.replace(target)
    else:
        connection.close()
        options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
        _run("pg_restore", [*options, f"--dbname={connection.settings_dict['NAME']}", str(file)])


def _copy_sqlite(file: Path, target: Path) -> None:
    """The online backup: a file copied as it lies would lack what is still in the write-ahead log."""
    try:
        with (
            closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
            # One file: the copy has no log beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
            [[found]] = copy.execute("PRAGMA quick_check(1)")
    except sqlite3.OperationalError as error:
        raise CannotCopy(f"{file} was not copied to {target}: {error}.") from error
    if found != "ok":
        target.unlink()
        raise CannotCopy(f"{file} is damaged ({found}).")


def _run(program: str, arguments: Sequence[str]) -> None:
    """One of PostgreSQL's own programs on the settings' database; its password travels in the environment."""
    path = shutil.which(program)
    if path is None:
        raise CannotCopy(
            f"{program} is not installed here. Install PostgreSQL's client programs, not older than the "
            "server (on Debian: apt install postgresql-client), or run this where they are."
        )
    settings = connection.settings_dict
    places = {
        "PGHOST": "HOST",
        "PGPORT": "PORT",
        "PGUSER": "USER",
        "PGPASSWORD": "PASSWORD",
        "PGDATABASE": "NAME",
    }
    given = {name: str(settings[key]) for name, key in places.items() if settings[key]}
    done = subprocess.run(
        [path, *arguments], env={**os.environ, **given}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotCopy(f"{program} failed: {done.stderr.strip() or done.returncode}")
