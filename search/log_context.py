"""What the lines that are logged meanwhile belong to: a request with its route, or a job."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class RequestMark:
    """The request that is being answered; its route is known once somebody has found it."""

    id: str
    route: str = ""


REQUEST: ContextVar[RequestMark | None] = ContextVar("request", default=None)
JOB: ContextVar[str] = ContextVar("job", default="")


def name_route(name: str) -> None:
    """Say which route the request takes, for its line in the log and its label: a name, never a path."""
    if mark := REQUEST.get():
        mark.route = name
