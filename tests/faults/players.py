"""Players over real connections, and a crowd of them that goes on through faults."""

import http.client
import json
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from evaluation.models import Player, Retraction, Vote
from evaluation.services.recount import find_differences
from tests.faults.servers import Server
from tests.waiting import wait_until

JSON_PLEASE = {"Accept": "application/json"}


class Browser:
    """One player over real connections."""

    def __init__(self, server: Server, catalogue: str = "demo") -> None:
        self.server = server
        self.catalogue = catalogue
        self.cookie = ""
        self.sitting = ""
        page = self.get(f"/play/{catalogue}/").decode()
        found = re.search(r'data-sitting="([^"]+)"', page)
        assert found, page
        self.sitting = found[1]
        self.round: str | None = None

    def get(self, path: str) -> bytes:
        """The body of an answer that must be 200."""
        status, _, content = self._send("GET", path, b"")
        assert status == 200, (path, content)
        return content

    def ask(self, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and body of whatever is answered; with some more headers in the question."""
        return self._send("GET", path, b"", headers)

    def status_of(self, path: str) -> int:
        return self._send("GET", path, b"")[0]

    def post(self, path: str, body: object) -> tuple[int, Any]:
        """Status and JSON. Raises OSError or HTTPException where the server is gone."""
        status, headers, content = self._send("POST", path, json.dumps(body).encode(), JSON_PLEASE)
        if cookie := headers["Set-Cookie"]:
            self.cookie = cookie.split(";")[0]
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            assert int(headers["Retry-After"]) > 0
        return status, json.loads(content)

    def deal(self, count: int) -> list[dict[str, Any]]:
        body = {"catalogue": self.catalogue, "round": self.round, "held": [], "count": count}
        status, answer = self.post("/play/deals/", body)
        assert status == 200, answer
        self.round = answer["round"]
        deals: list[dict[str, Any]] = answer["deals"]
        return deals

    def vote(self, deal: str, answer: str = "dope") -> tuple[int, Any]:
        return self.post(f"/play/votes/{deal}/", make_vote(deal, answer))

    def make_request(self, method: str, path: str, body: object = None) -> bytes:
        """The bytes of a request, for a client that does not read the answer as others do."""
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.server.port}", "Connection: close"]
        headers = self._headers() | (JSON_PLEASE if method == "POST" else {})
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(content)}", "", ""]
        return "\r\n".join(lines).encode() + content

    def read_wire(self, method: str, path: str, body: object = None) -> bytes:
        """Every byte of an answer, headers included."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as wire:
            wire.sendall(self.make_request(method, path, body))
            with wire.makefile("rb") as answer:
                return answer.read()

    def watch(self, topic: str) -> ClientConnection:
        """An open page's socket."""
        host = f"127.0.0.1:{self.server.port}"
        return connect(f"ws://{host}/ws/live/?topics={topic}", origin=Origin(f"http://{host}"))

    def _headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "X-Sitting": self.sitting,
            **({"Cookie": self.cookie} if self.cookie else {}),
        }

    def _send(
        self, method: str, path: str, body: bytes, extra: Mapping[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        client = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            client.request(method, path, body=body or None, headers={**self._headers(), **(extra or {})})
            response = client.getresponse()
            return response.status, response.headers, response.read()
        finally:
            client.close()


def make_vote(deal: str, answer: str = "dope") -> dict[str, Any]:
    return {"deal": deal, "answer": answer, "dwell_ms": 800, "modality": "drag"}


class Crowd:
    """Players who each vote on all their deals, and send again whatever was not acknowledged."""

    def __init__(self, server: Server, *, players: int = 8, deals: int = 10) -> None:
        self.browsers = [Browser(server) for _ in range(players)]
        self.dealt = [[deal["id"] for deal in browser.deal(deals)] for browser in self.browsers]
        self.acknowledged: list[str] = []
        self.refused: Counter[HTTPStatus] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def playing(self) -> Iterator[None]:
        """All play while the block runs, and at its end until the last vote is acknowledged."""
        with ThreadPoolExecutor(len(self.browsers)) as pool:
            players = [pool.submit(self._play, *one) for one in zip(self.browsers, self.dealt, strict=True)]
            yield
            for player in players:
                player.result()

    def wait_for_votes(self, count: int) -> None:
        wait_until(lambda: len(self.acknowledged) >= count)

    def wait_for_refusals(self, count: int) -> None:
        wait_until(lambda: self.refused.total() >= count)

    def check_stored(self) -> None:
        """What was acknowledged is stored, once, and the counts equal a recount (P1, P3)."""
        told = set(self.acknowledged)
        assert told <= set(Vote.objects.values_list("pk", flat=True))
        assert find_differences() == []

    def check_end(self) -> None:
        """Every deal took its one vote, and nothing else is there."""
        self.check_stored()
        assert set(Vote.objects.values_list("pk", flat=True)) == {
            deal for deals in self.dealt for deal in deals
        }
        assert not Retraction.objects.exists()
        assert sorted(player.judged for player in Player.objects.all()) == sorted(map(len, self.dealt))

    def _play(self, browser: Browser, deals: list[str]) -> None:
        for deal in deals:
            while not self._vote(browser, deal):
                time.sleep(0.05)  # before it is sent again

    def _vote(self, browser: Browser, deal: str) -> bool:
        try:
            status, answer = browser.post("/play/votes/", {"votes": [make_vote(deal)]})
        except (OSError, http.client.HTTPException):
            return False  # nobody listened, or the answer never came
        with self._lock:
            if status == HTTPStatus.OK:
                assert answer["results"][0]["status"] == HTTPStatus.OK
                self.acknowledged.append(deal)
                return True
            assert status == HTTPStatus.SERVICE_UNAVAILABLE, answer
            self.refused[HTTPStatus(status)] += 1
            return False
