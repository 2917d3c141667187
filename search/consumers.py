"""The one socket: `/ws/live/?topics=leaderboard,jobs` tells a page when to fetch its fragments again."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import AnonymousUser

from search.live import Watcher, hub, may_watch

UNWANTED = 1008  # policy violation: pages send nothing


class LiveConsumer(AsyncWebsocketConsumer):
    """Refuses before the handshake whoever asks for a topic that is unknown or not for them."""

    channel_layer_alias = ""  # The hub fans out: a socket needs no subscription of its own.
    watcher: Watcher | None = None
    sender: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        query = parse_qs(self.scope["query_string"].decode("latin1"))
        topics = {topic for value in query.get("topics", []) for topic in value.split(",") if topic}
        user = self.scope["user"] or AnonymousUser()
        if not topics or not await database_sync_to_async(may_watch)(user, topics):
            await self.close()
            return
        await self.accept()
        self.watcher = Watcher(topics)
        hub.join(self.watcher)
        self.sender = asyncio.create_task(self._tell(self.watcher))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.close(code=UNWANTED)

    async def disconnect(self, code: int) -> None:
        if self.watcher is not None:
            hub.leave(self.watcher)
        if self.sender is not None:
            self.sender.cancel()

    async def _tell(self, watcher: Watcher) -> None:
        while True:
            for topic, revision in (await watcher.next_news()).items():
                frame: dict[str, Any] = {"topic": topic, "revision": revision}
                await self.send(text_data=json.dumps(frame))
