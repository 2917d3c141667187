"""What both modes do before they start anything: the lock on HOME, the disk, the tables, the static files."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.backends.utils import CursorWrapper

LEAST_FREE_BYTES = 500 * 2**20
# Any number but the sweepers' (dopeornope/duty.py), as long as it stays the same.
PREPARING: Final = 0x70_72_65_70
ASKED_EVERY_S: Final = 0.2


class CannotStart(Exception):
    """The game cannot start here; the text says why and what to do."""


def lock_home(home: Path) -> TextIO:
    """Hold HOME for this process alone, until it ends however it ends. Raises ``CannotStart``."""
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "play.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        raise CannotStart(
            f"The game runs already in {home} (process {lock.read().strip() or 'unknown'}). Stop that one "
            "with Ctrl-C, or give this one a folder of its own: DOPEORNOPE_HOME=other make play PORT=8001"
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def check_disk(home: Path) -> None:
    """Raises ``CannotStart`` where too little is free for a start to succeed."""
    free = shutil.disk_usage(home).free
    if free < LEAST_FREE_BYTES:
        raise CannotStart(
            f"Only {free // 2**20} MiB are free on the disk of {home}; {LEAST_FREE_BYTES // 2**20} MiB are "
            "needed. Free some space, or set DOPEORNOPE_HOME to a folder on another disk."
        )


@contextlib.contextmanager
def one_machine_at_a_time() -> Iterator[None]:
    """Of all that start a service on one database at once, one goes on; the others wait for its end.

    The lock is PostgreSQL's, of this session: it ends with the process, however that ends. The others ask
    again and again: an index that is built while people vote waits for every statement under way, and so for
    one that waits for this lock.
    """
    with connection.cursor() as cursor:
        while not _is_taken(cursor):
            time.sleep(ASKED_EVERY_S)
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [PREPARING])


def _is_taken(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [PREPARING])
    (ours,) = cursor.fetchone()
    return bool(ours)


def prepare_database() -> None:
    """Bring the tables up to date; quick where they are."""
    call_command("migrate", verbosity=0, interactive=False)


def collect_static() -> None:
    """Collect the static files where any has changed since they were collected.

    Earlier versions of a file stay, under names of their own: pages that are open still ask for them, and web
    processes that have not been replaced yet still answer with them.
    """
    seen, paths = hashlib.sha256(), []
    for finder in get_finders():
        for path, storage in finder.list([]):
            stat = os.stat(storage.path(path))  # noqa: PTH116  # storages deal in strings
            seen.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
            paths.append(path)
    stamp: Path = settings.STATIC_ROOT / ".stamp"
    if stamp.exists() and stamp.read_text() == seen.hexdigest():
        return
    for path in paths:
        # Without its hash a name says nothing of the version, and Django keeps whichever copy is younger.
        (settings.STATIC_ROOT / path).unlink(missing_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(seen.hexdigest())
