"""The processes of a running game, as both modes start them: web, workers, sweepers."""

import os
import socket
import sys
from collections.abc import Mapping, Sequence

from django.conf import settings

from dopeornope.addresses import in_address, list_hosts
from dopeornope.supervisor import Child


def list_worker_words(queue: str) -> list[str]:
    """Celery and its options for a worker of one queue. Containers are started with the same words."""
    return [
        *("celery", "--app=dopeornope", "worker", "--pool=solo", f"--queues={queue}", "--loglevel=WARNING"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]


def web_child(name: str, listener: socket.socket, *, host: str, finish_seconds: int) -> Child:
    """A web process on an open socket. Asked to end, it finishes the requests it has, for so many seconds.

    It answers under every name that ``host`` gives this machine, unless the operator named some.
    """
    command = ["dopeornope.web", str(listener.fileno()), str(finish_seconds)]
    # Django keeps bodies that are on their way in the system's folder for such files, which may be memory.
    environment = {"TMPDIR": settings.FILE_UPLOAD_TEMP_DIR}
    if not os.environ.get("DOPEORNOPE_HOSTS"):
        environment["DOPEORNOPE_HOSTS"] = _name_hosts(host)
    return _child(name, "web", ["-m", *command], environment=environment, pass_fds=[listener.fileno()])


def worker_child(name: str, queue: str) -> Child:
    """One Celery worker with one job at a time, in its own process: asked to end, it puts the job back."""
    return _child(name, "worker", ["-m", *list_worker_words(queue), f"--hostname={name}@%h"])


def sweeper_child(name: str) -> Child:
    return _child(name, "sweeper", [str(settings.BASE_DIR / "manage.py"), "sweep"])


def _name_hosts(host: str) -> str:
    return ",".join(map(in_address, list_hosts(host)))


def _child(
    name: str,
    process: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> Child:
    folders = filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH")])
    return Child(
        name=name,
        command=[sys.executable, *command],
        log=settings.LOG_FOLDER / f"{name}.log",
        environment={
            "PYTHONPATH": os.pathsep.join(folders),
            "DOPEORNOPE_PROCESS": process,
            **(environment or {}),
        },
        pass_fds=pass_fds,
    )
