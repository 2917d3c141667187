"""A Celery application whose workers know more kinds of jobs: one that kills them, and one that waits."""

import os
import signal
import threading
from pathlib import Path

import django

from dopeornope.celery import app

django.setup()

from django.conf import settings  # noqa: E402  # needs the apps

from search import events  # noqa: E402
from search.models import Queue  # noqa: E402
from search.services.jobs import JobContext, JobKind, register_kind  # noqa: E402

__all__ = ["app"]


def die(context: JobContext) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wait(context: JobContext) -> None:
    """Say in a file of HOME that this process runs the job, and publish when the test lets it go on."""
    home: Path = settings.HOME
    never = threading.Event()
    (home / f"running-{os.getpid()}").touch()
    while not (home / f"go-on-{os.getpid()}").exists():
        never.wait(0.02)  # until the test says so; time.sleep fails under a shifted clock
    with context.publish():
        events.bump(f"published by {os.getpid()}")


register_kind(JobKind("poison", Queue.IO, die))
register_kind(JobKind("waiting", Queue.IO, wait))
register_kind(JobKind("harmless", Queue.IO, lambda context: None))
