"""Web processes as in production, on the test's own database, to be killed."""

import os
import re
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import connection

from dopeornope.listening import listen_together
from dopeornope.management.commands.serve import FINISH_SECONDS
from tests.faults.ports import free_port
from tests.faults.processes import Process

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 60


class Server:
    """Web processes as `serve` starts them: each with a socket of its own, which stays when it is killed.

    ``module`` is run instead of the product's own, with the same words.
    """

    def __init__(
        self,
        folder: Path,
        *,
        processes: int = 1,
        environment: Mapping[str, str] | None = None,
        module: str = "dopeornope.web",
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self._module = module
        self._environment = dict(environment or {})
        self._sockets: list[socket.socket] = []
        self._processes: list[Process | None] = [None] * processes

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the processes that do not run, and wait until they serve."""
        count = len(self._processes)
        self._sockets = self._sockets or listen_together("127.0.0.1", self.port, count=count, command="serve")
        for number, process in enumerate(self._processes):
            self._processes[number] = process or self._launch(number)
        deadline = time.monotonic() + START_LIMIT_S
        for number, process in enumerate(self._processes):
            assert process is not None
            while not _accepts(process.pid, self._sockets[number].fileno()):
                assert process.is_running and time.monotonic() < deadline, self._log(number).read_text()
                time.sleep(0.05)  # between two looks

    def kill(self) -> None:
        """SIGKILL to all, and to whoever keeps their sockets: nobody listens any more."""
        self._close()
        for number in range(len(self._processes)):
            self.kill_one(number)

    def kill_one(self, number: int = 0) -> None:
        """SIGKILL to one process. The others go on answering; who comes to its socket waits for the next."""
        process, self._processes[number] = self._processes[number], None
        assert process is not None
        process.kill()

    def stop(self) -> None:
        """Have all of them end in order."""
        running = [process for process in self._processes if process is not None]
        for process in running:
            process.send(signal.SIGTERM)
        for process in running:
            process.wait()
        self._processes = [None] * len(self._processes)
        self._close()

    def restart(self, **variables: str) -> None:
        """Start again with other values of some ``DOPEORNOPE_`` variables."""
        self.stop()
        self._environment |= {f"DOPEORNOPE_{name}": value for name, value in variables.items()}
        self.start()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes if process is not None]

    def _launch(self, number: int) -> Process:
        listener = self._sockets[number].fileno()
        beside = {"TMPDIR": str(self.folder / "uploads")}
        return Process(
            [sys.executable, "-m", self._module, str(listener), str(FINISH_SECONDS)],
            log=self._log(number),
            cwd=ROOT,
            env={**make_environment(self.folder), **beside, **self._environment},
            pass_fds=[listener],
        )

    def _log(self, number: int) -> Path:
        return self.folder / f"web-{number}.log"

    def _close(self) -> None:
        for listener in self._sockets:
            listener.close()
        self._sockets = []


def _accepts(pid: int, listener: int) -> bool:
    """Whether the event loop of a process watches its socket, which it does once it serves."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for handle in Path(f"/proc/{pid}/fdinfo").iterdir():
            with suppress(FileNotFoundError):
                if re.search(rf"^tfd: *{listener} ", handle.read_text(), re.MULTILINE):
                    return True
    return False


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
