"""The hub behind the sockets: what it reads, and that no page waits for another."""

import asyncio
import json

from search.live import Hub, Page
from tests.search.frames import revised


class Reader:
    """A page's socket that takes a frame only when it is told to."""

    def __init__(self) -> None:
        self.taken: list[dict] = []
        self.may_take = asyncio.Event()

    async def send(self, frame: dict) -> None:
        await self.may_take.wait()
        self.taken.append(json.loads(frame["text"]))


async def until(fulfilled) -> None:
    """Let the loop go on until something has happened."""
    async with asyncio.timeout(5):
        while not fulfilled():
            await asyncio.sleep(0.001)


def test_a_slow_page_gets_the_newest_revision_and_holds_up_nobody():
    async def scenario() -> None:
        hub = Hub(lambda topics: {})
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
        hub = Hub(lambda topics: {})
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


def test_what_no_page_watches_is_neither_read_nor_remembered():
    asked = []

    def read(topics) -> dict[str, int]:
        asked.append(set(topics))
        return dict.fromkeys(["leaderboard", "catalogues"], 1)

    async def scenario() -> None:
        hub = Hub(read, seconds_between_looks=0)
        reader = Reader()
        reader.may_take.set()
        stays, goes = Page(["leaderboard"], reader.send), Page(["catalogues"], reader.send)
        hub.join(stays)
        hub.join(goes)
        await until(lambda: len(reader.taken) == 2)
        hub.leave(goes)
        await until(lambda: asked[-1] == {"leaderboard"})
        assert set(hub._frames) == set(hub._revisions) == {"leaderboard"}
        await hub.close()

    asyncio.run(scenario())


def test_a_late_page_is_told_at_once_where_its_topics_stand():
    async def scenario() -> None:
        hub = Hub(lambda topics: {"leaderboard": 4}, seconds_between_looks=60)
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

        def read(topics) -> dict[str, int]:
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

        def read(topics) -> dict[str, int]:
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
