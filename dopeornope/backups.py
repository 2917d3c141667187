"""Backups: a folder each, with the database, the key, pictures and artefacts, and a list of their checksums.

A backup is written under another name and renamed when it is whole. Files that the backup before it holds
already are linked to, not copied again: pictures and artefacts never change under their names.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from dopeornope.database_copies import (
    FILES,
    CannotCopy,
    check_nothing_there,
    copy_database,
    restore_database,
)
from search.engine.files import disk_errors, sha256_of, sync_folder, write_file

MANIFEST = "manifest.json"
KEY = "secret-key"
FOLDERS = ("images", "artifacts")
# What is still being written, and how far it is.
UNFINISHED = (".partial", ".marks")
BLOCK = 1 << 20


class BackupRefused(Exception):
    """Nothing was backed up or restored; the text says why and what to do."""


@dataclass(frozen=True)
class Backup:
    """A finished backup: its folder and what it holds, path to size, time and sha256."""

    folder: Path
    database: str
    files: Mapping[str, Mapping[str, Any]]

    @property
    def size(self) -> int:
        return sum(int(facts["size"]) for facts in self.files.values())


def back_up(target: Path, *, now: datetime) -> Backup:
    """Make one backup more below ``target``. Raises ``BackupRefused``, ``DiskFull``.

    The database comes first: every picture and artefact that its rows name is older than they are.
    """
    target = target.resolve()
    if target.is_relative_to(settings.HOME):
        raise BackupRefused(
            f"{target} lies in {settings.HOME}, and would be lost with it: name another folder."
        )
    folder = target / f"{now:%Y-%m-%dT%H%M%SZ}"
    if folder.exists():
        raise BackupRefused(f"{folder} exists already: wait a second.")
    partial = target / f".{folder.name}.partial"
    with _file_errors(), disk_errors(target), _alone(target):
        before = find_newest(target)
        try:
            partial.mkdir(mode=0o700)
            files = dict(_fill(partial, before))
            described = {"database": connection.vendor, "made_at": now.isoformat(), "files": files}
            write_file(partial / MANIFEST, json.dumps(described, indent=1).encode())
            partial.rename(folder)
        except CannotCopy as error:
            raise BackupRefused(str(error)) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        sync_folder(target)
    return read_backup(folder)


@contextlib.contextmanager
def _file_errors() -> Iterator[None]:
    """Turn a file or folder that may not be read or written into ``BackupRefused`` that names it."""
    try:
        yield
    except OSError as error:
        raise BackupRefused(
            f"{error.filename} cannot be read or written ({error.strerror}): name another folder, or allow "
            "it to the user that runs this."
        ) from error


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Nobody else makes a backup there meanwhile; what a killed one left is removed."""
    target.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in target.glob(".*.partial"):
            shutil.rmtree(left)
        yield
    except BlockingIOError as error:
        raise BackupRefused(f"Another backup is being made in {target}: wait for its end.") from error
    finally:
        os.close(descriptor)


def find_newest(target: Path) -> Backup | None:
    """The newest finished backup below ``target``, among whatever else lies there."""
    for manifest in sorted(target.glob(f"[!.]*/{MANIFEST}"), reverse=True):
        with contextlib.suppress(BackupRefused):
            return read_backup(manifest.parent)
    return None


def read_backup(folder: Path) -> Backup:
    """What a backup says of itself. Raises ``BackupRefused`` where it is none, or not whole."""
    try:
        described = json.loads((folder / MANIFEST).read_text())
        backup = Backup(folder, described["database"], dict(described["files"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupRefused(f"{folder} is no finished backup: it has no readable {MANIFEST}.") from error
    if any(".." in Path(name).parts or Path(name).is_absolute() for name in backup.files):
        raise BackupRefused(f"{folder} names files outside of itself, as no backup of ours does.")
    return backup


def restore(folder: Path) -> Backup:
    """Bring a backup back into an empty HOME and database. Raises ``BackupRefused``, ``DiskFull``."""
    backup = read_backup(folder)
    _check_place(backup)
    check_files(backup)
    try:
        check_nothing_there()
        with _file_errors(), disk_errors(settings.HOME):
            for name in backup.files:
                if name.split("/")[0] in FOLDERS:
                    place = settings.HOME / name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(folder / name, place)
            write_file(settings.HOME / KEY, (folder / KEY).read_bytes())
            (settings.HOME / KEY).chmod(0o600)
        # The database last: until it is there, nothing has been restored and the same may be tried again.
        restore_database(folder / FILES[backup.database])
    except CannotCopy as error:
        raise BackupRefused(str(error)) from error
    return backup


def check_files(backup: Backup) -> None:
    """Raises ``BackupRefused`` naming the first file that is not what it was."""
    for name, facts in backup.files.items():
        path = backup.folder / name
        if not path.is_file() or sha256_of(path) != facts["sha256"]:
            raise BackupRefused(f"{path} is missing or damaged: restore another backup.")


def _check_place(backup: Backup) -> None:
    if backup.database != connection.vendor:
        remedy = {
            "sqlite": "restore it with DOPEORNOPE_DATABASE=sqlite, then run manage.py move_to_postgresql",
            "postgresql": "name an empty PostgreSQL in DOPEORNOPE_DATABASE",
        }
        raise BackupRefused(f"{backup.folder} holds a {backup.database} database: {remedy[backup.database]}.")
    # An attempt that was interrupted left files of this very backup; anything else is somebody's.
    for name in FOLDERS:
        for path in _list_files(settings.HOME / name):
            found = backup.files.get(str(path.relative_to(settings.HOME)))
            if found is None or found["size"] != path.stat().st_size:
                raise BackupRefused(f"{path} exists: name an empty folder in DOPEORNOPE_HOME.")


def _fill(partial: Path, before: Backup | None) -> Iterator[tuple[str, dict[str, Any]]]:
    database = copy_database(partial)
    yield database.name, _describe(database, sha256_of(database))
    key = partial / KEY
    write_file(key, settings.SECRET_KEY.encode())
    key.chmod(0o600)
    yield KEY, _describe(key, sha256_of(key))
    for name in FOLDERS:
        for path in _list_files(settings.HOME / name):
            relative = str(path.relative_to(settings.HOME))
            place = partial / relative
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                yield relative, _link(path, place, relative, before) or _copy(path, place)
            except FileNotFoundError:
                continue  # An artefact that was made anew meanwhile: the next backup has it.
    for root, _, _ in os.walk(partial):
        sync_folder(Path(root))


def _link(path: Path, place: Path, name: str, before: Backup | None) -> dict[str, Any] | None:
    """Link to the same file in the backup before; None where it has none, or not the same."""
    known = before and before.files.get(name)
    stat = path.stat()
    if not before or not known or (known["size"], known["mtime_ns"]) != (stat.st_size, stat.st_mtime_ns):
        return None
    try:
        os.link(before.folder / name, place)
    except OSError:
        return None  # A disk without links, or somebody tidied up there: copied again.
    return dict(known)


def _copy(path: Path, place: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as source, place.open("xb") as copy:
        while block := source.read(BLOCK):
            digest.update(block)
            copy.write(block)
        copy.flush()
        os.fsync(copy.fileno())
    shutil.copystat(path, place)
    return _describe(place, digest.hexdigest())


def _describe(path: Path, sha256: str) -> dict[str, Any]:
    stat = path.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}


def _list_files(folder: Path) -> list[Path]:
    """The finished files below a folder."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and not path.name.endswith(UNFINISHED)
    )
