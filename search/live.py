"""Revisions of topics, watched once per process and fanned out to this process's open pages.

The database is the truth: while pages are open, one thread reads the few `Revision` rows twice a second. A
page is told ``{"topic", "revision"}`` and fetches what it shows, so a frame dropped or merged costs nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import connection

from search.models import Revision, Role
from search.selectors.roles import has_role

SECONDS_BETWEEN_LOOKS: Final = 0.5
PUBLIC_TOPICS: Final = frozenset({"leaderboard", "catalogues"})
OPERATOR_TOPICS: Final = frozenset({"jobs"})

log = logging.getLogger(__name__)


def may_watch(user: AbstractBaseUser | AnonymousUser, topics: Iterable[str]) -> bool:
    """Whether all topics exist and are open to the user."""
    guarded = set(topics) - PUBLIC_TOPICS
    return not guarded or (guarded <= OPERATOR_TOPICS and has_role(user, Role.OPERATOR))


def read_revisions() -> dict[str, int]:
    """The number of every topic; one that never changed stands at 0."""
    numbers = dict.fromkeys(PUBLIC_TOPICS | OPERATOR_TOPICS, 0)
    return numbers | dict(Revision.objects.values_list("topic", "number"))


class Watcher:
    """What one open page has yet to be told: the newest number per topic, however slowly it reads."""

    def __init__(self, topics: Iterable[str]) -> None:
        self.topics = frozenset(topics)
        self._news: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self._arrived = asyncio.Event()

    def offer(self, revisions: dict[str, int]) -> None:
        for topic in self.topics:
            number = revisions.get(topic, 0)
            if self._told.get(topic) != number:
                self._told[topic] = self._news[topic] = number
                self._arrived.set()

    async def next_news(self) -> dict[str, int]:
        """Wait for news and take them all."""
        await self._arrived.wait()
        self._arrived.clear()
        news, self._news = self._news, {}
        return news


class Hub:
    """All watchers of this process, and the one task that looks for them; it rests while there are none."""

    def __init__(
        self,
        read: Callable[[], dict[str, int]] = read_revisions,
        *,
        seconds_between_looks: float = SECONDS_BETWEEN_LOOKS,
    ) -> None:
        self._read = read
        self._pause = seconds_between_looks
        self._watchers: set[Watcher] = set()
        self._task: asyncio.Task[None] | None = None

    def join(self, watcher: Watcher) -> None:
        """Tell ``watcher`` where its topics stand, and of every change, until it leaves."""
        self._watchers.add(watcher)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look())

    def leave(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)

    async def close(self) -> None:
        """Forget all watchers and end the task."""
        self._watchers.clear()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        # A thread of its own: a look never waits behind a request, and keeps one connection while it lasts.
        with ThreadPoolExecutor(1, thread_name_prefix="live") as thread:
            try:
                while self._watchers:
                    try:
                        revisions = await loop.run_in_executor(thread, self._read)
                    except Exception:
                        log.exception("the revisions could not be read; the next look follows")
                        await loop.run_in_executor(thread, connection.close)
                    else:
                        for watcher in list(self._watchers):
                            watcher.offer(revisions)
                    await asyncio.sleep(self._pause)
            finally:
                self._task = None
                thread.submit(connection.close)


hub = Hub()
