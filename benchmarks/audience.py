"""Many open pages in one process, which count what they are told; it prints broadcasts per second.

    python -m benchmarks.audience PORT PATH PAGES IN_FLIGHT SECONDS

Every page is told at first where the board stands. Then asks for a broadcast over a socket of its own
(`/more/`), IN_FLIGHT at a time, and for the next one whenever one has arrived at every page. What one page
lacks is no broadcast: missing frames end the run with an error.
"""

import asyncio
import base64
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import uvloop

PATIENCE_S = 30


class Page(asyncio.Protocol):
    """A browser's end of a socket, as cheap as it gets: the cores are for the server."""

    def __init__(self, path: str, heard: Callable[[bytes], None]) -> None:
        self.told: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._path = path
        self._heard = heard
        self._head: bytes | None = None
        self._received = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._head is None:
            self._head, separator, rest = self._received.partition(b"\r\n\r\n")
            assert separator and self._head.startswith(b"HTTP/1.1 101"), self._received
            self._received = rest
        # A server's short frame: 0x81 for text or 0x89 for a ping, length below 126, content.
        while len(self._received) > 1 and len(self._received) >= (end := 2 + self._received[1]):
            assert self._received[0] in (0x81, 0x89) and end < 128, self._received
            is_ping = self._received[0] == 0x89
            frame, self._received = self._received[2:end], self._received[end:]
            if is_ping:
                continue  # a run is over before the server misses the answer
            if self.told.done():
                self._heard(frame)
            else:
                self.told.set_result(frame)

    def send(self, text: bytes) -> None:
        self._transport.write(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)  # masked with zeros


class Audience:
    """All pages, and how many of them have heard of each broadcast."""

    def __init__(self, pages: int, in_flight: int) -> None:
        self._pages = pages
        self._in_flight = in_flight
        self._heard_by: Counter[bytes] = Counter()
        self._asked = self.completed = 0
        self._over = False
        self._idle = asyncio.Event()
        self._more: Page | None = None

    async def open(self, port: int, path: str) -> None:
        for _ in range(self._pages):
            await _open(port, path, self._hear)
        self._more = await _open(port, "/more/", lambda _: None)

    async def listen(self, seconds: float) -> float:
        """Broadcasts per second that all pages have heard of, the last ones under way included."""
        begin = time.perf_counter()
        for _ in range(self._in_flight):
            self._ask_for_one()
        await asyncio.sleep(seconds)
        self._over = True
        async with asyncio.timeout(PATIENCE_S):
            await self._idle.wait()
        return self.completed / (time.perf_counter() - begin)

    def _ask_for_one(self) -> None:
        self._asked += 1
        assert self._more is not None
        self._more.send(b"more")

    def _hear(self, frame: bytes) -> None:
        self._heard_by[frame] += 1
        if self._heard_by[frame] < self._pages:
            return
        del self._heard_by[frame]
        self.completed += 1
        if not self._over:
            self._ask_for_one()
        elif self.completed == self._asked:
            self._idle.set()


async def _open(port: int, path: str, heard: Callable[[bytes], None]) -> Page:
    _, page = await asyncio.get_running_loop().create_connection(lambda: Page(path, heard), "127.0.0.1", port)
    async with asyncio.timeout(PATIENCE_S):
        await page.told
    return page


async def main() -> None:
    port, path, pages, in_flight, seconds = sys.argv[1:]
    audience = Audience(int(pages), int(in_flight))
    await audience.open(int(port), path)
    print(await audience.listen(float(seconds)))


if __name__ == "__main__":
    uvloop.run(main())
