"""Questions to the server of vectors: asked over kept connections, each answered within a time or given up.

psycopg2 waits for ever for a server that is there and says nothing, so connections are asynchronous and
waited for with a deadline. After a failure nothing is asked for some seconds: whoever searches is told so at
once, and holds up nobody who does not need these vectors.
"""

from __future__ import annotations

import logging
import math
import select
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, connection

from search.pgvector.errors import VectorsAway

CONNECT_S: Final = 3.0
ANSWER_S: Final = 5.0
RESTS_S: Final = 5  # after a failure, until it is asked again
MOST_KEPT: Final = 8  # connections that wait for the next question

log = logging.getLogger(__name__)


class _Late(Exception):
    """Not answered in time."""


class Server:
    """A server by its libpq arguments (``host``, ``dbname``, ...), connected to when it is asked."""

    def __init__(self, address: Mapping[str, str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._address, self._clock = dict(address), clock
        self._lock = threading.Lock()
        self._kept: list[connection] = []
        self._away_until = -math.inf

    def ask(self, statements: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of the last of the statements, which are one transaction.

        Raises VectorsAway, and psycopg2.ProgrammingError for what the server does not know.
        """
        left = self._away_until - self._clock()
        if left > 0:
            raise VectorsAway(math.ceil(left))
        try:
            return self._ask(statements, parameters)
        except psycopg2.errors.QueryCanceled as error:  # it is there, and this was too much
            raise VectorsAway(RESTS_S) from error
        except (psycopg2.OperationalError, psycopg2.InterfaceError, _Late) as error:
            self._rest(error)
            raise VectorsAway(RESTS_S) from error

    def close(self) -> None:
        """Close what is kept."""
        with self._lock:
            kept, self._kept = self._kept, []
        for one in kept:
            one.close()

    def _ask(self, statements: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._lock:
            kept = self._kept.pop() if self._kept else None
        if kept is not None:
            try:
                return self._run(kept, statements, parameters)
            except psycopg2.errors.QueryCanceled:
                raise
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                self.close()  # the server was started again since: so are all others broken
        return self._run(self._connect(), statements, parameters)

    def _connect(self) -> connection:
        limits = f"-c statement_timeout={int(ANSWER_S * 1000)} -c jit=off"
        opened = psycopg2.connect(
            **self._address, async_=True, application_name="dopeornope vectors", options=limits
        )
        try:
            _wait(opened, CONNECT_S)
        except BaseException:
            opened.close()
            raise
        return opened

    def _run(self, opened: connection, statements: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            with opened.cursor() as cursor:
                cursor.execute(statements, parameters)
                _wait(opened, ANSWER_S)
                rows: list[tuple[Any, ...]] = cursor.fetchall()
        except BaseException:
            opened.close()
            raise
        with self._lock:
            is_kept = len(self._kept) < MOST_KEPT
            if is_kept:
                self._kept.append(opened)
        if not is_kept:
            opened.close()
        return rows

    def _rest(self, error: Exception) -> None:
        self.close()
        self._away_until = self._clock() + RESTS_S
        # Not the error's own text: it names the address.
        log.warning("the server of vectors does not answer: %s", type(error).__name__)


def _wait(opened: connection, seconds: float) -> None:
    """Until there is an answer. Raises _Late, and what the server says."""
    until = time.monotonic() + seconds
    while (state := opened.poll()) != POLL_OK:
        poller = select.poll()
        poller.register(opened.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
        left = until - time.monotonic()
        if left <= 0 or not poller.poll(left * 1000):
            raise _Late
