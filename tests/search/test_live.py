"""The socket: who may watch what, and what a page is told."""

import asyncio
import json

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.contrib.auth.models import Group, User
from django.db import connections, transaction
from django.test import Client

from dopeornope.asgi import SameOriginOnly
from search import events
from search.consumers import LiveSocket
from search.live import hub
from tests.search.frames import revised

HOST = (b"host", b"localhost:8000")
OURS = (b"origin", b"http://localhost:8000")


async def finish() -> None:
    """Leave no task and no connection behind."""
    await hub.close()
    await database_sync_to_async(connections.close_all)()


class Socket(ApplicationCommunicator):
    """A browser's end of a socket. (Channels' own helper needs its web server installed.)"""

    async def connect(self) -> bool:
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(5))["type"] == "websocket.accept"

    async def frame(self) -> dict:
        return json.loads((await self.receive_output(5))["text"])

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(5)


def open_socket(topics: str, *, user: User | None = None, headers: tuple = (HOST, OURS)) -> Socket:
    if user is not None:
        browser = Client()
        browser.force_login(user)
        headers = (*headers, (b"cookie", browser.cookies.output(header="", sep=";").strip().encode()))
    query = f"topics={topics}".encode()
    scope = {"type": "websocket", "path": "/ws/live/", "query_string": query, "headers": list(headers)}
    return Socket(SameOriginOnly(LiveSocket(hub)), scope)


def make_user(name: str, group: str | None = None) -> User:
    user = User.objects.create_user(name)
    if group:
        user.groups.add(Group.objects.create(name=group))
    return user


def raise_revision(topic: str) -> None:
    with transaction.atomic():
        events.bump(topic)


@pytest.mark.django_db(transaction=True)
def test_a_page_learns_where_its_topics_stand_and_then_each_change():
    async def scenario() -> None:
        socket = open_socket("leaderboard,catalogues")
        assert await socket.connect()
        first = [await socket.frame() for _ in range(2)]
        assert {frame["topic"]: frame["revision"] for frame in first} == {"leaderboard": 0, "catalogues": 0}
        await database_sync_to_async(raise_revision)("leaderboard")
        assert await socket.frame() == revised("leaderboard", 1)
        await socket.disconnect()
        await finish()

    asyncio.run(scenario())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("role", "topics", "opens"),
    [
        (None, "leaderboard", True),
        (None, "jobs", False),
        (None, "leaderboard,jobs", False),
        ("analyst", "jobs", False),
        ("operator", "jobs,leaderboard", True),
        (None, "exclusions", False),
        (None, "leaderboard,rankings", False),
        ("annotator", "exclusions", False),
        ("annotator", "rankings", False),
        ("analyst", "exclusions,rankings,leaderboard", True),
        ("analyst", "exclusions,jobs", False),
        ("operator", "exclusions,rankings,jobs", True),
        ("operator", "secrets", False),
        ("operator", "", False),
    ],
)
def test_topics_open_only_to_those_who_may_see_them(role, topics, opens):
    socket = open_socket(topics, user=make_user("ada", role) if role else None)

    async def scenario() -> bool:
        opened = await socket.connect()
        await socket.disconnect()
        await finish()
        return opened

    assert asyncio.run(scenario()) == opens


RACE = "race:0123456789ab"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("topics", "opens"),
    [
        (RACE, True),
        (f"{RACE},leaderboard", True),
        (f"{RACE},jobs", False),
        (f"{RACE},race:ba9876543210", False),  # there is none
        ("race:", False),
        ("race:0123456789ab0", False),
        ("race:%00123456789ab", False),
        ("race:0123456789aB", False),
        (",".join(f"race:{number:012d}" for number in range(8)), True),
        (",".join(f"race:{number:012d}" for number in range(9)), False),
        (",".join(f"race:{number:012d}" for number in range(1000)), False),
    ],
)
def test_a_race_is_open_to_whoever_knows_its_code(topics, opens):
    for topic in [RACE, *(f"race:{number:012d}" for number in range(10))]:
        raise_revision(topic)
    socket = open_socket(topics)

    async def scenario() -> bool:
        opened = await socket.connect()
        await socket.disconnect()
        await finish()
        return opened

    assert asyncio.run(scenario()) == opens


@pytest.mark.django_db(transaction=True)
def test_a_page_of_a_race_hears_of_that_race_alone_also_where_others_have_been_open_for_long():
    other = "race:ba9876543210"

    async def scenario() -> None:
        for topic in (RACE, other):
            await database_sync_to_async(raise_revision)(topic)
        pages = open_socket(other), open_socket(RACE)
        for page, topic in zip(pages, (other, RACE), strict=True):
            assert await page.connect()
            assert await page.frame() == revised(topic, 1)
        for topic in (other, RACE):
            await database_sync_to_async(raise_revision)(topic)
        assert [await page.frame() for page in pages] == [revised(other, 2), revised(RACE, 2)]
        for page in pages:
            await page.disconnect()
        await finish()

    asyncio.run(scenario())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("headers", "opens"),
    [
        ((HOST, OURS), True),
        ((HOST,), False),
        ((HOST, (b"origin", b"null")), False),
        ((HOST, (b"origin", b"https://localhost:8000")), False),
        ((HOST, (b"origin", b"http://localhost:9000")), False),
        ((HOST, (b"origin", b"http://evil.example")), False),
        (((b"host", b"evil.example"), (b"origin", b"http://evil.example")), False),
    ],
)
def test_37_pages_of_other_origins_are_refused_before_the_handshake(headers, opens):
    async def scenario() -> bool:
        socket = open_socket("leaderboard", headers=headers)
        opened = await socket.connect()
        await socket.disconnect()
        await finish()
        return opened

    assert asyncio.run(scenario()) == opens


@pytest.mark.django_db(transaction=True)
def test_a_page_that_talks_is_shown_out():
    async def scenario() -> int:
        socket = open_socket("leaderboard")
        await socket.connect()
        await socket.send_input({"type": "websocket.receive", "text": "hello"})
        while (message := await socket.receive_output(5))["type"] != "websocket.close":
            pass
        await finish()
        return message["code"]

    assert asyncio.run(scenario()) == 1008
