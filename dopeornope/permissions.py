"""Pages say which of a browser's devices they use: none, whatever may one day be smuggled into one."""

from collections.abc import Awaitable, Callable
from typing import Final

from asgiref.sync import markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

POLICY: Final = "camera=(), geolocation=(), microphone=()"


class PermissionsPolicyMiddleware:
    """Adds ``Permissions-Policy`` to every answer."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> None:
        self._get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = await self._get_response(request)
        response["Permissions-Policy"] = POLICY
        return response
