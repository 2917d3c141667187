"""Revisions of topics, watched once per process and fanned out to this process's open pages.

The database is the truth. While pages are open, one task reads the `Revision` rows that they watch: at an
announcement (`search/announcements.py`), and every few seconds anyway, so one that is lost costs seconds.
Where none can be heard it reads twice a second. A page is told ``{"topic", "revision"}`` and fetches what
it shows, so a frame that gives way to a newer one is not missed.
"""

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import connection

from search.announcements import Subscription
from search.models import Revision, Role
from search.selectors.roles import has_role

SECONDS_BETWEEN_LOOKS: Final = 0.5
SECONDS_WITHOUT_NEWS: Final = 3.0
PUBLIC_TOPICS: Final = frozenset({"leaderboard", "catalogues", "changes"})
GUARDED_TOPICS: Final = {
    "jobs": (Role.OPERATOR,),
    "rankings": (Role.OPERATOR, Role.ANALYST),
    "exclusions": (Role.OPERATOR, Role.ANALYST),
}
# With a code that nobody guesses: whoever knows it may watch, if there is such a race.
RACE_TOPIC: Final = re.compile(r"race:[0-9a-z]{12}")
MOST_TOPICS: Final = 8  # of one page

Frame = dict[str, Any]

log = logging.getLogger(__name__)


def may_watch(user: AbstractBaseUser | AnonymousUser, topics: Iterable[str]) -> bool:
    """Whether all topics exist and are open to the user."""
    guarded = set(topics) - PUBLIC_TOPICS
    races = {topic for topic in guarded if RACE_TOPIC.fullmatch(topic)}
    for topic in guarded - races:
        if topic not in GUARDED_TOPICS or not has_role(user, *GUARDED_TOPICS[topic]):
            return False
    # A race has its revision from the moment it is opened.
    return not races or Revision.objects.filter(topic__in=races).count() == len(races)


def read_revisions(topics: Collection[str]) -> dict[str, int]:
    """The number of each of these topics; one that never changed stands at 0."""
    known = Revision.objects.filter(topic__in=topics)
    return dict.fromkeys(topics, 0) | dict(known.values_list("topic", "number"))


def _disconnect() -> None:
    """Close the connection of the thread that calls this."""
    connection.close()


class Page:
    """One open page: told the newest revision of each of its topics, however slowly it reads."""

    def __init__(self, topics: Iterable[str], send: Callable[[Frame], Awaitable[None]]) -> None:
        self.topics = frozenset(topics)
        self._send = send
        self._waiting: dict[str, Frame] = {}
        self._delivery: asyncio.Task[None] | None = None

    def tell(self, topic: str, frame: Frame) -> None:
        """Send ``frame`` as soon as the socket takes it, unless a newer one of the topic comes first."""
        self._waiting[topic] = frame
        if self._delivery is None:
            self._delivery = asyncio.create_task(self._deliver())

    def forget(self) -> None:
        """Nothing more is sent."""
        self._waiting.clear()
        if self._delivery is not None:
            self._delivery.cancel()

    async def _deliver(self) -> None:
        try:
            while self._waiting:
                await self._send(self._waiting.pop(next(iter(self._waiting))))
        except (OSError, RuntimeError) as error:
            # What servers raise for a socket that is gone; whoever listens to it hears the same and leaves.
            log.debug("a page was not told: %s", error)
        finally:
            self._delivery = None


class Hub:
    """All open pages of this process, and the one task that looks for them; it rests while there are none."""

    def __init__(
        self,
        read: Callable[[Collection[str]], dict[str, int]] = read_revisions,
        *,
        seconds_between_looks: float = SECONDS_BETWEEN_LOOKS,
    ) -> None:
        self._read = read
        self._pause = seconds_between_looks
        self._pages: dict[str, set[Page]] = {}
        self._frames: dict[str, Frame] = {}
        self._revisions: dict[str, int] = {}
        self._readable = True
        self._heard: asyncio.Event | None = None  # ends the wait for the next look
        self._task: asyncio.Task[None] | None = None

    def join(self, page: Page) -> None:
        """Tell ``page`` where its topics stand, and of every change, until it leaves."""
        for topic in page.topics:
            self._pages.setdefault(topic, set()).add(page)
            if topic in self._frames:
                page.tell(topic, self._frames[topic])
            elif self._heard is not None:
                self._heard.set()
        if self._task is None:
            self._task = asyncio.create_task(self._watch())

    def leave(self, page: Page) -> None:
        page.forget()
        for topic in page.topics:
            self._pages[topic].discard(page)
            if not self._pages[topic]:
                del self._pages[topic]
                self._frames.pop(topic, None)
                self._revisions.pop(topic, None)

    def tell(self, revisions: dict[str, int]) -> None:
        """Tell every page what is new to it. One frame is built for all of them."""
        for topic, number in revisions.items():
            if topic in self._pages and self._revisions.get(topic) != number:
                self._revisions[topic] = number
                text = json.dumps({"topic": topic, "revision": number})
                self._frames[topic] = frame = {"type": "websocket.send", "text": text}
                for page in self._pages[topic]:
                    page.tell(topic, frame)

    async def look(self, thread: ThreadPoolExecutor | None = None) -> None:
        """Read the revisions now and tell what is new."""
        topics = frozenset(self._pages)
        self.tell(await asyncio.get_running_loop().run_in_executor(thread, self._read, topics))

    async def close(self) -> None:
        """Forget all pages and end the task."""
        for page in {page for pages in self._pages.values() for page in pages}:
            self.leave(page)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self) -> None:
        try:
            while self._pages:
                await self._watch_open_pages()
                self._frames.clear()
                self._revisions.clear()
        finally:
            self._task = None

    async def _watch_open_pages(self) -> None:
        subscription = Subscription()
        self._heard = subscription.heard
        keeper = asyncio.create_task(subscription.keep())
        # A thread of its own: a look never waits behind a request, and keeps one connection while it lasts.
        with ThreadPoolExecutor(1, thread_name_prefix="live") as thread:
            try:
                while self._pages:
                    subscription.heard.clear()
                    await self._look_carefully(thread)
                    await asyncio.sleep(self._pause)
                    if subscription.stands:
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(subscription.heard.wait(), SECONDS_WITHOUT_NEWS)
            finally:
                self._heard = None
                thread.submit(_disconnect)
                keeper.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await keeper

    async def _look_carefully(self, thread: ThreadPoolExecutor) -> None:
        try:
            await self.look(thread)
            self._readable = True
        except Exception:
            if self._readable:
                log.exception("the revisions cannot be read; the next look follows")
            self._readable = False
            await asyncio.get_running_loop().run_in_executor(thread, _disconnect)


hub = Hub()
