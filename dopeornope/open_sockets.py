"""How many pages everybody behind one address may keep open at once, refused before the handshake."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final

from django.conf import settings

from evaluation.services.limits import network_of

# Of one player.
MOST_PAGES: Final = 3

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Any, Any], Awaitable[None]]


class OpenSockets:
    """Counts this process's sockets by network, which it knows for no longer than they are open."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._open: Counter[bytes] = Counter()

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        network = network_of((scope.get("client") or ("", 0))[0])
        if self._open[network] >= MOST_PAGES * settings.PLAYERS_PER_NETWORK:
            await send({"type": "websocket.close"})
            return
        self._open[network] += 1
        try:
            await self._application(scope, receive, send)
        finally:
            self._open[network] -= 1
            if not self._open[network]:
                del self._open[network]
