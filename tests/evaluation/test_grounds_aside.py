"""While a ground is opened, which can take seconds, other pages answer."""

import asyncio
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from asgiref.sync import SyncToAsync
from django.db import connections
from django.test import AsyncClient

from evaluation.services import game_grounds
from tests.evaluation.finding import Visitor, forget_opened, make_ground
from tests.evaluation.racing import Guest
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_S = 20.0
NEW = {"catalogue": "demo", "k": "4"}


def begin_game(guest):
    return "/find/begin/", NEW


def begin_daily(guest):
    guest.client.get("/find/daily/")
    return "/find/daily/begin/", {"number": "1"}


def make_daily(guest):
    return "/find/daily/", None


def move(guest):
    guest.begin()
    return f"/find/games/{guest.game}/moves/", {"turn": "1", "kind": "unsure"}


def open_race(guest):
    return "/find/races/open/", NEW


def start_race(guest):
    guest.open()
    other = Guest()
    other.visit(guest.code)
    other.do("join", nickname="Bob")
    return f"/find/races/{guest.code}/start/", {}


@pytest.mark.parametrize("prepare", [begin_game, begin_daily, make_daily, move, open_race, start_race])
def test_pages_answer_while_a_ground_is_opened(prepare):
    make_ground()
    guest = Guest()
    path, fields = prepare(guest)
    guest.page = guest.client.get("/find/")
    sitting = guest.sitting
    forget_opened()
    with somebody_opens() as done:
        sent = None if fields is None else {"sitting": sitting, **fields}
        assert asyncio.run(ask_and_look(guest, path, sent, done)) < 400


async def ask_and_look(guest: Visitor, path: str, fields: dict[str, str] | None, done: Event) -> int:
    """The status of the answer to this request; another page answers before it."""
    client = AsyncClient()
    client.cookies = guest.client.cookies
    request = client.get(path) if fields is None else client.post(path, fields)
    asked = asyncio.create_task(request)
    try:
        await asyncio.to_thread(wait_until, lambda: somebody_waits() or asked.done())
        page = await asyncio.wait_for(client.get("/find/"), PATIENCE_S)
        assert page.status_code == 200 and not asked.done()
    finally:
        done.set()
    return (await asked).status_code


@contextmanager
def somebody_opens() -> Iterator[Event]:
    """Another ground is being opened until this event."""
    begun, done = Event(), Event()

    def open_slowly():
        begun.set()
        assert done.wait(10 * PATIENCE_S)
        raise game_grounds.GroundLost("It was only there to take long.")

    try:
        with ThreadPoolExecutor(1) as opener:
            opener.submit(game_grounds.grounds.get, "slow", open_slowly)
            assert begun.wait(PATIENCE_S)
            yield done
    finally:
        # Of the thread in which Django's code ran.
        SyncToAsync.single_thread_executor.submit(connections.close_all).result()


def somebody_waits() -> bool:
    """Whether a second thread wants a ground; the first is the one that opens."""
    asking = game_grounds.Kept.get.__code__
    tops = sys._current_frames().values()
    return sum(any(frame.f_code is asking for frame in follow(top)) for top in tops) > 1


def follow(frame):
    while frame is not None:
        yield frame
        frame = frame.f_back
