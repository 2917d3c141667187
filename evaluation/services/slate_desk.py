"""Where a web process asks workers for slates: what comes within a moment goes out in one message.

Nobody waits long for a worker that is away or busy with a training. Once somebody has waited in vain the desk
rests: no game waits, and now and then, ever more seldom, a slate is asked for that nobody waits for, to hear
whether a worker is back. Everything but the asking itself happens in the event loop's thread.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from evaluation import telemetry
from evaluation.services.game_grounds import Choice, Wanted
from evaluation.services.slate_requests import Words, write_down

# Sends slates that are wanted to the workers, and gives what they answer within so many seconds, as it comes,
# each with its place; None for one that they cannot choose. May wait, and raise what it likes.
Ask = Callable[[Sequence[Words], float], Iterable[tuple[int, Choice | None]]]

PATIENCE_S: Final = 0.4
REST_S: Final = 1.0  # at first; twice as long after each time that it asked in vain
LONGEST_REST_S: Final = 30.0
GATHERING_S: Final = 0.003
MOST_TOGETHER: Final = 16

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Slip:
    words: Words
    answer: "asyncio.Future[Choice | None]"


class SlateDesk:
    """The desk of one process. Closed, it sends everybody away at once."""

    def __init__(
        self,
        *,
        patience_s: float = PATIENCE_S,
        rest_s: float = REST_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.patience_s, self.rest_s = patience_s, rest_s
        self._clock = clock
        self._ask: Ask | None = None
        self._messenger: ThreadPoolExecutor | None = None
        self._slips: list[_Slip] = []
        self._asking: asyncio.Task[None] | None = None
        self._heard = 0  # answers, ever
        self._rests_until: float | None = None
        self._next_rest_s = rest_s

    def open(self, ask: Ask) -> None:
        """From now on workers are asked, in this way."""
        self._ask = ask
        self._messenger = ThreadPoolExecutor(1, thread_name_prefix="slate-desk")

    def close(self) -> None:
        """Send away who waits. A message under way is not waited for."""
        self._ask = None
        self._send_away(self._slips)
        if self._messenger is not None:
            self._messenger.shutdown(wait=False)
            self._messenger = None

    async def order(self, wanted: Wanted) -> Choice | None:
        """The slate, chosen by a worker; None where none does so in time, and it is to be chosen here."""
        if self._ask is None:
            return None
        if self._rests_until is not None:
            if self._clock() >= self._rests_until and self._asking is None:
                self._next_rest_s = min(2 * self._next_rest_s, LONGEST_REST_S)
                self._put(wanted)
            choice = None
        else:
            choice = await self._wait_for(self._put(wanted))
        (telemetry.SLATES_FALLEN_BACK if choice is None else telemetry.SLATES.labels("worker")).inc()
        return choice

    async def _wait_for(self, slip: _Slip) -> Choice | None:
        heard = self._heard
        try:
            async with asyncio.timeout(self.patience_s):
                return await slip.answer
        except TimeoutError:
            self._rest_if_silent(since=heard)
            return None

    def _put(self, wanted: Wanted) -> _Slip:
        slip = _Slip(write_down(wanted), asyncio.get_running_loop().create_future())
        self._slips.append(slip)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_for_all())
        return slip

    async def _ask_for_all(self) -> None:
        """One message after the other, each with all that waits by then, until nothing waits."""
        try:
            await asyncio.sleep(GATHERING_S)
            while waiting := [slip for slip in self._slips if not slip.answer.done()]:
                self._slips = waiting[MOST_TOGETHER:]
                await self._ask_for(waiting[:MOST_TOGETHER])
        finally:
            self._asking, self._slips = None, []

    async def _ask_for(self, together: Sequence[_Slip]) -> None:
        loop, ask, heard = asyncio.get_running_loop(), self._ask, self._heard
        if ask is None:
            self._send_away(together)
            return

        def listen() -> None:
            for place, choice in ask([slip.words for slip in together], self.patience_s):
                with contextlib.suppress(RuntimeError):  # a loop that was closed has nobody waiting
                    loop.call_soon_threadsafe(self._hear, together[place], choice)

        try:
            await loop.run_in_executor(self._messenger, listen)
            self._rest_if_silent(since=heard)
        except Exception as error:  # the libraries of broker and answers have many, and all mean the same
            self._rest(f"workers cannot be asked ({error})")
        self._send_away(together)

    def _hear(self, slip: _Slip, choice: Choice | None) -> None:
        self._heard += 1
        if self._rests_until is not None:
            self._rests_until, self._next_rest_s = None, self.rest_s
            log.warning("Workers choose slates again.")
        if not slip.answer.done():
            slip.answer.set_result(choice)

    def _rest_if_silent(self, *, since: int) -> None:
        if self._heard == since:
            self._rest("no worker answered in time")

    def _rest(self, why: str) -> None:
        if self._rests_until is None:
            log.warning("Slates are chosen in the web process for now: %s.", why)
        self._rests_until = self._clock() + self._next_rest_s
        self._send_away(self._slips)

    def _send_away(self, slips: Sequence[_Slip]) -> None:
        for slip in slips:
            if not slip.answer.done():
                slip.answer.set_result(None)


desk = SlateDesk()
