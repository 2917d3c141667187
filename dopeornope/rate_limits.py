"""What everybody behind one address may ask for in a minute, refused before Django sees it.

Budgets are sized for a class of players behind one address, see docs/decisions/limits.md. What one player may
do is limited in the game's views, where the player is known.
"""

import json
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from math import ceil
from typing import Any

from django.conf import settings

from dopeornope.plain_answers import TEXT, send_plain
from evaluation.services.limits import Limiter, network_of
from search.selectors.table_files import FORMATS
from search.views.access import parse_bearer

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

DOWNLOADS = ("/leaderboard/export.", "/find/leaderboard/export.", "/accounts/my-data/")
TABLES = ("/operations/", "/annotate/")  # what lies below and ends like a file is one
ENDINGS = (".json", *(f".{suffix}" for suffix in FORMATS))
OF_A_TOKEN = 60.0  # requests a minute


class Budget:
    """``each`` per minute for every player that one address may have, ``minutes`` of it at once.

    ``json_field``: under which name programs find the refusal; people are shown it as it is.
    """

    def __init__(self, *, each: float, minutes: float, json_field: str = "") -> None:
        self.json_field = json_field
        self.limiter = Limiter(lambda: settings.PLAYERS_PER_NETWORK * each, minutes=minutes)


class RateLimits:
    """Answers 429 with `Retry-After` where a network has spent its budget; sockets are denied."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._play = Budget(each=60, minutes=0.5, json_field="message")
        self._finds = Budget(each=60, minutes=0.5)
        self._decks = Budget(each=6, minutes=1)
        self._accounts = Budget(each=1, minutes=2)
        self._searches = Budget(each=12, minutes=0.5)
        self._photos = Budget(each=3, minutes=1, json_field="message")
        self._downloads = Budget(each=1, minutes=1)
        self._api = Budget(each=3, minutes=1, json_field="detail")
        self._sockets = Budget(each=6, minutes=1)
        self._token = Limiter(lambda: OF_A_TOKEN, minutes=1)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        budget = self._find_budget(scope)
        if budget is not None:
            client = scope.get("client") or ("", 0)
            wait = budget.limiter.take(network_of(client[0]), now=time.monotonic())
            whose = "from your network"
            if budget in (self._api, self._downloads) and not wait:
                wait, whose = self._spend_token(scope), "with your token"
            if wait and scope["type"] == "websocket":
                await send({"type": "websocket.close"})  # before it was accepted: the handshake fails
                return
            if wait:
                await _refuse(send, budget, ceil(wait), whose)
                return
        await self._application(scope, receive, send)

    def _spend_token(self, scope: Scope) -> float:
        """Wherever its program runs, and however it writes the header, a token has one budget.

        Whether it is one of ours is not asked here.
        """
        sent = dict(scope["headers"]).get(b"authorization", b"").decode("latin1")
        token = parse_bearer(sent)
        return 0.0 if token is None else self._token.take(token.encode(), now=time.monotonic())

    def _find_budget(self, scope: Scope) -> Budget | None:
        if scope["type"] == "websocket":
            return self._sockets
        path, posted = scope["path"], scope["method"] == "POST"
        if path.startswith("/play/"):
            return self._play if posted else self._decks
        if path.startswith("/find/") and posted:
            return self._finds
        if path.startswith("/search/") and not path.endswith(".webp"):
            return self._photos if posted else self._searches
        if path.startswith("/api/"):
            return self._api
        if path.startswith(DOWNLOADS) or (path.startswith(TABLES) and path.endswith(ENDINGS)):
            return self._downloads
        return self._accounts if posted and path.startswith("/accounts/") else None


async def _refuse(send: Send, budget: Budget, wait_s: int, whose: str) -> None:
    text = f"Too much was asked for {whose}. Try again in {wait_s} seconds."
    await send_plain(
        send,
        HTTPStatus.TOO_MANY_REQUESTS,
        json.dumps({budget.json_field: text}) if budget.json_field else f"{text}\n",
        content_type="application/json" if budget.json_field else TEXT,
        headers={"retry-after": str(wait_s)},
    )
