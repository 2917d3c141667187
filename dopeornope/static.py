"""WhiteNoise as asynchronous middleware: as it comes it drags every request behind it into one thread."""

from collections.abc import Awaitable, Callable

from asgiref.sync import markcoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # WhiteNoise has no types
    """Answers for the collected static files; all else goes on, still asynchronous."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> None:
        super().__init__(get_response)
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        found = self.find_file(request.path_info) if self.autorefresh else self.files.get(request.path_info)
        if found is None:
            response: HttpResponseBase = await self.get_response(request)
            return response
        served = found.get_response(request.method, request.META)
        content = b""
        if served.file is not None:
            with served.file:
                content = served.file.read()
        answer = HttpResponse(content, status=int(served.status))
        del answer["content-type"]
        for name, value in served.headers:
            answer[name] = value
        return answer
