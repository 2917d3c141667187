"""Jobs: asked for once, run by one worker at a time, ended as done or as failed with a reason.

The row is the truth (`search/models/jobs.py`); whoever creates a job sends a hint about it after the commit
(`search.tasks.hint_jobs`), and the sweeper sends what got lost. Taking a job is one conditional UPDATE, so a
hint delivered twice, or to two workers, runs it once.
"""

import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from search import events
from search.engine.errors import DiskFull
from search.models import Catalogue, Job, JobState, Queue
from search.selectors.clock import carry_clock
from search.services.job_context import (
    LEASE,
    JobCancelled,
    JobContext,
    JobFailed,
    JobInterrupted,
    JobPutOff,
    JobStopped,
    LeaseLost,
)
from search.services.job_failures import tell_failure

__all__ = [
    "JobCancelled",
    "JobContext",
    "JobFailed",
    "JobInterrupted",
    "JobKind",
    "JobPutOff",
    "JobStopped",
    "LeaseLost",
    "cancel_job",
    "create_job",
    "lose_worker",
    "register_kind",
    "retry_job",
    "run_in_foreground",
    "run_job",
    "worker_name",
]
Handler = Callable[[JobContext], None]
MAX_ATTEMPTS = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobKind:
    """What runs a job of one name. The handler resumes: it may have run, in part or whole, before."""

    name: str
    queue: Queue
    handler: Handler
    max_attempts: int = MAX_ATTEMPTS


_kinds: dict[str, JobKind] = {}


def register_kind(kind: JobKind) -> None:
    """Make jobs of ``kind.name`` runnable; called from ``AppConfig.ready``."""
    _kinds[kind.name] = kind


