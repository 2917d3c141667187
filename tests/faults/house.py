"""A house: a HOME, a database and a broker of its own, and the processes that work in it, to be killed.

A house has the kind of database that the tests run on. With SQLite it is run as `make play` runs it, with the
broker in a folder; with PostgreSQL as a service is: RabbitMQ carries the hints, and what a dead worker held
is free when its lease has run out.
"""

import copy
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from django.db import connections
from django.db.models import Model, QuerySet
from django.utils import timezone

from search.models import Job, JobState
from tests.requirements import REDIS
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]

Row = TypeVar("Row", bound=Model)


def is_service() -> bool:
    """Whether the tests run on the service column."""
    return connections.settings["default"]["ENGINE"].endswith("postgresql")


def database_address(name: str) -> str:
    """What DOPEORNOPE_DATABASE says for a database beside that of the tests."""
    if not is_service():
        return "sqlite"
    known = connections.settings["default"]
    user = known["USER"] + (f":{known['PASSWORD']}" if known["PASSWORD"] else "")
    return f"postgresql://{user}@{known['HOST']}:{known['PORT'] or 5432}/{name}"


class Template:
    """Empty tables, made once, of which every house gets a copy."""

    def __init__(self, folder: Path, broker: str) -> None:
        self._broker = broker
        self.home = folder / "house"
        self.home.mkdir()
        self.database = f"{connections.settings['default']['NAME']}_house_{uuid.uuid4().hex[:8]}"
        if is_service():
            ask_server(f'CREATE DATABASE "{self.database}"')
        House(self.home, self.database, broker).manage("migrate", "-v0")

    def copy(self, home: Path) -> "House":
        shutil.copytree(self.home, home)
        database = f"{self.database}_{uuid.uuid4().hex[:8]}"
        if is_service():
            ask_server(f'CREATE DATABASE "{database}" TEMPLATE "{self.database}"')
        return House(home, database, self._broker)

    def drop(self) -> None:
        if is_service():
            ask_server(f'DROP DATABASE "{self.database}" WITH (FORCE)')


class House:
    """The rows are read and written through Django's models, the processes started and killed by hand."""

    def __init__(self, home: Path, database: str, broker: str) -> None:
        self.home = home
        self._database = database
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DOPEORNOPE_")}
        self.environment = {
            **clean,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
            "DOPEORNOPE_HOME": str(home),
            "DOPEORNOPE_DATABASE": database_address(database),
            "DOPEORNOPE_BROKER": broker,
        }
        if is_service():
            self.environment |= {
                "DOPEORNOPE_MODE": "service",
                "DOPEORNOPE_SECRET_KEY": "a key of houses that stand for one test only",
                "DOPEORNOPE_HOSTS": "localhost,127.0.0.1",
                "DOPEORNOPE_CHANNEL_LAYER": REDIS,
            }
        self._processes: list[subprocess.Popen[bytes]] = []
        connections.settings[database] = copy.deepcopy(connections.settings["default"]) | {
            "NAME": database if is_service() else str(home / "db.sqlite3")
        }

    def all(self, model: type[Row]) -> QuerySet[Row]:
        """The rows of the house's own database."""
        return model._default_manager.using(self._database)

    @property
    def database(self) -> str:
        """The name under which Django's models reach the house's database."""
        return self._database

    def manage(self, *arguments: object) -> str:
        """What the command says; it must succeed."""
        return self.run("manage.py", *map(str, arguments))

    def run(self, *arguments: str, expect: int = 0) -> str:
        command = [sys.executable, *arguments]
        ended = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        assert ended.returncode == expect, ended.stdout + ended.stderr
        return ended.stdout

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.home / "processes.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)
        return process

    def start_worker(
        self,
        queue: str,
        application: str = "dopeornope",
        pool: str = "solo",
        name: str | None = None,
    ) -> subprocess.Popen[bytes]:
        return self.start(
            *("-m", "celery", "-A", application, "worker", f"--pool={pool}", "--concurrency=1", "-Q", queue),
            *("-n", f"{name or uuid.uuid4().hex[:8]}@%h", "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        )

    def recover(self) -> None:
        """What the sweeper does for jobs whose worker is gone, in service once their lease has run out.

        The lease is made to end now instead of in a minute.
        """
        if is_service():
            ended = timezone.now() - timedelta(seconds=1)
            self.all(Job).filter(state=JobState.RUNNING).update(lease_until=ended)
        self.manage("sweep", "--once")

    def wait_for(self, rows: QuerySet[Row]) -> Row:
        """The first of these rows, as soon as there is one."""
        self.wait_until(rows.exists)
        found = rows.first()
        assert found is not None
        return found

    def wait_until(self, is_so: Callable[[], Any]) -> None:
        wait_until(is_so, describe=self.describe)

    def describe(self) -> str:
        """How it stands, for the message of a test that waited in vain."""
        jobs = self.all(Job).values("kind", "title", "state", "done", "total", "attempt", "reason")
        log = self.home / "processes.log"
        return "\n".join([*map(str, jobs), log.read_text() if log.exists() else ""])

    def close(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.communicate()
        connections[self._database].close()
        del connections[self._database], connections.settings[self._database]
        if is_service():
            ask_server(f'DROP DATABASE "{self._database}" WITH (FORCE)')


def ask_server(statement: str) -> None:
    """Tell PostgreSQL, outside of every database of the tests."""
    with connections["default"]._nodb_cursor() as cursor:
        cursor.execute(statement)
