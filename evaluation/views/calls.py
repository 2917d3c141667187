"""A request of the game and its answer, whatever took the one and sends the other."""

import json
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from evaluation.views.player_cookie import COOKIE, set_player_cookie


@dataclass(frozen=True, slots=True)
class Call:
    """What the game reads of a request. ``site``: scheme and host it was sent to; ``address``: by whom."""

    body: bytes
    sitting: str
    player_cookie: str
    origin: str | None
    site: str
    address: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the game answers, always as JSON; ``remember`` is the key that the player's cookie shall hold."""

    told: Mapping[str, Any]
    status: HTTPStatus = HTTPStatus.OK
    retry_after: int | None = None
    remember: uuid.UUID | None = None

    def headers(self) -> dict[str, str]:
        """All but those that every answer of the site has."""
        headers = {"Content-Type": "application/json"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.remember is not None:
            jar = HttpResponse()
            set_player_cookie(jar, self.remember)
            headers["Set-Cookie"] = jar.cookies[COOKIE].OutputString()
        return headers

    def body(self) -> bytes:
        return json.dumps(self.told).encode()


def as_view(
    handler: Callable[..., Coroutine[Any, Any, Reply]],
) -> Callable[..., Coroutine[Any, Any, HttpResponse]]:
    """A Django view of what answers calls."""

    @csrf_exempt  # the sitting token takes its place, see player_cookie
    @never_cache
    @require_POST
    async def view(request: HttpRequest, **parts: str) -> HttpResponse:
        call = Call(
            body=_read_body(request),
            sitting=request.headers.get("X-Sitting", ""),
            player_cookie=request.COOKIES.get(COOKIE, ""),
            origin=request.headers.get("Origin"),
            site=f"{request.scheme}://{request.get_host()}",
            address=str(request.META.get("REMOTE_ADDR", "")),
        )
        reply = await handler(call, **parts)
        response = HttpResponse(reply.body(), content_type="application/json", status=reply.status)
        if reply.retry_after is not None:
            response["Retry-After"] = str(reply.retry_after)
        if reply.remember is not None:
            set_player_cookie(response, reply.remember)
        return response

    return view


def _read_body(request: HttpRequest) -> bytes:
    """The body; nothing where it came as a form with files, which is taken apart by now and no call."""
    try:
        return request.body
    except RawPostDataException:
        return b""
