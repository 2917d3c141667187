"""The message "look" that goes to all web processes after a commit; what changed, the database says.

Whoever commits never waits for Redis: one thread of the process sends, with one connection, and what is
announced while it sends or pauses becomes one message. Each web process subscribes once. A lost message costs
seconds, since every web process also looks by itself (`search/live.py`). Without a channel layer that reaches
other processes (embedded mode) nothing is sent, and nothing heard.
"""

import asyncio
import atexit
import contextlib
import logging
import os
import threading
from typing import Final

from channels.layers import BaseChannelLayer, InMemoryChannelLayer, get_channel_layer

GROUP: Final = "live"
MESSAGE: Final = {"type": "live.look"}
SECONDS_BETWEEN_MESSAGES: Final = 0.25
SECONDS_BEFORE_SUBSCRIBING_AGAIN: Final = 2.0
LONGEST_GOODBYE_SECONDS: Final = 2.0

log = logging.getLogger(__name__)


def find_layer() -> BaseChannelLayer | None:
    """The channel layer that reaches other processes; None in the embedded mode."""
    layer = get_channel_layer()
    return None if isinstance(layer, InMemoryChannelLayer) else layer


class Announcer:
    """The sender of one process; its thread starts with the first announcement."""

    _thread: threading.Thread | None

    def __init__(self) -> None:
        self._begin()
        # A forked process has no thread but the one that forked.
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._thread = None
        self._changed = threading.Condition()
        self._due = False
        self._closing = False

    def announce(self) -> None:
        """Have the web processes look soon. Takes microseconds, whatever Redis does."""
        if self._due or find_layer() is None:
            return
        with self._changed:
            self._due = True
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._send, name="announcer", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Send what is due, where that succeeds at once, and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(LONGEST_GOODBYE_SECONDS)

    def _send(self) -> None:
        reached = True
        # A loop that lives as long as the thread: the layer keeps one connection for each loop.
        with asyncio.Runner() as runner:
            while self._wait_until_due():
                try:
                    runner.run(_send_message())
                    reached = True
                except Exception as error:
                    if reached:
                        log.warning("announcements do not get through (%s); pages learn later", error)
                    reached = False
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, SECONDS_BETWEEN_MESSAGES)

    def _wait_until_due(self) -> bool:
        """Whether something is to be sent; False at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._due or self._closing)
            due, self._due = self._due, False
            return due


class Subscription:
    """What one event loop hears. ``stands`` tells whether it hears anything."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.stands = False

    async def keep(self) -> None:
        """Subscribe, and again whenever that fails, until cancelled. Returns where nothing can be heard."""
        layer = find_layer()
        told = False
        while layer is not None:
            try:
                await self._hear(layer)
            except Exception as error:
                if self.stands or not told:
                    log.warning("announcements cannot be heard (%s); pages learn later", error)
                told = True
            finally:
                self.stands = False
                with contextlib.suppress(Exception):
                    await layer.flush()  # closes the connections of this loop
            await asyncio.sleep(SECONDS_BEFORE_SUBSCRIBING_AGAIN)

    async def _hear(self, layer: BaseChannelLayer) -> None:
        channel = await layer.new_channel()
        await layer.group_add(GROUP, channel)
        self.stands = True
        while True:
            self.heard.set()  # at first for what was announced before
            await layer.receive(channel)


async def _send_message() -> None:
    layer = find_layer()
    if layer is not None:
        await layer.group_send(GROUP, MESSAGE)


announcer = Announcer()
atexit.register(announcer.close)
