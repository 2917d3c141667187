"""The one socket: `/ws/live/?topics=leaderboard,jobs` tells a page when to fetch its fragments again."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async

from search.live import MOST_TOPICS, PUBLIC_TOPICS, Hub, Page, may_watch
from search.selectors.sessions import find_user

UNWANTED = 1008  # policy violation: pages send nothing


class LiveSocket:
    """An ASGI application of its own, because what a consumer does for each frame costs ten times the frame.

    It wants the server's own `send`: Channels' session middleware would look at every frame, to save what may
    have changed. Refuses before the handshake whoever asks for too many topics, or for one that is unknown or
    not for them.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        await receive()  # the browser asks to connect
        query = parse_qs(scope["query_string"].decode("latin1"))
        topics = {topic for value in query.get("topics", []) for topic in value.split(",") if topic}
        if not 0 < len(topics) <= MOST_TOPICS or not await _may_watch(scope, topics):
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        page = Page(topics, send)
        self._hub.join(page)
        try:
            message = await receive()
        finally:
            self._hub.leave(page)
        if message["type"] == "websocket.receive":
            await send({"type": "websocket.close", "code": UNWANTED})


async def _may_watch(scope: Any, topics: set[str]) -> bool:
    """Who asks is looked up only where it matters."""
    if topics <= PUBLIC_TOPICS:
        return True
    return await database_sync_to_async(lambda: may_watch(find_user(scope["headers"]), topics))()
