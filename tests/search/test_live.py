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
from search.live import Hub, Page, hub

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


class Reader:
    """A page's socket that takes a frame only when it is told to."""

    def __init__(self) -> None:
        self.taken: list[dict] = []
        self.may_take = asyncio.Event()

    async def send(self, frame: dict) -> None:
        await self.may_take.wait()
        self.taken.append(json.loads(frame["text"]))


def revised(topic: str, number: int) -> dict:
    return {"topic": topic, "revision": number}


async def until(fulfilled) -> None:
    """Let the loop go on until something has happened."""
    async with asyncio.timeout(5):
        while not fulfilled():
            await asyncio.sleep(0.001)


def test_a_slow_page_gets_the_newest_revision_and_holds_up_nobody():
    async def scenario() -> None:
        hub = Hub(lambda: {})
        slow, quick = Reader(), Reader()
        quick.may_take.set()
        for reader in (slow, quick):
            hub.join(Page(["leaderboard", "catalogues"], reader.send))
        for number in range(1, 51):
            hub.tell({"catalogues": 7, "leaderboard": number})
            await until(lambda number=number: quick.taken[-1:] == [revised("leaderboard", number)])
        slow.may_take.set()
        await until(lambda: len(slow.taken) == 2)
        assert slow.taken == [
            revised("catalogues", 7),
            revised("leaderboard", 50),
        ]
        await hub.close()

    asyncio.run(scenario())


def test_a_page_whose_socket_is_gone_disturbs_no_other():
    async def gone(frame: dict) -> None:
        raise ConnectionResetError

    async def scenario() -> None:
        hub = Hub(lambda: {})
        reader = Reader()
        reader.may_take.set()
        hub.join(Page(["leaderboard"], gone))
        hub.join(Page(["leaderboard"], reader.send))
        for number in (1, 2):
            hub.tell({"leaderboard": number})
            await until(
                lambda number=number: (
                    reader.taken == [revised("leaderboard", seen) for seen in range(1, number + 1)]
                )
            )
        await hub.close()

    asyncio.run(scenario())


def test_a_late_page_is_told_at_once_where_its_topics_stand():
    async def scenario() -> None:
        hub = Hub(lambda: {"leaderboard": 4}, seconds_between_looks=60)
        readers = Reader(), Reader()
        for reader in readers:
            reader.may_take.set()
            hub.join(Page(["leaderboard"], reader.send))
            await until(lambda reader=reader: reader.taken == [revised("leaderboard", 4)])
        await hub.close()

    asyncio.run(scenario())


def test_revisions_that_cannot_be_read_are_read_later(caplog):
    async def scenario() -> None:
        answers = iter([OSError("no database"), OSError("no database"), {"leaderboard": 2}])

        def read() -> dict[str, int]:
            answer = next(answers, {"leaderboard": 2})
            if isinstance(answer, OSError):
                raise answer
            return answer

        hub = Hub(read, seconds_between_looks=0)
        reader = Reader()
        reader.may_take.set()
        hub.join(Page(["leaderboard"], reader.send))
        await until(lambda: reader.taken == [revised("leaderboard", 2)])
        await hub.close()

    asyncio.run(scenario())
    assert sum("cannot be read" in record.message for record in caplog.records) == 1


def test_nothing_is_read_while_no_page_is_open():
    async def scenario() -> None:
        looks = []

        def read() -> dict[str, int]:
            looks.append(1)
            return {}

        hub = Hub(read, seconds_between_looks=0)
        page = Page(["leaderboard"], Reader().send)
        hub.join(page)
        await until(lambda: looks)
        task = hub._task
        hub.leave(page)
        await task
        seen = len(looks)
        assert hub._task is None
        hub.join(page)
        await until(lambda: len(looks) > seen)
        await hub.close()

    asyncio.run(scenario())
