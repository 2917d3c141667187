"""What a job's handler holds while it runs: progress, the lease, the fence and the way to stop."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NoReturn

from django.db import connection, transaction

from search import events
from search.models import Job, JobState

LEASE = timedelta(seconds=60)
BEAT_SECONDS = 15.0
# A handler that says nothing for this long is taken for hung: its lease runs out and another worker tries.
LONGEST_SILENCE = timedelta(minutes=30)
BETWEEN_WRITES = timedelta(seconds=0.5)

log = logging.getLogger(__name__)
_stopping = threading.Event()


class JobFailed(Exception):
    """The job cannot succeed however often it is tried; the text says why, and the remedy, to people."""


class JobStopped(Exception):
    """Base of what ends a handler from outside; handlers let it pass."""


class JobCancelled(JobStopped):
    """Somebody asked for the job to be cancelled."""


class JobInterrupted(JobStopped):
    """The process that runs the job is asked to end; the job is queued again and resumes elsewhere."""


class JobPutOff(JobStopped):
    """Other jobs of the queue go first; the job is queued again and resumes a minute later."""


class LeaseLost(JobStopped):
    """Another worker holds the job now: nothing of this run may be published."""


def request_stop() -> None:
    """Have the handler that runs in this process stop at its next word; safe in a signal handler."""
    _stopping.set()


class JobContext:
    """One run of one job by one worker."""

    def __init__(
        self, job: Job, *, clock: Callable[[], datetime], report: Callable[[Job], None] | None = None
    ) -> None:
        self.job = job
        self._clock = clock
        self._report = report
        self._last_write: datetime | None = None
        self._last_word = clock()

    def now(self) -> datetime:
        return self._clock()

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Say how far the job is, in units of the handler's choice.

        Written at most twice a second, and at once when ``done`` reaches ``total``; each write renews the
        lease. Raises ``JobCancelled``, ``JobInterrupted`` or ``LeaseLost``.
        """
        if _stopping.is_set():
            raise JobInterrupted
        now = self._last_word = self.now()
        if self._last_write is None:
            self.job.resumed_from = min(done, total)
        elif now - self._last_write < BETWEEN_WRITES and (done != total or self._is_said(done, total)):
            return
        self._last_write = now
        self.job.done, self.job.total, self.job.message = done, total, message[:300]
        with transaction.atomic():
            self._hold(
                now,
                done=done,
                total=total,
                message=self.job.message,
                resumed_from=self.job.resumed_from,
            )
            events.bump("jobs")
        if self._report is not None:
            self._report(self.job)

    def give_way(self) -> None:
        """Let jobs of other kinds that wait for this queue go first: for what nobody waits for.

        Not in the foreground, where somebody waits. Raises ``JobPutOff``.
        """
        waiting = Job.objects.free().filter(queue=self.job.queue).exclude(kind=self.job.kind)
        if self._report is None and waiting.exists():
            raise JobPutOff

    def put_off(self, why: str) -> NoReturn:
        """Go on a minute later, for what needs something outside that is away; ``why`` is shown meanwhile.

        In the foreground, where somebody waits, the job fails instead.
        """
        with transaction.atomic():
            self._hold(self.now(), message=why)
            events.bump("jobs")
        if self._report is not None:
            raise JobFailed(why)
        raise JobPutOff

    def _is_said(self, done: int, total: int) -> bool:
        return (done, total) == (self.job.done, self.job.total)

    @contextmanager
    def publish(self) -> Iterator[None]:
        """A transaction in which this run still holds the job.

        What is written in it becomes visible at once or not at all, and never beside the writes of another
        worker. Raises ``JobCancelled`` or ``LeaseLost``.
        """
        with transaction.atomic():
            # First statement of the transaction: the row stays locked until the writes are committed.
            self._hold(self.now())
            yield

    @contextmanager
    def heartbeat(self) -> Iterator[None]:
        """Renew the lease from a thread of its own while the handler is silent (one long matrix product)."""
        ended = threading.Event()
        thread = threading.Thread(target=self._beat, args=(ended,), name="job-heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _hold(self, now: datetime, **changes: object) -> None:
        held = Job.objects.filter(pk=self.job.pk, fence=self.job.fence, state=JobState.RUNNING)
        if held.filter(cancel_requested=False).update(lease_until=now + LEASE, **changes):
            return
        raise JobCancelled if held.exists() else LeaseLost

    def _beat(self, ended: threading.Event) -> None:
        try:
            while not ended.wait(BEAT_SECONDS):
                if self.now() - self._last_word > LONGEST_SILENCE:
                    log.error(
                        "job %s has been silent for %s: its lease runs out", self.job.pk, LONGEST_SILENCE
                    )
                    return
                try:
                    self._hold(self.now())
                except JobStopped:
                    return  # The handler learns it at its next word.
                except Exception:
                    log.exception("the lease of job %s was not renewed", self.job.pk)
        finally:
            connection.close()
