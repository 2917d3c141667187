"""Who is really asking: the address and the scheme that trusted proxies report, put into the scope.

A visitor can write any `X-Forwarded-For`; each proxy adds, at the right, whom it heard it from. So only as
many entries as there are proxies of ours, counted from the right, say anything. Everything after this reads
the scope's ``client`` and ``scheme`` (Django's ``REMOTE_ADDR`` and ``is_secure``) and no header.
"""

import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from django.conf import settings

Scope = dict[str, Any]
Headers = Iterable[tuple[bytes, bytes]]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

FOR = b"x-forwarded-for"
PROTO = b"x-forwarded-proto"
SCHEMES = {"http": {"http": "http", "https": "https"}, "websocket": {"http": "ws", "https": "wss"}}


class ClientAddress:
    """Believes the headers of as many proxies as the operator counted; of none where there are none."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if proxies := settings.TRUSTED_PROXIES:
            peer = scope.get("client")
            address = read_address(scope["headers"], proxies)
            scheme = SCHEMES[scope["type"]].get(_read_scheme(scope["headers"], proxies), scope["scheme"])
            scope = {**scope, "client": (address, 0) if address else peer, "scheme": scheme}
        await self._application(scope, receive, send)


def read_address(headers: Headers, proxies: int) -> str | None:
    """The visitor's address as the outermost of ``proxies`` saw it; None where the headers do not tell."""
    entries = _list_entries(headers, FOR)
    return _parse_address(entries[-proxies]) if len(entries) >= proxies else None


def _read_scheme(headers: Headers, proxies: int) -> str:
    """Proxies overwrite this header more often than they add to it, so one entry speaks for all of them."""
    entries = _list_entries(headers, PROTO)
    return entries[-min(proxies, len(entries))].lower() if entries else ""


def _list_entries(headers: Headers, name: bytes) -> list[str]:
    """Several lines of one header mean the same as one line. Names with underscores are other headers."""
    lines = [value.decode("latin1") for key, value in headers if key == name]
    return [entry.strip() for entry in ",".join(lines).split(",")] if lines else []


def _parse_address(entry: str) -> str | None:
    """An address in any of the forms in use: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1]:80."""
    bare = re.fullmatch(r"\[([^\]]+)\](?::\d+)?|([^:]+):\d+", entry)
    try:
        address = ipaddress.ip_address(bare[1] or bare[2] if bare else entry)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
