"""The one socket: `/ws/live/?topics=leaderboard,jobs` tells a page when to fetch its fragments again."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.contrib.auth.models import AnonymousUser

from search.live import Hub, Page, may_watch

UNWANTED = 1008  # policy violation: pages send nothing


class LiveSocket:
    """An ASGI application of its own, because what a consumer does for each frame costs ten times the frame.

    Refuses before the handshake whoever asks for a topic that is unknown or not for them.
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
        user = scope["user"] or AnonymousUser()
        if not topics or not await database_sync_to_async(may_watch)(user, topics):
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
