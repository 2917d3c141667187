"""Forms with files are taken apart before anything asks for their fields, and where nobody waits for it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from search.engine.errors import DiskFull
from search.engine.files import disk_errors


class FormsApartMiddleware:
    """Reads multipart forms in a thread of their own.

    Without it the first to ask for a field, Django's protection against forged requests, would read and
    store gigabytes in the one thread that all pages share.
    """

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> None:
        self._get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.content_type == "multipart/form-data":
            try:
                await asyncio.to_thread(_take_apart, request)
            except DiskFull as error:
                return HttpResponse(
                    f"{error}\n",
                    status=HTTPStatus.INSUFFICIENT_STORAGE,
                    content_type="text/plain; charset=utf-8",
                )
        return await self._get_response(request)


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
