"""What the sweeper does every few seconds: nothing that was accepted stays stuck. Two are harmless."""

import logging
import socket
from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from search import events
from search.models import Job, JobState
from search.processes import is_alive
from search.services.job_failures import tell_failure
from search.services.jobs import lose_worker
from search.services.sightings import SWEEPER, note_sighting

# Deletes or mends what is out of date at the given time; returns how many rows.
Sweep = Callable[[datetime], int]

log = logging.getLogger(__name__)
_sweeps: dict[str, Sweep] = {}


def register_sweep(name: str, sweep: Sweep) -> None:
    """Have ``sweep`` called at every round; called from ``AppConfig.ready``. It must be idempotent."""
    _sweeps[name] = sweep


def sweep_everything(*, now: datetime, own_workers: bool) -> dict[str, int]:
    """One round; returns what was mended, by name. What one sweep raises is logged, the others run.

    ``own_workers``: all workers of this database run on this host (embedded mode), so that a job whose
    process is gone is freed at once instead of when its lease ends.
    """
    sweeps = {
        "lost workers": lambda at: free_lost_jobs(now=at, own_workers=own_workers),
        "failed predecessors": fail_followers,
        **_sweeps,
    }
    mended = {}
    for name, sweep in sweeps.items():
        try:
            mended[name] = sweep(now)
        except Exception:
            log.exception("the sweep of %s failed", name)
    note_sighting(who=SWEEPER, now=now)
    return mended


def free_lost_jobs(*, now: datetime, own_workers: bool, counted: bool = True) -> int:
    """Queue, or after too many attempts fail, the running jobs whose worker stopped renewing its lease.

    ``counted`` False: the workers were stopped on purpose, so the attempt does not count.
    """
    running = Job.objects.filter(state=JobState.RUNNING)
    lost = [job for job in running if _is_lost(job, now=now, own_workers=own_workers)]
    for job in lost:
        lose_worker(job=job, now=now, counted=counted)
    return len(lost)


def put_back_jobs(*, pids: Iterable[int], now: datetime) -> int:
    """Queue the running jobs of this machine's processes, which were stopped on purpose; how many."""
    workers = [f"{socket.gethostname()}:{pid}" for pid in pids]
    left = list(Job.objects.filter(state=JobState.RUNNING, worker__in=workers))
    for job in left:
        lose_worker(job=job, now=now, counted=False)
    return len(left)


def fail_followers(now: datetime) -> int:
    """Fail the queued jobs that wait for one that will not be done."""
    ended = Q(after__state=JobState.FAILED) | Q(after__state=JobState.CANCELLED)
    waiting = Job.objects.filter(ended, state=JobState.QUEUED).select_related("after")
    failed = 0
    for job in waiting:
        assert job.after is not None
        reason = f"“{job.after.title}” had to be done first, but is {job.after.state}. Retry both."
        with transaction.atomic():
            queued = Job.objects.filter(pk=job.pk, state=JobState.QUEUED)
            if queued.update(state=JobState.FAILED, finished_at=now, reason=reason):
                tell_failure(job, reason, now=now)
                failed += 1
            events.bump("jobs")
    return failed


def _is_lost(job: Job, *, now: datetime, own_workers: bool) -> bool:
    if job.lease_until is None or job.lease_until < now:
        return True
    host, _, pid = job.worker.rpartition(":")
    return own_workers and host == socket.gethostname() and pid.isdigit() and not is_alive(int(pid))
