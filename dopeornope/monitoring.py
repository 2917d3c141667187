"""What watches the site asks for: `/health/live`, `/health/ready` and `/metrics`.

Answered before Django, its hosts, its sessions and its one thread: a process that hangs on a dead database
still says so. The addresses are under no rate limit, so each answer is cheap or kept for a moment.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from dopeornope.observation import Application, Receive, Scope, Send
from search.log_context import name_route


@dataclass(frozen=True)
class Answer:
    """What is sent back, to be kept by nobody."""

    status: HTTPStatus
    text: str
    content_type: str = "text/plain; charset=utf-8"


Question = Callable[[Scope], Awaitable[Answer]]


class Monitoring:
    """Answers the given addresses; all else goes on."""

    def __init__(self, application: Application, questions: Mapping[str, Question]) -> None:
        self._application = application
        self._questions = questions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        question = self._questions.get(scope["path"])
        if question is None:
            await self._application(scope, receive, send)
            return
        name_route(scope["path"].strip("/").replace("/", "-"))
        if scope["method"] in ("GET", "HEAD"):
            answer = await question(scope)
        else:
            answer = Answer(HTTPStatus.METHOD_NOT_ALLOWED, "This address is for reading.\n")
        await _send(answer, send, with_body=scope["method"] != "HEAD")


async def say_alive(scope: Scope) -> Answer:
    """That the process answers, and no more: nothing is touched that could be somebody else's fault."""
    return Answer(HTTPStatus.OK, "alive\n")


async def _send(answer: Answer, send: Send, *, with_body: bool) -> None:
    body = answer.text.encode()
    headers = {
        "content-type": answer.content_type,
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
    }
    start: dict[str, Any] = {
        "type": "http.response.start",
        "status": int(answer.status),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body if with_body else b""})
