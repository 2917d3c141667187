"""A web process as it runs in production, on the test's own database, to be killed."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 60


class Server:
    """uvicorn in a process of its own, with the database that the running test uses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "dopeornope.asgi:application", "--port", str(self.port)]
        with (self.folder / "uvicorn.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--log-level", "warning"],
                cwd=ROOT,
                env=self._environment(),
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)  # until it listens
        raise AssertionError((self.folder / "uvicorn.log").read_text())

    def kill(self) -> None:
        """SIGKILL: no handler runs, no answer is finished."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def _environment(self) -> dict[str, str]:
        database = settings.DATABASES["default"]
        environment = {
            **os.environ,
            "DOPEORNOPE_HOME": str(self.folder),
            "DOPEORNOPE_SECRET_KEY": settings.SECRET_KEY,
            "DJANGO_SETTINGS_MODULE": "dopeornope.settings",
        }
        if database["ENGINE"].endswith("sqlite3"):
            environment["DOPEORNOPE_DATABASE"] = "sqlite"
            link = self.folder / "db.sqlite3"
            if not link.is_symlink():
                link.symlink_to(database["NAME"])
        else:
            user = database["USER"] + (f":{database['PASSWORD']}" if database["PASSWORD"] else "")
            address = f"{database['HOST']}:{database['PORT'] or 5432}"
            environment["DOPEORNOPE_DATABASE"] = f"postgresql://{user}@{address}/{database['NAME']}"
        return environment


class Browser:
    """One player over real connections."""

    def __init__(self, server: Server, catalogue: str = "demo") -> None:
        self.server = server
        self.catalogue = catalogue
        self.cookie = ""
        page = self._send("GET", f"/play/{catalogue}/", b"")[2].decode()
        found = re.search(r'data-sitting="([^"]+)"', page)
        assert found, page
        self.sitting = found[1]
        self.round: str | None = None

    def post(self, path: str, body: object) -> tuple[int, Any]:
        """Status and JSON. Raises OSError or HTTPException where the server is gone."""
        status, cookie, content = self._send("POST", path, json.dumps(body).encode())
        if cookie:
            self.cookie = cookie.split(";")[0]
        return status, json.loads(content)

    def deal(self, count: int) -> list[dict[str, Any]]:
        body = {"catalogue": self.catalogue, "round": self.round, "held": [], "count": count}
        status, answer = self.post("/play/deals/", body)
        assert status == 200, answer
        self.round = answer["round"]
        deals: list[dict[str, Any]] = answer["deals"]
        return deals

    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "X-Sitting": getattr(self, "sitting", ""),
            **({"Cookie": self.cookie} if self.cookie else {}),
        }

    def raw_post(self, path: str, body: object) -> bytes:
        """The bytes of a request, for a client that sends them and never reads the answer."""
        content = json.dumps(body).encode()
        lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{self.server.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers().items()]
        lines += [f"Content-Length: {len(content)}", "", ""]
        return "\r\n".join(lines).encode() + content

    def _send(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            connection.request(method, path, body=body or None, headers=self.headers())
            response = connection.getresponse()
            return response.status, response.getheader("Set-Cookie", ""), response.read()
        finally:
            connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
