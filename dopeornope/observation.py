"""Around everything a web process answers: a request's id, its line in the log, and what is counted.

Whoever answers a request says the name of its route (`search.log_context.name_route`); paths never become
labels or lines, since they hold ids and tokens.
"""

import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus
from typing import Any

from django.conf import settings
from prometheus_client import Counter, Gauge, Histogram

from search.log_context import REQUEST, RequestMark

# Loosely typed, because the stubs of Django and of Channels describe these in ways that exclude each other.
Scope = Any
Message = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Message], Awaitable[None]]
Application = Any

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# What a proxy may call a request: nothing that could be mistaken for anything else in a line of the log.
REQUEST_ID = re.compile(rb"[0-9A-Za-z_-]{8,64}")

REQUEST_SECONDS = Histogram(
    "dopeornope_request_seconds",
    "From a request's arrival to the last byte of its answer.",
    ["route", "method", "status"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
SOCKETS = Gauge("dopeornope_sockets", "Sockets that are open now.", multiprocess_mode="livesum")
SOCKETS_REFUSED = Counter("dopeornope_sockets_refused", "Sockets that were refused before the handshake.")
SOCKET_MESSAGES = Counter("dopeornope_socket_messages", "Messages sent over sockets.")

access = logging.getLogger("dopeornope.access")


class Observed:
    """The outermost application of a web process."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._static = f"/{settings.STATIC_URL.strip('/')}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._talk(scope, receive, send)
        else:
            await self._application(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        begin = time.perf_counter()
        mark = RequestMark(_find_given_id(scope) or secrets.token_hex(8))
        before = REQUEST.set(mark)
        status = 0

        # Not a coroutine of its own: every message of every answer passes here.
        def observe(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (b"x-request-id", mark.id.encode())]
                message = {**message, "headers": headers}
            return send(message)

        try:
            await self._application(scope, receive, observe)
        except Exception:
            status = status or HTTPStatus.INTERNAL_SERVER_ERROR
            raise
        finally:
            self._note(scope, mark, status, time.perf_counter() - begin)
            REQUEST.reset(before)

    def _note(self, scope: Scope, mark: RequestMark, status: int, seconds: float) -> None:
        if not mark.route:
            mark.route = "static" if scope["path"].startswith(self._static) else "unknown"
        method = scope["method"] if scope["method"] in METHODS else "other"
        _histogram(mark.route, method, status).observe(seconds)
        if access.isEnabledFor(logging.INFO):
            facts = {"method": method, "status": status, "duration_ms": round(seconds * 1000, 2)}
            access.info("%s %s %d", method, mark.route, status, extra=facts)

    async def _talk(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_open = False

        def observe(message: Message) -> Awaitable[None]:
            nonlocal is_open
            if message["type"] == "websocket.send":
                SOCKET_MESSAGES.inc()
            elif message["type"] == "websocket.accept":
                SOCKETS.inc()
                is_open = True
            elif message["type"] == "websocket.close" and not is_open:
                SOCKETS_REFUSED.inc()
            return send(message)

        try:
            await self._application(scope, receive, observe)
        finally:
            if is_open:
                SOCKETS.dec()


@cache
def _histogram(route: str, method: str, status: int) -> Histogram:
    # Status 0: the visitor left before there was one.
    return REQUEST_SECONDS.labels(route, method, str(status) if status else "none")


def _find_given_id(scope: Scope) -> str:
    """What the proxy in front calls this request; empty where there is none, or where it calls it oddly."""
    if settings.TRUSTED_PROXIES:
        for header, value in scope["headers"]:
            if header == b"x-request-id":
                return value.decode() if REQUEST_ID.fullmatch(value) else ""
    return ""
