"""A Celery application whose workers know more kinds of jobs: one that kills them, and one that waits.

A worker called "slow" also waits once before it listens for jobs.
"""

import os
import signal
import threading
from pathlib import Path
from typing import Any

import django
from celery.signals import worker_ready

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
    """Publish when the test lets it go on."""
    _wait_for_the_test("running", "go-on")
    with context.publish():
        events.bump(f"published by {os.getpid()}")


@worker_ready.connect
def get_ready_slowly(sender: Any, **_: Any) -> None:
    if sender.hostname.startswith("slow@"):
        _wait_for_the_test("ready", "listen")


def _wait_for_the_test(here: str, further: str) -> None:
    """Say in a file of HOME that this process is here, and go on when the test says so in another."""
    home: Path = settings.HOME
    never = threading.Event()
    (home / f"{here}-{os.getpid()}").touch()
    while not (home / f"{further}-{os.getpid()}").exists():
        never.wait(0.02)  # time.sleep fails under a shifted clock


register_kind(JobKind("poison", Queue.IO, die))
register_kind(JobKind("waiting", Queue.IO, wait))
register_kind(JobKind("harmless", Queue.IO, lambda context: None))
