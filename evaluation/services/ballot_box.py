"""One thread that writes: what arrives together is committed together, and answered after the commit.

A transaction per vote spends its time waiting for the disk. Here requests put their work into a queue; one
thread with one database connection takes all that waits, writes it in two transactions (deals, then what
takes the turn) and answers each. Under load a transaction holds many votes, so throughput rises with the
number of players instead of collapsing.
"""

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, connection, transaction

from evaluation import telemetry
from evaluation.models.statements import plan_by_key

Payload = TypeVar("Payload")
Result = TypeVar("Result")
# Does the work of several payloads, in order, inside a transaction; one result or exception for each.
Handler = Callable[[Sequence[Payload]], Sequence[Result | Exception]]

MOST_WAITING = 2000
MOST_TOGETHER = 200
GATHERING_S = 0.002

log = logging.getLogger(__name__)


class BoxFull(Exception):
    """More is waiting than can be written soon; ask again later."""


@dataclass(frozen=True, slots=True)
class _Slip(Generic[Payload, Result]):
    """``takes_turn``: the handler makes other processes wait until the transaction ends (`take_turn`)."""

    handler: Handler[Payload, Result]
    payload: Payload
    takes_turn: bool
    answer: asyncio.Future[Result]


class BallotBox:
    """The writer of one process. Closed, it has the work done in the caller's own synchronous context."""

    def __init__(self) -> None:
        self._slips: queue.SimpleQueue[_Slip[Any, Any] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Start the thread; does nothing where it runs."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="ballot-box", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Finish what waits, then end the thread and its connection."""
        if self._thread is not None:
            self._slips.put(None)
            self._thread.join()
            self._thread = None

    async def submit(
        self, handler: Handler[Payload, Result], payload: Payload, *, takes_turn: bool = False
    ) -> Result:
        """Have ``handler`` do this in a transaction shared with what else waits; returns after the commit.

        Raises what the handler gave for this payload, and BoxFull. A handler may be run again after a failed
        transaction, so it must not change anything but the database. One that takes the turn to write says
        so.
        """
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        slip = _Slip(handler, payload, takes_turn, answer)
        if self._thread is None:
            await sync_to_async(_write_together)([slip])
        else:
            self._put(slip)
        return await answer

    def _put(self, slip: _Slip[Any, Any]) -> None:
        if self._slips.qsize() >= MOST_WAITING:
            telemetry.BOX_REFUSED.inc()
            raise BoxFull("Many people are playing. Try again in a moment.")
        self._slips.put(slip)

    def _write(self) -> None:
        try:
            expected = 1
            while (first := self._slips.get()) is not None:
                together, last = self._gather(first, expected)
                expected = len(together)
                telemetry.BOX_WAITING.set(self._slips.qsize())
                _write_together(together)
                if last:
                    return
        finally:
            connection.close()

    def _gather(self, first: _Slip[Any, Any], expected: int) -> "tuple[list[_Slip[Any, Any]], bool]":
        """What waits, and whether the box is to be closed after it.

        Where several came together before, it is worth a moment to let as many come again: people who were
        answered together ask together, and half a transaction costs nearly as much as a whole one.
        """
        together = [first]
        deadline = time.monotonic() + GATHERING_S
        while len(together) < MOST_TOGETHER:
            left = deadline - time.monotonic() if len(together) < expected else 0.0
            try:
                slip = self._slips.get(timeout=left) if left > 0 else self._slips.get_nowait()
            except queue.Empty:
                break
            if slip is None:
                return together, True
            together.append(slip)
        return together, False


def _write_together(slips: "Sequence[_Slip[Any, Any]]") -> None:
    """Find each slip's outcome and tell whoever waits for it.

    What takes the turn gets a transaction of its own: one that held rows already while it waits for the turn
    could be waited for by who has it. The others go first, so that the turn is kept for less long. All are
    answered at the end, because people who are answered together come together again.
    """
    answers: list[tuple[_Slip[Any, Any], Any]] = []
    for takes_turn in (False, True):
        some = [slip for slip in slips if slip.takes_turn is takes_turn]
        if some:
            telemetry.BOX_TOGETHER.observe(len(some))
            with telemetry.BOX_SECONDS.time():
                answers += zip(some, _find_outcomes(some), strict=True)
    _give(answers)


def _give(answers: "Sequence[tuple[_Slip[Any, Any], Any]]") -> None:
    """Hand all answers over; those of one event loop with one call into its thread."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = defaultdict(list)
    for slip, outcome in answers:
        by_loop[slip.answer.get_loop()].append((slip.answer, outcome))
    for loop, given in by_loop.items():
        with contextlib.suppress(RuntimeError):  # a loop that was closed has nobody waiting
            loop.call_soon_threadsafe(_settle, given)


def _settle(given: "Sequence[tuple[asyncio.Future[Any], Any]]") -> None:
    for answer, outcome in given:
        if answer.cancelled():
            continue  # nobody waits any more; the work is done all the same
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)


def _find_outcomes(slips: "Sequence[_Slip[Any, Any]]") -> Sequence[Any]:
    """One transaction for all; where that fails, one for each, so that no request suffers for another."""
    try:
        return _commit(slips)
    except (OperationalError, InterfaceError) as error:
        return _commit_once_more(slips, error)
    except Exception as error:
        log.warning("%d writes failed together (%s); each is tried alone.", len(slips), error)
        return [_commit_alone(slip) for slip in slips]


def _commit_once_more(slips: "Sequence[_Slip[Any, Any]]", error: Exception) -> Sequence[Any]:
    """On a new connection where the old one was lost; else the database is locked or full, for all of them.

    Never one by one: each would wait for the same lock again, and the last of many for very long.
    """
    if _drop_broken_connection():
        try:
            return _commit(slips)
        except Exception as again:
            error = again
            _drop_broken_connection()
    log.warning("%d writes failed: %s", len(slips), error)
    return [error] * len(slips)


def _commit_alone(slip: "_Slip[Any, Any]") -> Any:
    try:
        return _commit([slip])[0]
    except Exception as error:
        _drop_broken_connection()
        return error


def _commit(slips: "Sequence[_Slip[Any, Any]]") -> list[Any]:
    """Each handler once; outcomes in the order of the slips."""
    outcomes: list[Any] = [None] * len(slips)
    by_handler: dict[Any, list[int]] = defaultdict(list)
    for place, slip in enumerate(slips):
        by_handler[slip.handler].append(place)
    plan_by_key()
    with transaction.atomic():
        for handler, places in by_handler.items():
            found = handler([slips[place].payload for place in places])
            for place, outcome in zip(places, found, strict=True):
                outcomes[place] = outcome
    return outcomes


def _drop_broken_connection() -> bool:
    """Close a connection that a lost server or a killed session broke; whether it was so."""
    broken = not connection.in_atomic_block and not connection.is_usable()
    if broken:
        connection.close()
    return broken


box = BallotBox()
