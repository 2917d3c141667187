"""Web processes as in production, on the test's own database, to be killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import connection

from dopeornope.web import LARGEST_FRAME
from tests.faults.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 60
STARTED = b"Application startup complete"


class Server:
    """uvicorn in processes of their own behind one socket, as in service mode."""

    def __init__(
        self,
        folder: Path,
        *,
        processes: int = 1,
        environment: Mapping[str, str] | None = None,
        application: str = "dopeornope.asgi:application",
    ) -> None:
        self.folder = folder
        self._application = application
        self.port = free_port()
        self._listener: socket.socket | None = None
        self._environment = dict(environment or {})
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * processes

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

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

    def restart(self, **variables: str) -> None:
        """Start again with other values of some ``DOPEORNOPE_`` variables."""
        self.stop()
        self._processes = [None] * len(self._processes)
        self._environment |= {f"DOPEORNOPE_{name}": value for name, value in variables.items()}
        self.start()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes if process is not None]

    def _launch(self, number: int, listener: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "uvicorn", self._application, "--fd", str(listener)]
        with self._log(number).open("wb") as log:
            return subprocess.Popen(
                [*command, "--no-access-log", "--no-proxy-headers", "--ws-max-size", str(LARGEST_FRAME)],
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


def make_environment(folder: Path) -> dict[str, str]:
    """The variables of a process with this HOME that works on the database of the running test."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DOPEORNOPE_")}
    return {
        **clean,
        "DOPEORNOPE_HOME": str(folder),
        "DOPEORNOPE_SECRET_KEY": settings.SECRET_KEY,
        "DOPEORNOPE_DATABASE": _name_database(folder),
        # All browsers of a test have one address, and are quicker than people.
        "DOPEORNOPE_PLAYERS_PER_NETWORK": "1000000",
        "DOPEORNOPE_VOTES_PER_MINUTE": "1000000",
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
