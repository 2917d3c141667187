"""A Celery application whose workers know more kinds of jobs: one that kills them, and one that waits."""

import os
import signal

import django

from dopeornope.celery import app

django.setup()

from search.models import Queue  # noqa: E402  # needs the apps
from search.services.jobs import JobContext, JobKind, register_kind  # noqa: E402

__all__ = ["app"]


def die(context: JobContext) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


register_kind(JobKind("poison", Queue.IO, die))
register_kind(JobKind("harmless", Queue.IO, lambda context: None))
