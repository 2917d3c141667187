"""The embedded mode's house: its lock, its folders, its database, its socket and its five processes."""

import fcntl
import hashlib
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import TextIO

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from dopeornope.addresses import in_address, list_hosts
from dopeornope.supervisor import Child

LEAST_FREE_BYTES = 500 * 2**20
BACKLOG = 2048
LARGEST_FRAME = 65_536  # bytes a page may send over its socket; pages send nothing


class NotPlayable(Exception):
    """The game cannot start here; the text says why and what to do."""


def lock_home(home: Path) -> TextIO:
    """Hold HOME for this process alone, until it ends however it ends. Raises ``NotPlayable``."""
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "play.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        raise NotPlayable(
            f"The game runs already in {home} (process {lock.read().strip() or 'unknown'}). Stop that one "
            "with Ctrl-C, or give this one a folder of its own: DOPEORNOPE_HOME=other make play PORT=8001"
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def check_disk(home: Path) -> None:
    """Raises ``NotPlayable`` where too little is free for a start to succeed."""
    free = shutil.disk_usage(home).free
    if free < LEAST_FREE_BYTES:
        raise NotPlayable(
            f"Only {free // 2**20} MiB are free on the disk of {home}; {LEAST_FREE_BYTES // 2**20} MiB are "
            "needed. Free some space, or set DOPEORNOPE_HOME to a folder on another disk."
        )


def listen(host: str, port: int) -> socket.socket:
    """The socket the web process will answer on, kept across its restarts. Raises ``NotPlayable``."""
    if not 0 <= port <= 65_535:
        raise NotPlayable(
            f"There is no port {port}: choose one from 1024 to 65535, as in PORT=8001 make play"
        )
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise NotPlayable(
            f"This machine has no address “{host}” ({error.strerror}). Leave HOST out, or "
            "give one of the addresses that it has."
        ) from error
    try:
        return socket.create_server((host, port), family=found[0][0], backlog=BACKLOG)
    except OSError as error:
        raise NotPlayable(
            f"Port {port} of {host} is taken or not allowed ({error.strerror}). "
            f"Choose another one: PORT={port + 1 if port < 65_535 else 8001} make play"
        ) from error


def prepare_database() -> None:
    """Bring the tables up to date; quick where they are."""
    call_command("migrate", verbosity=0, interactive=False)


def collect_static() -> None:
    """Collect the static files where any has changed since they were collected."""
    seen = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            stat = os.stat(storage.path(path))  # noqa: PTH116  # storages deal in strings
            seen.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    stamp: Path = settings.STATIC_ROOT / ".stamp"
    if stamp.exists() and stamp.read_text() == seen.hexdigest():
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(seen.hexdigest())


def list_children(listener: socket.socket, *, host: str) -> list[Child]:
    """The web process, the two workers and the sweeper.

    The web process answers under every name that ``host`` gives this machine, unless the operator named some.
    """
    manage = str(settings.BASE_DIR / "manage.py")
    web = [
        *("uvicorn", "dopeornope.asgi:application", "--fd", str(listener.fileno()), "--no-access-log"),
        *("--log-level", "warning", "--ws-max-size", str(LARGEST_FRAME), "--timeout-graceful-shutdown", "3"),
    ]
    commands = {
        "web": ["-m", *web],
        "io": ["-m", *_worker("io")],
        "ml": ["-m", *_worker("ml")],
        "sweeper": [manage, "sweep"],
    }
    folders = filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH")])
    environment = {"PYTHONPATH": os.pathsep.join(folders)}
    if not os.environ.get("DOPEORNOPE_HOSTS"):
        environment["DOPEORNOPE_HOSTS"] = ",".join(map(in_address, list_hosts(host)))
    return [
        Child(
            name=name,
            command=[sys.executable, *command],
            log=settings.LOG_FOLDER / f"{name}.log",
            environment=environment,
            pass_fds=[listener.fileno()] if name == "web" else [],
        )
        for name, command in commands.items()
    ]


def _worker(queue: str) -> list[str]:
    return [
        *("celery", "-A", "dopeornope", "worker", "--pool=solo", "-Q", queue, "-n", f"{queue}@%h"),
        *("--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]
