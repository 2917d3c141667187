"""Builds a catalogue's contenders in the foreground, for commands that need them."""

from typing import TextIO

from django.conf import settings
from django.utils import timezone

from search.management.progress import JobProgress
from search.models import Catalogue, Job, JobState
from search.selectors.clock import read_clock
from search.services.builds import iterate_builds, request_additions, request_contenders
from search.services.jobs import run_in_foreground
from search.services.sweeping import free_lost_jobs


def build_what_is_missing(catalogue: Catalogue, stream: TextIO, *, adds: bool = False) -> list[Job]:
    """Embed and index whatever is not ready; returns the jobs that did not end well.

    ``adds``: what is built stays, and what is new is added to it, where that is little.
    """
    # What a killed command left running would otherwise be waited for until its lease ends.
    free_lost_jobs(now=read_clock(), own_workers=settings.MODE == "embedded")
    if not adds or request_additions(catalogue=catalogue, now=timezone.now()) is None:
        request_contenders(catalogue=catalogue, now=timezone.now())
    with JobProgress(stream) as progress:
        ended = [run_in_foreground(job=job, report=progress) for job in iterate_builds(catalogue=catalogue)]
    return [job for job in ended if job.state != JobState.DONE]
