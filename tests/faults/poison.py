"""A Celery application whose workers know one more kind of job: one that kills them."""

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
