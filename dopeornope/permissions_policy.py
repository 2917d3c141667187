"""Pages say which of a browser's devices they use: none, whatever may one day be smuggled into one."""

from collections.abc import Awaitable, Callable
from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import async_only_middleware

POLICY: Final = "camera=(), geolocation=(), microphone=()"

Handler = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@async_only_middleware
def permissions_policy(get_response: Handler) -> Handler:
    """Add ``Permissions-Policy`` to every answer of Django's, static files included."""

    async def answer(request: HttpRequest) -> HttpResponseBase:
        response = await get_response(request)
        response["Permissions-Policy"] = POLICY
        return response

    return answer
