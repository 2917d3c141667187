"""Where a web process does what takes a core for a while: bounded rooms beside the pages' thread.

One to decode photos in, as wide as there are decoders, and one to search in, as wide as there are cores, so
that photos which take long to decode keep nobody from searching. Some more may wait, and who finds a room
full is asked to come again. What is done here asks no database.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from search.engine.images import NormalisedImage
from search.engine.normaliser import Normaliser
from search.engine.regions import Region
from search.selectors.searches import SearchRefused

P = ParamSpec("P")
Result = TypeVar("Result")

DECODERS: Final = min(2, len(os.sched_getaffinity(0)))
MOST_DECODING: Final = 32  # as many come at once where a class does; at worst four minutes' waiting
MOST_WAITING: Final = 64
RETRY_AFTER_S: Final = 2
SECONDS_PER_PHOTO: Final = 15.0


class Room:
    """Work done by so many threads. ``most_waiting`` bounds what was begun and is not done yet."""

    def __init__(self, *, threads: int, most_waiting: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="photo-room")
        self._places = threading.BoundedSemaphore(most_waiting)

    async def do(self, work: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
        """What ``work`` returns or raises. Raises SearchRefused("busy") where too many wait already."""
        if not self._places.acquire(blocking=False):
            raise SearchRefused(
                "busy",
                f"Too many people are searching just now. Try again in {RETRY_AFTER_S} seconds.",
                status=503,
                retry_after_s=RETRY_AFTER_S,
            )
        future = self._threads.submit(work, *args, **kwargs)
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)


class Decoder:
    """The bounded processes that decode photos; started with the first photo."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._normaliser: Normaliser | None = None

    def look_at(self, source: bytes, *, limit: int) -> tuple[NormalisedImage, list[Region]]:
        """The picture, and at most ``limit`` parts where something seems to be. Raises ImageRejected."""
        with self._lock:
            if self._normaliser is None:
                self._normaliser = Normaliser(workers=DECODERS, seconds=SECONDS_PER_PHOTO).__enter__()
                atexit.register(self.close)
            normaliser = self._normaliser
        return normaliser.look_at(source, limit=limit)

    def close(self) -> None:
        with self._lock:
            if self._normaliser is not None:
                self._normaliser.__exit__(None, None, None)
                self._normaliser = None


room = Room(threads=len(os.sched_getaffinity(0)), most_waiting=MOST_WAITING)
decoding_room = Room(threads=DECODERS, most_waiting=MOST_DECODING)
decoder = Decoder()
