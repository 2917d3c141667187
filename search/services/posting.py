"""Posting to addresses that people gave us, and to none that they should not reach through us.

The name is looked up once, every address that it has must be public, and the connection goes to one of those:
what the name leads to a moment later (DNS rebinding) changes nothing. Redirects are not followed, the body of
the answer is not read, and everything together has one deadline, however slowly bytes trickle in.
"""

from __future__ import annotations

import io
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from socket import SOCK_STREAM, create_connection, getaddrinfo, socket
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit

Address = IPv4Address | IPv6Address
HTTPS: Final = 443
# Beside what Python's own list holds, which differs between its versions: the registries of special addresses
# (RFC 6890 and later), among them those that a translator on the way turns into IPv4 ones (6to4, Teredo,
# NAT64). Of IPv6, hosts of the internet are all in one block.
_SPECIAL: Final = tuple(IPv4Network(net) for net in ("192.0.0.0/24", "192.88.99.0/24"))
_UNICAST: Final = IPv6Network("2000::/3")
_NOT_HOSTS: Final = tuple(
    IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_NAME: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_NUMBER: Final = re.compile(
    r"[0-9]+|0x[0-9a-f]*"
)  # the last part of a host that is an IPv4 address, in full or not
_AS_IS: Final = "/?%:@!$&'()*+,;=~[]"  # what `quote` would change in a path or query without need


class NotPosted(Exception):
    """Nothing was posted, or nobody knows; the text says why."""


class NotAnswered(NotPosted):
    """The time was over before the answer came."""


def check_address(text: str) -> str:
    """The address as it is kept, so that one receiver has one: HTTPS, a name with a dot or a public number.

    Nothing is looked up, so what a name leads to is found out when something is sent. Raises NotPosted.
    """
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").encode("idna").decode().lower().rstrip("."), parts.port
    except ValueError as error:
        raise NotPosted("This is no address.") from error
    if parts.scheme != "https":
        raise NotPosted("Only addresses that begin with https:// are told anything.")
    if not host or port == 0 or not text.isprintable() or " " in text or "%" in host:
        raise NotPosted("This is no address.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise NotPosted("Leave out names, passwords and what follows a #.")
    if not _may_be_public(host):
        raise NotPosted(f"{host} is not a public address.")
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port not in (None, HTTPS) else "")
    return f"https://{netloc}{_find_target(parts)}"


def _may_be_public(host: str) -> bool:
    """As far as that can be told without looking it up."""
    try:
        return is_public(ip_address(host))
    except ValueError:
        last = host.rpartition(".")[2]
        if not _NAME.fullmatch(host) or _NUMBER.fullmatch(last):
            return False
        return "." in host and not host.endswith((".localhost", ".local", ".internal"))


def _find_target(parts: SplitResult) -> str:
    """What a request asks for: path and query, in ASCII."""
    query = f"?{parts.query}" if parts.query else ""
    return quote(f"{parts.path or '/'}{query}", safe=_AS_IS)


def is_public(address: Address) -> bool:
    """Whether this is one host of the internet: not private, local, shared, multicast or reserved."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _UNICAST or any(address in net for net in _NOT_HOSTS):
            return False
    elif any(address in net for net in _SPECIAL):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def look_up(host: str, port: int) -> Sequence[Address]:
    """All addresses of a host, without repeats. Raises OSError."""
    found = getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))


def post(
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes,
    within_s: float,
    look_up: Callable[[str, int], Sequence[Address]] = look_up,
    permits: Callable[[Address], bool] = is_public,
    context: ssl.SSLContext | None = None,
) -> int:
    """The status that the receiver answers. Raises NotPosted.

    Takes at most ``within_s`` seconds, except that a look-up cannot be cut short: after a longer one nothing
    is posted any more.
    """
    deadline = _Deadline(within_s)
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or HTTPS
    try:
        addresses = look_up(host, port)
    except (OSError, ValueError) as error:
        raise NotPosted(f"The name {host} leads nowhere ({error}).") from error
    refused = next((one for one in addresses if not permits(one)), None)
    if refused is not None:
        raise NotPosted(f"{host} leads to {refused}, which is not a public address.")
    try:
        connection = _Pinned(host, port, addresses, context or _trust(), deadline)
        with closing(connection):
            connection.request("POST", _find_target(parts), body, dict(headers))
            return connection.getresponse().status
    except TimeoutError as error:
        raise NotAnswered(f"{host} did not answer within {within_s:.0f} seconds.") from error
    except (OSError, HTTPException, ValueError) as error:
        raise NotPosted(f"{host} could not be asked ({error or type(error).__name__}).") from error


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Deadline:
    def __init__(self, within_s: float) -> None:
        self._until = time.monotonic() + within_s

    def left_s(self) -> float:
        """More than nothing. Raises TimeoutError."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Pinned(HTTPConnection):
    """A connection over TLS to one of these addresses, in the name of the host."""

    default_port = HTTPS

    def __init__(
        self,
        host: str,
        port: int,
        addresses: Sequence[Address],
        context: ssl.SSLContext,
        deadline: _Deadline,
    ) -> None:
        super().__init__(host, port)
        self._addresses, self._tls, self._deadline = addresses, context, deadline

    def connect(self) -> None:
        """Raises OSError: what the last of the addresses answered."""
        error: OSError = OSError("no address")
        for address in self._addresses:
            try:
                plain = create_connection((str(address), self.port), timeout=self._deadline.left_s())
            except OSError as failed:
                error = failed
                continue
            plain.settimeout(self._deadline.left_s())
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
            return
        raise error

    def response_class(self, sock: socket, **how: Any) -> HTTPResponse:  # type: ignore[override]
        return HTTPResponse(_Timed(sock, self._deadline), **how)  # type: ignore[arg-type]


class _Timed(io.RawIOBase):
    """What comes from a socket, until the deadline; http.client alone would wait anew for each byte."""

    def __init__(self, sock: socket, deadline: _Deadline) -> None:
        self._sock, self._deadline = sock, deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._deadline.left_s())
        return self._sock.recv_into(buffer)
