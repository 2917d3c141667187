"""The clock by which leases run out: one for all hosts, because theirs may differ."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone


def read_clock() -> datetime:
    """The database server's time; with SQLite, where all processes share one host, this host's."""
    if connection.vendor == "sqlite":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


def carry_clock() -> Callable[[], datetime]:
    """A clock that is set by the database's once, and carried on by a counter that nobody sets."""
    if connection.vendor == "sqlite":
        return timezone.now
    set_to, counted = read_clock(), time.monotonic()
    return lambda: set_to + timedelta(seconds=time.monotonic() - counted)
