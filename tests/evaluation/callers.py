"""Requests of one event loop that submit to a ballot box, asked from the test's own thread."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Self

from evaluation.services.ballot_box import BallotBox, Handler, Payload, Result


class Callers:
    """``box`` is their own, open until they go."""

    def __init__(self) -> None:
        self.box = BallotBox()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="callers")

    def __enter__(self) -> Self:
        self.box.open()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.box.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def ask(
        self, handler: Handler[Payload, Result], payload: Payload, *, takes_turn: bool = False
    ) -> "Future[Result]":
        """Returns once it waits in the box, or was refused; cancelled, its caller gives up."""
        asked = threading.Event()
        submitted = self.box.submit(handler, payload, takes_turn=takes_turn)
        answer = asyncio.run_coroutine_threadsafe(_tell(submitted, asked), self._loop)
        assert asked.wait(10)
        return answer


async def _tell(submitted: Coroutine[Any, Any, Result], asked: threading.Event) -> Result:
    waiting = asyncio.ensure_future(submitted)
    await asyncio.sleep(0)  # lets it run until it waits
    asked.set()
    return await waiting
