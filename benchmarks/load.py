"""A load of many connections from one process, light enough to leave the cores to the servers."""

import selectors
import socket
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

# Yields the bytes of a request and is sent the answer's status and body; returns where nothing is left to do.
Visitor = Generator[bytes, tuple[int, bytes], None]
RECEIVE = 65_536


@dataclass
class Load:
    """What the visitors were answered: seconds per request in order of arrival, and statuses counted."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def post(path: str, body: bytes, *, port: int, headers: str = "") -> bytes:
    """A request of a connection that is kept open. ``headers``: whole lines, each ended by CR LF."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"{headers}Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class _Connection:
    """One visitor's connection: one request under way at a time, opened anew where the server closes it."""

    def __init__(self, port: int, visitor: Visitor) -> None:
        self.visitor = visitor
        self.sent_at = 0.0
        self._port = port
        self._received = b""
        self.socket = self._connect()

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def close(self) -> None:
        self.visitor.close()
        self.socket.close()

    def receive(self) -> tuple[int, bytes] | None:
        """Status and body, once they are complete. Raises ConnectionError where the server hangs up."""
        data = self.socket.recv(RECEIVE)
        if not data:
            raise ConnectionError(f"The server hung up after {self._received!r}")
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return None
        lower = head.lower()
        at = lower.index(b"content-length:") + len(b"content-length:")
        if len(body) < int(lower[at:].partition(b"\r\n")[0]):
            return None
        self._received = b""
        if b"connection: close" in lower:
            self.socket.close()
            self.socket = self._connect()
        return int(head[9:12]), body

    def _connect(self) -> socket.socket:
        connected = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected


def run_for(
    seconds: float, *, port: int, connections: int, visitor: Callable[[int], Visitor], load: Load
) -> None:
    """Let as many visitors as there are connections ask one thing after the other for so long.

    What is under way at the end is waited for and counts.
    """
    deadline = time.perf_counter() + seconds
    with selectors.DefaultSelector() as selector:
        for number in range(connections):
            connection = _Connection(port, visitor(number))
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(next(connection.visitor))
        while selector.get_map():
            for key, _ in selector.select(timeout=30):
                _serve(selector, key, load, deadline)


def _serve(selector: selectors.BaseSelector, key: selectors.SelectorKey, load: Load, deadline: float) -> None:
    connection: _Connection = key.data
    answer = connection.receive()
    if answer is None:
        return
    now = time.perf_counter()
    load.seconds.append(now - connection.sent_at)
    load.statuses[answer[0]] = load.statuses.get(answer[0], 0) + 1
    try:
        request = connection.visitor.send(answer)  # also the last answer is heard
    except StopIteration:
        request = None
    if request is None or now >= deadline:
        selector.unregister(key.fileobj)
        connection.close()
        return
    if connection.socket is not key.fileobj:
        selector.unregister(key.fileobj)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    connection.send(request)
