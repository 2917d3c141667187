"""Bodies too large for the address they are sent to are cut off while they arrive, not after.

Django reads a request's whole body, to disk where it is large, before any view can refuse it. Only an
operator may send a large one, and only to the import form; photos that people search with may be of the size
that cameras make.
"""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.urls import reverse

from dopeornope.plain_answers import send_plain, word_refusal
from search.engine.errors import DiskFull
from search.engine.files import disk_errors
from search.models import Role
from search.selectors.roles import has_role
from search.selectors.sessions import find_user

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]
PHOTO_BYTES = 10 * 1024 * 1024
# Where photos are sent to be searched with, on the page and through the API.
PHOTOS = re.compile(r"/search/[-\w]+/photos/|/api/search/[-\w]+/")
# Beside the file: the form's other fields and what multipart adds.
FORM_BYTES = 64 * 1024
# Who is refused goes on sending for a moment. Hanging up at once would break the connection under what is
# still on its way: proxies answer 502 then, and browsers show that page of theirs instead of the reason.
LINGERING_S = 5.0


class BodyLimit:
    """Answers 413 for a body over the limit, 507 for one that finds no space; what is left is thrown away."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        headers = scope["headers"]
        declared = dict(headers).get(b"content-length", b"0")
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if scope["path"] == reverse("operations-import") and await sync_to_async(_may_upload)(headers):
            limit = settings.UPLOAD_LIMIT_MB * 1024 * 1024 + FORM_BYTES
        elif PHOTOS.fullmatch(scope["path"]):
            limit = PHOTO_BYTES + FORM_BYTES
        if declared.isdigit() and int(declared) > limit:
            await _refuse(scope["path"], receive, send, *_too_large(limit))
            return
        meter = _Meter(scope["path"], receive, send, limit)
        try:
            with disk_errors(Path(tempfile.gettempdir())):
                await self._application(scope, meter.receive, meter.send)
        except DiskFull as error:
            await meter.refuse(HTTPStatus.INSUFFICIENT_STORAGE, str(error))
        if meter.cut:
            await meter.refuse(*_too_large(limit))


class _Meter:
    """Counts what a request brings; once it is too much, the application sees the visitor leave."""

    def __init__(self, path: str, receive: Receive, send: Send, limit: int) -> None:
        self._path = path
        self._receive, self._send, self._left = receive, send, limit
        self.cut = self._answered = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left >= 0:
            return message
        self.cut = True
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self._answered = True
        await self._send(message)

    async def refuse(self, status: HTTPStatus, reason: str) -> None:
        """Answer in the application's place, unless it has begun to."""
        if not self._answered:
            await _refuse(self._path, self._receive, self._send, status, reason)


def _may_upload(headers: list[tuple[bytes, bytes]]) -> bool:
    return has_role(find_user(headers), Role.OPERATOR)


def _too_large(limit: int) -> tuple[HTTPStatus, str]:
    return (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"This is too large: at most {limit // (1024 * 1024)} MB can be sent here.",
    )


async def _refuse(path: str, receive: Receive, send: Send, status: HTTPStatus, reason: str) -> None:
    """Answer, then let the rest arrive for `LINGERING_S` before the connection ends."""

    async def send_unfinished(message: Message) -> None:
        await send({**message, "more_body": True} if "body" in message else message)

    text, content_type = word_refusal(path, status, reason)
    await send_plain(
        send_unfinished, status, text, content_type=content_type, headers={"connection": "close"}
    )
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGERING_S):
            while (await receive()).get("more_body"):
                pass
    await send({"type": "http.response.body"})
