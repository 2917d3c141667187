"""The sockets that web processes answer on; the supervisor keeps them while a process is replaced."""

import contextlib
import http.client
import socket

from dopeornope.addresses import EVERYWHERE
from dopeornope.starting import CannotStart

BACKLOG = 2048


def listen(host: str, port: int, *, command: str) -> socket.socket:
    """A socket for one web process. Raises ``CannotStart``."""
    return _open(host, port, command=command, shared=False)


def listen_together(host: str, port: int, *, count: int, command: str) -> list[socket.socket]:
    """One socket per web process, all on one port; the kernel deals connections out evenly.

    Processes that accept from one socket would not share its connections: whoever wakes first takes all that
    wait (docs/decisions/web-processes.md). Raises ``CannotStart``.
    """
    # Sockets that share a port let anybody of the same user join. Whether another game is there already, only
    # one that does not share is told.
    _open(host, port, command=command, shared=False).close()
    return [_open(host, port, command=command, shared=True) for _ in range(count)]


def answers(host: str, port: int) -> bool:
    """Whether a web process answers there, with anything but an error of its own."""
    connection = http.client.HTTPConnection(EVERYWHERE.get(host, host), port, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/", headers={"Host": "localhost"})
        return connection.getresponse().status < 500
    return False


def _open(host: str, port: int, *, command: str, shared: bool) -> socket.socket:
    if not 0 <= port <= 65_535:
        raise CannotStart(
            f"There is no port {port}: choose one from 1024 to 65535, as in PORT=8001 make {command}"
        )
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise CannotStart(
            f"This machine has no address “{host}” ({error.strerror}). Leave HOST out, or "
            "give one of the addresses that it has."
        ) from error
    try:
        return socket.create_server((host, port), family=found[0][0], backlog=BACKLOG, reuse_port=shared)
    except OSError as error:
        raise CannotStart(
            f"Port {port} of {host} is taken or not allowed ({error.strerror}). "
            f"Choose another one: PORT={port + 1 if port < 65_535 else 8001} make {command}"
        ) from error
