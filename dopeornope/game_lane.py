"""The game's requests, answered before Django's handler.

Django walks each request through ten middlewares, most of them with a hop to a thread and back: several
times the cost of a vote. The game's handlers use none of what those prepare (no session, no user, no CSRF
cookie), so here they are called directly. What the handler would refuse (a foreign host, plain HTTP where TLS
is on) and whatever is out of the ordinary goes to the handler, and every answer carries the headers that its
middleware gives to answers.
"""

import io
from collections.abc import Awaitable, Callable
from http.cookies import CookieError
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import HttpRequest, HttpResponse, parse_cookie
from django.http.request import split_domain_port, validate_host
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from evaluation.views import play
from evaluation.views.calls import Call, Reply
from evaluation.views.player_cookie import COOKIE
from search.log_context import name_route

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

# Fifty votes are 8 kB. What is larger, or does not say how large it is, takes the long way.
LARGEST_BODY = 64 * 1024
# Of an answer, not of the site.
OF_ONE_ANSWER = {"content-length", "content-type"}


class GameLane:
    """Answers the game's calls; everything else is for ``application``."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._handlers = {
            reverse("play-deals"): ("play-deals", play.deals),
            reverse("play-votes"): ("play-votes", play.votes),
            reverse("play-undo"): ("play-undo", play.undo),
        }
        self._one_vote = reverse("play-votes")
        self._hosts: set[str] = set()
        self._site_headers: Headers | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        route, handler, parts = self._find_handler(scope)
        headers = dict(scope["headers"]) if handler else {}
        site = self._find_site(scope, headers) if handler else ""
        if handler is None or not site or not _is_short(headers):
            await self._application(scope, receive, send)
            return
        name_route(route)
        if self._site_headers is None:
            self._site_headers = await _learn_headers(scope)
        body = await _read_body(receive)
        if body is None:
            return
        call = Call(
            body=body,
            sitting=headers.get(b"x-sitting", b"").decode("latin1"),
            player_cookie=_find_cookie(headers.get(b"cookie", b"")),
            origin=headers[b"origin"].decode("latin1") if b"origin" in headers else None,
            site=site,
            address=(scope.get("client") or ("",))[0],
        )
        await _answer(await handler(call, **parts), self._site_headers, send)

    def _find_handler(self, scope: dict[str, Any]) -> tuple[str, play.Handler | None, dict[str, str]]:
        path = scope["path"]
        if scope["method"] != "POST":
            return "", None, {}
        if path in self._handlers:
            return *self._handlers[path], {}
        deal = path.removeprefix(self._one_vote)
        if len(deal) < len(path) and deal.endswith("/") and "/" not in deal[:-1] and len(deal) > 1:
            return "play-vote", play.vote, {"deal": deal[:-1]}
        return "", None, {}

    def _find_site(self, scope: dict[str, Any], headers: dict[bytes, bytes]) -> str:
        """Scheme and host as the visitor sees them; empty where the handler would refuse the request."""
        if settings.TLS and scope["scheme"] != "https":
            return ""
        host = headers.get(b"host", b"").decode("latin1")
        if host not in self._hosts:
            if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
                return ""
            if len(self._hosts) < 100:
                self._hosts.add(host)
        return f"{scope['scheme']}://{host}"


class _Bare(ASGIHandler):
    """The handler with all its middleware around an empty answer that no cache keeps."""

    async def _get_response_async(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        add_never_cache_headers(response)
        return response


async def _learn_headers(scope: dict[str, Any]) -> Headers:
    """What the middleware adds to every answer, whoever gives it."""
    response = await _Bare().get_response_async(ASGIRequest({**scope, "method": "GET"}, io.BytesIO()))
    return [
        (name.lower().encode(), value.encode("latin1"))
        for name, value in response.items()
        if name.lower() not in OF_ONE_ANSWER
    ]


def _is_short(headers: dict[bytes, bytes]) -> bool:
    length = headers.get(b"content-length", b"")
    # Where a body comes in chunks the length beside it says nothing.
    return b"transfer-encoding" not in headers and length.isdigit() and int(length) <= LARGEST_BODY


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body; None where the visitor left before it had come."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


def _find_cookie(header: bytes) -> str:
    if not header:
        return ""
    try:
        return parse_cookie(header.decode("latin1")).get(COOKIE, "")
    except CookieError:
        return ""


async def _answer(reply: Reply, site_headers: Headers, send: Send) -> None:
    body = reply.body()
    own = [(name.lower().encode(), value.encode("latin1")) for name, value in reply.headers().items()]
    length = (b"content-length", str(len(body)).encode())
    headers = [*site_headers, *own, length]
    await send({"type": "http.response.start", "status": int(reply.status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