def worker_name() -> str:
    """HOST:PID of this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


@transaction.atomic
def create_job(
    *,
    kind: str,
    arguments: dict[str, Any],
    key: str,
    title: str,
    catalogue: Catalogue | None,
    now: datetime,
    after: Job | None = None,
    again: bool = False,
) -> Job:
    """The job with this idempotency key: made, or found; one that failed or was cancelled is queued again.

    ``again``: so is one that is done, because what it made is not there any more.
    ``after``: a job that must be done before this one may start; should it fail, this one fails with it.
    """
    job, made = Job.objects.get_or_create(
        idempotency_key=key,
        defaults={
            "kind": kind,
            "queue": _kinds[kind].queue,
            "arguments": arguments,
            "title": title[:200],
            "catalogue": catalogue,
            "created_at": now,
            "after": after,
        },
    )
    if made:
        events.bump("jobs")
    elif again or job.state in (JobState.FAILED, JobState.CANCELLED):
        retry_job(job=job, now=now)
    return job


@transaction.atomic
def cancel_job(*, job: Job, now: datetime) -> None:
    """A queued job ends at once, a running one at its next word; a finished one stays as it is."""
    row = Job.objects.filter(pk=job.pk)
    if not row.filter(state=JobState.QUEUED).update(
        state=JobState.CANCELLED, cancel_requested=True, finished_at=now
    ):
        row.filter(state=JobState.RUNNING).update(cancel_requested=True)
    events.bump("jobs")
    job.refresh_from_db()


@transaction.atomic
def retry_job(*, job: Job, now: datetime) -> None:
    """Queue a finished job again, with all its attempts; an unfinished one stays as it is.

    The fence stays, so whatever the earlier runs still try to publish is refused.
    """
    Job.objects.filter(pk=job.pk).exclude(state__in=[JobState.QUEUED, JobState.RUNNING]).update(
        state=JobState.QUEUED,
        attempt=0,
        cancel_requested=False,
        lease_until=None,
        done=0,
        total=0,
        resumed_from=0,
        message="",
        reason="",
        created_at=now,
        hinted_at=None,
        started_at=None,
        finished_at=None,
    )
    events.bump("jobs")
    job.refresh_from_db()


def run_job(*, job_id: str, worker: str, now: Callable[[], datetime] | None = None) -> None:
    """Run the job, unless it is finished, waits for another or is held by another worker.

    ``now`` None: by the database's clock, so that workers on hosts whose clocks differ agree about leases.
    """
    clock = now or carry_clock()
    job = _take(job_id, worker=worker, now=clock())
    if job is not None:
        _run(job, JobContext(job, clock=clock), last_try=False)


def run_in_foreground(
    *,
    job: Job,
    report: Callable[[Job], None],
    now: Callable[[], datetime] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Job:
    """Run the job here and now, without a worker, and return its row as it ended.

    ``report`` is called after each step. A job that a worker has taken already is followed to its end.
    ``now`` as in `run_job`.
    """
    clock = now or carry_clock()
    taken = _take(str(job.pk), worker=worker_name(), now=clock())
    if taken is not None:
        _run(taken, JobContext(taken, clock=clock, report=report), last_try=True)
    job.refresh_from_db()
    while not job.is_finished:
        report(job)
        sleep(0.5)
        job.refresh_from_db()
    report(job)
    return job


def lose_worker(*, job: Job, now: datetime, counted: bool = True) -> None:
    """The worker of this running job is gone: queue it again, or end it if cancelled or lost too often.

    ``counted`` False: the worker was stopped on purpose, which says nothing about the job.
    """
    most = _kinds[job.kind].max_attempts if job.kind in _kinds else MAX_ATTEMPTS
    if job.cancel_requested:
        _finish(job, JobState.CANCELLED, now=now)
    elif counted and job.attempt >= most:
        _finish(job, JobState.FAILED, now=now, reason=f"Its worker died {job.attempt} times.")
    else:
        _requeue(job, attempt=job.attempt if counted else job.attempt - 1)


def _take(job_id: str, *, worker: str, now: datetime) -> Job | None:
    free = Q(state=JobState.QUEUED) & (Q(after=None) | Q(after__state=JobState.DONE))
    left = Q(state=JobState.RUNNING, lease_until__lt=now)
    job = Job.objects.filter(free | left, pk=job_id).first()
    if job is None:
        return None
    kind = _kinds.get(job.kind)
    if kind is None:
        _finish(job, JobState.FAILED, now=now, reason=f"No installed part runs jobs of kind “{job.kind}”.")
        return None
    if job.state == JobState.RUNNING and (job.cancel_requested or job.attempt >= kind.max_attempts):
        lose_worker(job=job, now=now)
        return None
    with transaction.atomic():
        # The fence read above is the condition: of two workers that read the same row, one changes it.
        changed = Job.objects.filter(pk=job.pk, fence=job.fence, state=job.state).update(
            state=JobState.RUNNING,
            attempt=F("attempt") + 1,
            fence=F("fence") + 1,
            worker=worker[:200],
            lease_until=now + LEASE,
            started_at=now,
            resumed_from=0,
            reason="",
        )
        if changed:
            events.bump("jobs")
    if not changed:
        return None
    job.refresh_from_db()
    return job


def _run(job: Job, context: JobContext, *, last_try: bool) -> None:
    kind = _kinds[job.kind]
    with context.heartbeat():
        try:
            kind.handler(context)
        except LeaseLost:
            log.warning("job %s was taken over while %s ran it", job.pk, job.worker)
        except JobCancelled:
            _finish(job, JobState.CANCELLED, now=context.now())
        except JobInterrupted:
            _requeue(job, attempt=job.attempt - 1)
        except JobPutOff:
            # Counted as hinted, so that it comes again with the sweeper, and not before those it waits for.
            _requeue(job, attempt=job.attempt - 1, hinted_at=context.now())
        except JobFailed as failure:
            _finish(job, JobState.FAILED, now=context.now(), reason=str(failure))
        except DiskFull as error:
            _finish(job, JobState.FAILED, now=context.now(), reason=str(error))
        except Exception as error:
            log.exception("job %s (%s) failed in attempt %d", job.pk, job.kind, job.attempt)
            _fail_or_requeue(job, error, context.now(), last_try or job.attempt >= kind.max_attempts)
        except BaseException:
            _requeue(job, attempt=job.attempt - 1)
            raise
        else:
            _finish(job, JobState.DONE, now=context.now())


def _fail_or_requeue(job: Job, error: Exception, now: datetime, last_try: bool) -> None:
    if last_try:
        name = type(error).__name__
        _finish(job, JobState.FAILED, now=now, reason=f"{name}: {error}", told=f"It broke off ({name}).")
    else:
        # Counted as hinted, so that the sweeper lets some time pass before the next attempt.
        _requeue(job, attempt=job.attempt, hinted_at=now, reason=f"{type(error).__name__}: {error}"[:1000])


@transaction.atomic
def _requeue(job: Job, *, attempt: int, hinted_at: datetime | None = None, reason: str = "") -> None:
    Job.objects.filter(pk=job.pk, fence=job.fence, state=JobState.RUNNING).update(
        state=JobState.QUEUED, attempt=attempt, lease_until=None, hinted_at=hinted_at, reason=reason
    )
    events.bump("jobs")


@transaction.atomic
def _finish(job: Job, state: JobState, *, now: datetime, reason: str = "", told: str = "") -> None:
    """``told``: what leaves the house in place of a reason that was not written for people."""
    held = Job.objects.filter(pk=job.pk, fence=job.fence, state=job.state)
    changed = held.update(state=state, reason=reason[:1000], lease_until=None, finished_at=now)
    if changed and state == JobState.FAILED:
        tell_failure(job, told or reason, now=now)
    events.bump("jobs")
