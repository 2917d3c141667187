"""Lines of the log, in JSON or for people, without anything that a visitor sent or that tells who it was.

What our own code says is kept as it is. What frameworks say about a request is replaced by its status,
because they repeat its path; of an exception the frames and the kind are kept, not its text, which may repeat
a form.
The names that take their place: the request's id and route, the job's id.
"""

import contextlib
import json
import logging
import re
import socket
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from django.db import Error as DatabaseError

from search.log_context import JOB, REQUEST

FORMATS = ("text", "json")
OURS = ("dopeornope", "evaluation", "search")
# Of each exception's frames the innermost; what is left out is the frameworks' way to the first of ours.
FRAMES = 12
HOST = socket.gethostname()
# What an access line carries beside its message.
EXTRAS = ("method", "status", "duration_ms")
OF_A_TASK = ("args", "kwargs", "return_value", "traceback")
# Below their first line asyncio writes a task with its exception, and Celery a message it did not expect.
OF_ONE_LINE = ("asyncio", "celery.worker.consumer.consumer")
# What PostgreSQL quotes of a value that it does not understand.
_QUOTED_VALUE = re.compile(r': ".*')


def configure_logging(level: str, format: str) -> dict[str, Any]:
    """Django's LOGGING: all goes to stderr, and no library says more than it does at INFO.

    At DEBUG libraries print headers, statements with their values and messages with their contents.
    """
    theirs = "INFO" if level == "DEBUG" else level
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"()": "dopeornope.logs.TextLine"},
            "json": {"()": "dopeornope.logs.JsonLine"},
        },
        "filters": {"no visitors": {"()": "dopeornope.logs.NoVisitors"}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": format, "filters": ["no visitors"]}
        },
        "root": {"handlers": ["stderr"], "level": theirs},
        "loggers": {
            **{name: {"level": level} for name in OURS},
            "django": {"handlers": [], "level": theirs},
            # uvicorn sets up its own before it loads us; its access lines give way to ours.
            "uvicorn": {"handlers": [], "propagate": True},
            "uvicorn.access": {"handlers": [], "propagate": False},
        },
    }


class NoVisitors(logging.Filter):
    """Drops uvicorn's lines about sockets, which consist of the visitor's address and the query string."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.name == "uvicorn.error" and '"WebSocket' in str(record.msg))


class JsonLine(logging.Formatter):
    """One JSON object per line; a field that says nothing is left out."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_read_facts(record), ensure_ascii=False, default=str)


class TextLine(logging.Formatter):
    """The same for people: time, level, logger and message, and in brackets whose line it is."""

    def format(self, record: logging.LogRecord) -> str:
        facts = _read_facts(record)
        line = "{time} {level} {logger} {message}".format_map(facts)
        if whose := " ".join(str(facts[name]) for name in ("request_id", "job_id") if name in facts):
            line += f" [{whose}]"
        if "exception" in facts:
            line += f"\n{facts['exception']}"
        return line


def _read_facts(record: logging.LogRecord) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": _tell(record),
    }
    if mark := REQUEST.get():
        facts["request_id"] = mark.id
        facts["route"] = mark.route
    facts |= {name: record.__dict__[name] for name in EXTRAS if name in record.__dict__}
    if job := JOB.get():
        facts["job_id"] = job
    facts["process"] = f"{HOST}:{record.process}"
    if record.exc_info and record.exc_info[1]:
        facts["exception"] = _tell_frames(record.exc_info[1])
    return {name: value for name, value in facts.items() if value != ""}


def _tell(record: logging.LogRecord) -> str:
    if hasattr(record, "request") or record.name.startswith("django.security"):
        status = getattr(record, "status_code", HTTPStatus.BAD_REQUEST)
        return f"{int(status)} {HTTPStatus(status).phrase}"
    args: Any = record.args
    if isinstance(args, Mapping):
        # Celery's lines about a task hold what it was given, and what it returned or raised, as text.
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else "…"
        args = {**args, **dict.fromkeys(OF_A_TASK, "…"), "exc": kind}
    elif args:
        args = tuple(map(_without_text, args))
    text = str(_without_text(record.msg))
    # Where they do not fit, Python would print the arguments as they are.
    with contextlib.suppress(TypeError, ValueError, KeyError):
        text = text % args if args else text
    return text.partition("\n")[0] if record.name in OF_ONE_LINE else text.rstrip("\n")


def _tell_frames(error: BaseException) -> str:
    """Where it was raised, and what it came from, the newest last as Python prints it."""
    told: list[str] = []
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        told.append("".join(traceback.format_tb(one.__traceback__, limit=-FRAMES)) + _describe(one))
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return "\nled to\n".join(reversed(told))


def _without_text(value: object) -> object:
    return _describe(value) if isinstance(value, BaseException) else value


def _describe(error: BaseException) -> str:
    """The kind of an exception, and of its text what cannot come from a visitor."""
    kind = type(error).__name__
    if isinstance(error, DatabaseError):
        return f"{kind}: {_QUOTED_VALUE.sub('', str(error).partition(chr(10))[0])}"
    if isinstance(error, OSError) and error.strerror:
        return f"{kind}: {error.strerror}"
    return kind
