"""Two ways to tell open leaderboards of a revision, each behind one uvicorn: ours, and plain Channels.

BENCH_WAY=ours: the product's socket at `/ws/live/`, with the metrics and the origin check around it; the hub
reads a number from memory instead of the database; each message on `/more/` has it look, without its pause.
BENCH_WAY=memory, pubsub or core (channel layers): the consumer of Channels' tutorial, `group_add` for each
socket and one `group_send` for each message on `/more/`. Both send the same frames.
"""

import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dopeornope.settings")
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402  # needs the apps
from channels.layers import get_channel_layer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import path  # noqa: E402

from dopeornope.asgi import SameOriginOnly, live  # noqa: E402
from dopeornope.observation import Observed  # noqa: E402
from search.consumers import LiveSocket  # noqa: E402
from search.live import Hub  # noqa: E402

WAY = os.environ["BENCH_WAY"]
REDIS = {"address": os.environ["BENCH_REDIS"], "max_connections": 1000}
LAYERS = {
    "memory": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}},
    "pubsub": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS]}},
    "core": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [REDIS], "capacity": 1000},
    },
}
if WAY != "ours":
    settings.CHANNEL_LAYERS = {"default": LAYERS[WAY]}

numbers = {"leaderboard": 0}
hub = Hub(lambda topics: dict(numbers))


class Board(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.channel_layer.group_add("boards", self.channel_name)
        await self.accept()
        await self.board_changed(numbers)

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard("boards", self.channel_name)

    async def board_changed(self, event: dict[str, Any]) -> None:
        frame = {"topic": "leaderboard", "revision": event["leaderboard"]}
        await self.send(text_data=json.dumps(frame))


async def broadcast() -> None:
    numbers["leaderboard"] += 1
    if WAY == "ours":
        await hub.look()
    else:
        await get_channel_layer().group_send("boards", {"type": "board.changed", **numbers})


async def more(
    scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """One broadcast for each message."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "ask"})
    while (await receive())["type"] == "websocket.receive":
        await broadcast()


boards: Any = [
    path("ws/live/", SameOriginOnly(LiveSocket(hub))),
    path("plain/", Board.as_asgi()),
    path("more/", more),
]
application = Observed(ProtocolTypeRouter({"websocket": URLRouter(boards), "lifespan": live}))
