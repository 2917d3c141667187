"""What watches the site asks for: `/health/live`, `/health/ready` and `/metrics`.

Answered before Django, its hosts, its sessions and its one thread: a process that hangs on a dead database
still says so. The addresses are under no rate limit, so each answer is cheap or kept for a moment.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from dopeornope.observation import Application, Receive, Scope, Send
from dopeornope.plain_answers import TEXT, send_plain
from search.log_context import name_route


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: HTTPStatus
    text: str
    content_type: str = TEXT


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
        with_body = scope["method"] != "HEAD"
        await send_plain(
            send, answer.status, answer.text, content_type=answer.content_type, with_body=with_body
        )


async def say_alive(scope: Scope) -> Answer:
    """That the process answers, and no more: nothing is touched that could be somebody else's fault."""
    return Answer(HTTPStatus.OK, "alive\n")
