"""Servers of a test's own, on loopback with their own folders: to be killed, restarted and emptied."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg2
import redis
from kombu import Connection

from tests import requirements
from tests.faults.ports import free_port
from tests.faults.processes import Process

START_LIMIT_S = 60.0


class Store(ABC):
    """A server in a group of processes of its own. What it wrote stays for its next start."""

    def __init__(self) -> None:
        self.port = free_port()
        # Not pytest's folder, which belongs to one user only: PostgreSQL refuses to run as root.
        self.folder = Path(tempfile.mkdtemp(prefix=f"{type(self).__name__.lower()}-"))
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.kill()
        shutil.rmtree(self.folder)

    @property
    @abstractmethod
    def address(self) -> str:
        """The URL under which the product is told of it."""

    def start(self) -> None:
        """Start it and wait until it answers."""
        deadline = time.monotonic() + START_LIMIT_S
        self._launch()
        while not self._answers():
            assert time.monotonic() < deadline, self._log.read_text()
            if self._process is None or not self._process.is_running:
                self._launch()  # what the killed one held is not free yet
            time.sleep(0.05)  # until it answers

    def kill(self) -> None:
        """SIGKILL to all of its processes: nothing is flushed, nobody is told."""
        self._running.kill()
        self._process = None

    def freeze(self) -> None:
        """From now on it holds its connections and answers nothing."""
        self._running.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._running.send(signal.SIGCONT)

    def stop(self) -> None:
        """Ask it to end, and wait until it has written what it has."""
        self._running.send(signal.SIGTERM)
        self._running.wait()
        self._process = None

    @property
    def _running(self) -> Process:
        assert self._process is not None
        return self._process

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    def _launch(self) -> None:
        self._process = Process(
            self._command(),
            log=self._log,
            cwd=self.folder,
            env={**os.environ, **self._environment()},
            user=self._user(),
            group=self._user(),
            extra_groups=None if self._user() is None else [],
        )

    @abstractmethod
    def _command(self) -> Sequence[str]: ...

    @abstractmethod
    def _answers(self) -> bool: ...

    def _environment(self) -> Mapping[str, str]:
        return {}

    def _user(self) -> str | None:
        """Whom it runs as; None: whoever runs the tests."""
        return None


class PostgreSQL(Store):
    """An empty database "postgres", with durability as shipped."""

    def __init__(self) -> None:
        remedy = "install PostgreSQL (Debian: apt install postgresql)"
        initdb, self._postgres = (
            requirements.find_program(name, remedy, "/usr/lib/postgresql/*/bin")
            for name in ("initdb", "postgres")
        )
        super().__init__()
        if self._user() is not None:
            shutil.chown(self.folder, self._user())
        subprocess.run(
            [initdb, "-D", self.folder / "data", "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"],
            cwd=self.folder,
            user=self._user(),
            check=True,
            stdout=subprocess.DEVNULL,
        )

    @property
    def address(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _command(self) -> Sequence[str]:
        places = ["-D", str(self.folder / "data"), "-p", str(self.port)]
        return [self._postgres, *places, "-c", "listen_addresses=127.0.0.1", "-k", ""]

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg2.OperationalError):
            psycopg2.connect(self.address).close()
            return True
        return False

    def _user(self) -> str | None:
        return "postgres" if os.geteuid() == 0 else None


class Redis(Store):
    """Empty at every start: what is in it is never the truth."""

    def __init__(self) -> None:
        remedy = "install Redis (Debian: apt install redis-server)"
        self._server = requirements.find_program("redis-server", remedy)
        super().__init__()

    @property
    def address(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _command(self) -> Sequence[str]:
        return [self._server, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]

    def _answers(self) -> bool:
        with contextlib.suppress(redis.ConnectionError), redis.Redis.from_url(self.address) as client:
            return bool(client.ping())
        return False


class RabbitMQ(Store):
    """A node with a name, a cookie and a port mapper of its own, far from any other node of this machine."""

    def __init__(self) -> None:
        remedy = "install RabbitMQ (Debian: apt install rabbitmq-server)"
        # Not what is in the PATH: that wrapper changes to a user of its own.
        self._server = requirements.find_program("rabbitmq-server", remedy, "/usr/lib/rabbitmq/bin")
        self._control = requirements.find_program("rabbitmqctl", remedy, "/usr/lib/rabbitmq/bin")
        mapper = requirements.find_program("epmd", remedy, "/usr/lib/erlang/bin")
        super().__init__()
        self._mapper_port = free_port()
        self._mapper = subprocess.Popen([mapper, "-address", "127.0.0.1", "-port", str(self._mapper_port)])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._mapper.kill()
        self._mapper.wait()

    @property
    def address(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def _command(self) -> Sequence[str]:
        return [self._server]

    def _environment(self) -> Mapping[str, str]:
        return {
            "HOME": str(self.folder),  # the cookie
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(self.folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_NODENAME": f"test-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
        }

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), Connection(self.address, connect_timeout=2) as connection:
            connection.connect()
            return True
        return False

    def hang_up(self) -> None:
        """Close all connections, and wait until every client was told so."""
        asked = subprocess.run(
            [self._control, "close_all_connections", "for a test"],
            cwd=self.folder,
            env={**os.environ, **self._environment()},
            capture_output=True,
            text=True,
        )
        assert asked.returncode == 0, asked.stdout + asked.stderr

    def count_waiting(self, queue: str) -> int:
        """Messages of the queue that were handed to nobody yet."""
        with Connection(self.address) as connection, connection.channel() as channel:
            waiting: int = channel.queue_declare(queue, passive=True).message_count
            return waiting
