"""Forms with files are taken apart before anything asks for their fields, and where nobody waits for it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.utils.decorators import async_only_middleware

from dopeornope.plain_answers import word_refusal
from search.engine.errors import DiskFull
from search.engine.files import disk_errors

UNREADABLE = "This form cannot be read: it is broken, or has too many fields or files. Send it anew, smaller."
Handler = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@async_only_middleware
def forms_apart(get_response: Handler) -> Handler:
    """Read multipart forms in a thread of their own.

    Without it the first to ask for a field, Django's protection against forged requests, would read and
    store gigabytes in the one thread that all pages share.
    """

    async def answer(request: HttpRequest) -> HttpResponseBase:
        if request.content_type == "multipart/form-data":
            try:
                await asyncio.to_thread(_take_apart, request)
            except DiskFull as error:
                return _refuse(request, HTTPStatus.INSUFFICIENT_STORAGE, str(error))
            except (MultiPartParserError, SuspiciousOperation):
                if request.path.startswith("/api/"):
                    return _refuse(request, HTTPStatus.BAD_REQUEST, UNREADABLE)
                raise
        return await get_response(request)

    return answer


def _refuse(request: HttpRequest, status: HTTPStatus, reason: str) -> HttpResponse:
    text, content_type = word_refusal(request.path, status, reason)
    return HttpResponse(text, status=status, content_type=content_type)


def _take_apart(request: HttpRequest) -> None:
    """Raises DiskFull with nothing left behind, and what Django raises for a form that cannot be read."""
    try:
        with disk_errors(settings.UPLOADS_FOLDER):
            _ = request.POST
    except DiskFull:
        for handler in request.upload_handlers:
            with contextlib.suppress(OSError):  # closing it may need the space that is not there
                handler.upload_interrupted()
        raise
