"""Who sweeps: one process at a time. A second one stands by, and takes over when the first is gone."""

import fcntl
from pathlib import Path
from typing import Final, Protocol

from django.db import connection

# Any number, as long as it stays the same: PostgreSQL keeps these locks per database.
LOCK_NUMBER: Final = 0x64_6F_70_65


class Duty(Protocol):
    def is_ours(self) -> bool:
        """Whether this process has the duty, which it takes if nobody has. Ask before every round.

        Raises ``django.db.Error`` where nobody can be asked.
        """


def find_duty(home: Path) -> Duty:
    """The duty of the database in use: on PostgreSQL for all machines, on SQLite for all users of HOME."""
    return SessionLock() if connection.vendor == "postgresql" else FileLock(home / "sweeper.lock")


class SessionLock:
    """An advisory lock of the session that sweeps: it ends with the connection, however that ends.

    A sweeper that lost its connection has thereby lost the duty, and cannot write either. Behind a pooler
    that shares sessions this is no lock: sweepers connect to PostgreSQL itself.
    """

    def is_ours(self) -> bool:
        with connection.cursor() as cursor:
            # The session that has the lock gets it again: whether that is this one need not be remembered.
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_NUMBER])
            (ours,) = cursor.fetchone()
            return bool(ours)


class FileLock:
    """A lock on a file, which ends with the process, however that ends."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w")

    def is_ours(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
