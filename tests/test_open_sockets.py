"""How many pages of one network may be open: who comes after them is refused until one leaves."""

import asyncio
from typing import Any

from dopeornope.open_sockets import OpenSockets

HERE, ELSEWHERE = ("203.0.113.7", 4711), ("203.0.113.8", 4711)


class Visit:
    """One page's socket, open until it leaves or breaks."""

    def __init__(self, limit: OpenSockets, client: Any) -> None:
        self.heard: list[str] = []
        self.left: asyncio.Queue[bool] = asyncio.Queue()
        scope = {"type": "websocket", "client": client}
        self.task = asyncio.create_task(limit(scope, self.left.get, self._hear))

    async def _hear(self, message: dict[str, Any]) -> None:
        self.heard.append(message["type"])

    async def leave(self, *, broken: bool = False) -> None:
        self.left.put_nowait(broken)
        await asyncio.gather(self.task, return_exceptions=True)


async def talk(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept"})
    if await receive():
        raise ConnectionError


async def visit(limit: OpenSockets, client: Any) -> tuple[Visit, str]:
    one = Visit(limit, client)
    await asyncio.sleep(0)  # lets it say hello
    return one, one.heard[0].removeprefix("websocket.")


def test_so_many_pages_of_a_network_are_open_and_no_more(settings) -> None:
    settings.PLAYERS_PER_NETWORK = 2
    asyncio.run(come_and_go())


async def come_and_go() -> None:
    limit = OpenSockets(talk)
    for client in (ELSEWHERE, None, HERE):
        visits = [await visit(limit, client) for _ in range(7)]
        assert [said for _, said in visits] == ["accept"] * 6 + ["close"]
    await visits[0][0].leave()
    await visits[1][0].leave(broken=True)
    again = [await visit(limit, HERE) for _ in range(3)]  # kept: what is collected leaves
    assert [said for _, said in again] == ["accept", "accept", "close"]
