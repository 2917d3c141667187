"""HTTP, sockets and the server's life in one ASGI application."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import django
from django.conf import settings

from dopeornope.shared_counts import count_together

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dopeornope.settings")
os.environ.setdefault("DOPEORNOPE_PROCESS", "web")
count_together(settings.HOME)
django.setup()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  # needs the apps
from channels.security.websocket import WebsocketDenier  # noqa: E402
from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.http.request import split_domain_port, validate_host  # noqa: E402
from django.urls import ResolverMatch, path  # noqa: E402

from dopeornope.body_limit import BodyLimit  # noqa: E402
from dopeornope.client_address import ClientAddress  # noqa: E402
from dopeornope.game_lane import GameLane  # noqa: E402
from dopeornope.measurements import Measurements  # noqa: E402
from dopeornope.monitoring import Monitoring, say_alive  # noqa: E402
from dopeornope.observation import Observed  # noqa: E402
from dopeornope.open_sockets import OpenSockets  # noqa: E402
from dopeornope.rate_limits import RateLimits  # noqa: E402
from dopeornope.readiness import Readiness, list_checks  # noqa: E402
from evaluation.services.ballot_box import box  # noqa: E402
from evaluation.services.slate_desk import desk  # noqa: E402
from evaluation.tasks import ask_workers  # noqa: E402
from search.consumers import LiveSocket  # noqa: E402
from search.live import hub  # noqa: E402
from search.log_context import name_route  # noqa: E402

# Loosely typed, because the stubs of Django and of Channels describe these in ways that exclude each other.
Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Any


class OneThreadHandler(ASGIHandler):
    """Django's handler without a thread context per request.

    Django gives each request a thread of its own for synchronous code, and with it a new database connection:
    slow on SQLite, and on PostgreSQL the server's connections run out. Without that context all synchronous
    code of the process shares asgiref's one thread, and its connection stays open from request to request.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.handle(scope, receive, send)

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        match = super().resolve_request(request)
        name_route(match.view_name)
        return match


class SameOriginOnly:
    """Refuses, before the handshake, sockets opened by pages that are not this site's."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_ours(dict(scope["headers"])):
            await self._application(scope, receive, send)
        else:
            await WebsocketDenier()(scope, receive, send)

    def _is_ours(self, headers: dict[bytes, bytes]) -> bool:
        origin = headers.get(b"origin", b"").decode("latin1").lower()
        host = headers.get(b"host", b"").decode("latin1").lower()
        allowed = settings.ALLOWED_HOSTS
        if not validate_host(split_domain_port(host)[0], allowed):
            return False
        scheme = "https" if settings.TLS else "http"
        return origin == f"{scheme}://{host}" or origin in settings.CSRF_TRUSTED_ORIGINS


async def live(scope: Scope, receive: Receive, send: Send) -> None:
    """At the server's start opens what this process keeps open, at its end closes it again."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            box.open()
            if settings.RANKER == "worker":
                desk.open(ask_workers)
        if message["type"] == "lifespan.shutdown":
            desk.close()
            await hub.close()
            await asyncio.to_thread(box.close)
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


socket: Any = LiveSocket(hub)
routes: Any = [path("ws/live/", socket)]
watched: Any = {
    "/health/live": say_alive,
    "/health/ready": Readiness(list_checks()),
    "/metrics": Measurements(),
}
application = Observed(
    ProtocolTypeRouter(
        {
            "http": ClientAddress(Monitoring(RateLimits(GameLane(BodyLimit(OneThreadHandler()))), watched)),
            "websocket": ClientAddress(RateLimits(OpenSockets(SameOriginOnly(URLRouter(routes))))),
            "lifespan": live,
        }
    )
)
