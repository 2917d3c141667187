"""Short answers that are given in front of Django, with the headers that its middleware would have added."""

import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from dopeornope.permissions_policy import POLICY

TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json; charset=utf-8"
CODES: Final = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too-large",
    HTTPStatus.INSUFFICIENT_STORAGE: "disk-full",
}
# A browser that shows one as a page lets it do nothing, and nobody keeps it.
PROTECTING: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "permissions-policy": POLICY,
    "x-content-type-options": "nosniff",
}


def word_refusal(path: str, status: HTTPStatus, reason: str) -> tuple[str, str]:
    """A refusal and its content type: as the API promises its programs, elsewhere as people read it."""
    if not path.startswith("/api/"):
        return f"{reason}\n", TEXT
    return json.dumps({"detail": reason, "code": CODES.get(status, "bad-form")}), JSON


async def send_plain(
    send: Callable[[dict[str, Any]], Awaitable[None]],
    status: HTTPStatus,
    text: str,
    *,
    content_type: str = TEXT,
    headers: Mapping[str, str] | None = None,
    with_body: bool = True,
) -> None:
    """Send a whole answer over ASGI; without its body where somebody asked for the headers alone."""
    body = text.encode()
    given = {
        "content-type": content_type,
        "content-length": str(len(body)),
        **PROTECTING,
        **(headers or {}),
    }
    start = {
        "type": "http.response.start",
        "status": int(status),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body if with_body else b""})
