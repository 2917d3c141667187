"""Questions to servers that may hang: asked in a thread of their own, waited for only so long."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Value = TypeVar("Value")


class NoAnswer(Exception):
    """Nothing came within the time."""


class BoundedQuestion(Generic[Value]):
    """Asks one at a time. Who asks meanwhile, or again within ``keep_s``, shares the answer.

    A question that hangs keeps its thread, and only that one; it is no longer waited for, and nothing is
    asked anew until it has ended.
    """

    def __init__(self, ask: Callable[[], Value], *, keep_s: float) -> None:
        self._ask = ask
        self._keep_s = keep_s
        self._lock = threading.Lock()
        self._answer: Future[Value] | None = None
        self._ended = 0.0

    async def answer(self, *, within_s: float) -> Value:
        """Raises ``NoAnswer``, and what the question raised."""
        waiting = asyncio.wrap_future(self._begin())
        # An answer that comes too late may be an exception: it is looked at, or asyncio complains of it.
        waiting.add_done_callback(lambda late: late.cancelled() or late.exception())
        try:
            return await asyncio.wait_for(asyncio.shield(waiting), within_s)
        except TimeoutError as error:
            raise NoAnswer from error

    def _begin(self) -> "Future[Value]":
        with self._lock:
            answer = self._answer
            if answer is None or (answer.done() and time.monotonic() - self._ended > self._keep_s):
                answer = self._answer = Future()
                threading.Thread(target=self._run, args=(answer,), daemon=True).start()
            return answer

    def _run(self, answer: "Future[Value]") -> None:
        try:
            value = self._ask()
        except BaseException as error:
            self._ended = time.monotonic()
            answer.set_exception(error)
        else:
            self._ended = time.monotonic()
            answer.set_result(value)
