"""Web processes as in production, on the test's own database, to be killed; and players' browsers."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.faults.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 60
STARTED = b"Application startup complete"


class Server:
    """uvicorn in processes of their own behind one socket, as in service mode."""

    def __init__(
        self, folder: Path, *, processes: int = 1, environment: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self._listener: socket.socket | None = None
        self._environment = environment or {}
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * processes

    def start(self) -> None:
        """Start the processes that do not run, and wait until they serve."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=2048)
        for number, process in enumerate(self._processes):
            if process is None:
                self._processes[number] = self._launch(number, self._listener.fileno())
        deadline = time.monotonic() + START_LIMIT_S
        for number, process in enumerate(self._processes):
            assert process is not None
            while STARTED not in self._log(number).read_bytes():
                assert process.poll() is None and time.monotonic() < deadline, self._log(number).read_text()
                time.sleep(0.05)  # until it says so

    def kill(self) -> None:
        """SIGKILL to all: no handler runs, no answer is finished, and nobody listens any more."""
        self._close()
        for number in range(len(self._processes)):
            self.kill_one(number)

    def kill_one(self, number: int = 0) -> None:
        """SIGKILL to one process; the others go on answering."""
        process, self._processes[number] = self._processes[number], None
        assert process is not None
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Have all of them end in order."""
        self._close()
        running = [process for process in self._processes if process is not None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes if process is not None]

    def _launch(self, number: int, listener: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "uvicorn", "dopeornope.asgi:application", "--fd", str(listener)]
        with self._log(number).open("wb") as log:
            return subprocess.Popen(
                [*command, "--no-access-log"],
                cwd=ROOT,
                env={**make_environment(self.folder), **self._environment},
                pass_fds=[listener],
                stdout=log,
                stderr=log,
            )

    def _log(self, number: int) -> Path:
        return self.folder / f"web-{number}.log"

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


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

    def post(self, path: str, body: object) -> tuple[int, Any]:
        """Status and JSON. Raises OSError or HTTPException where the server is gone."""
        status, headers, content = self._send("POST", path, json.dumps(body).encode())
        if cookie := headers["Set-Cookie"]:
            self.cookie = cookie.split(";")[0]
        if status == http.HTTPStatus.SERVICE_UNAVAILABLE:
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
        lines += [f"{name}: {value}" for name, value in self._headers().items()]
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

    def _send(self, method: str, path: str, body: bytes) -> tuple[int, http.client.HTTPMessage, bytes]:
        client = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            client.request(method, path, body=body or None, headers=self._headers())
            response = client.getresponse()
            return response.status, response.headers, response.read()
        finally:
            client.close()


def make_vote(deal: str, answer: str = "dope") -> dict[str, Any]:
    return {"deal": deal, "answer": answer, "dwell_ms": 800, "modality": "drag"}


def make_environment(folder: Path) -> dict[str, str]:
    """The variables of a process with this HOME that works on the database of the running test."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DOPEORNOPE_")}
    return {
        **clean,
        "DOPEORNOPE_HOME": str(folder),
        "DOPEORNOPE_SECRET_KEY": settings.SECRET_KEY,
        "DOPEORNOPE_DATABASE": _name_database(folder),
        "DJANGO_SETTINGS_MODULE": "dopeornope.settings",
        "PYTHONPATH": str(ROOT),
    }


def _name_database(folder: Path) -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        link = folder / "db.sqlite3"
        if not link.is_symlink():
            link.symlink_to(database["NAME"])
        return "sqlite"
    user = database["USER"] + (f":{database['PASSWORD']}" if database["PASSWORD"] else "")
    return f"postgresql://{user}@{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"
