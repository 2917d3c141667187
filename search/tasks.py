"""The one Celery task, and the hints that start it. Everything that matters is in `search.services.jobs`."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.db import transaction
from kombu.exceptions import KombuError
from kombu.exceptions import OperationalError as BrokerDown

from search.log_context import JOB
from search.models.jobs import Job, JobQuerySet
from search.selectors.clock import read_clock
from search.services import jobs
from search.services.job_context import request_stop
from search.services.sightings import Sightings

# A hint about a job that is still queued after this long may be lost, and is sent again.
RESEND_AFTER = timedelta(seconds=60)

log = logging.getLogger(__name__)
_sightings = Sightings()


@shared_task(name="search.tasks.run_job")
def run_job(job_id: str) -> None:
    """Run the job if it is still to be run, then tell of the jobs it made."""
    JOB.set(job_id)
    jobs.run_job(job_id=job_id, worker=jobs.worker_name())
    hint_due_jobs(now=read_clock())


def hint_jobs(queued: Iterable[Job]) -> None:
    """Tell the workers of these jobs, after the transaction that made them is committed.

    A hint that cannot be sent is no error: the sweeper sends it once the broker answers.
    """
    keys = [job.pk for job in queued]
    transaction.on_commit(lambda: _hint_due(Job.objects.filter(pk__in=keys), now=read_clock()))


def hint_due_jobs(*, now: datetime) -> None:
    """Tell the workers of every queued job that may run and of which they were not told lately."""
    _hint_due(Job.objects.all(), now=now)


def _hint_due(jobs_asked_for: JobQuerySet, *, now: datetime) -> None:
    for job in jobs_asked_for.due_for_a_hint(hinted_before=now - RESEND_AFTER):
        try:
            run_job.apply_async(args=(str(job.pk),), queue=job.queue, retry=False)
        except (BrokerDown, KombuError, OSError) as error:
            log.warning("the broker takes no hints (%s): the sweeper sends them later", error)
            return
        Job.objects.filter(pk=job.pk).update(hinted_at=now)


@worker_shutting_down.connect
def stop_the_running_job(**_: Any) -> None:
    """A worker asked to end puts its job back at the handler's next word instead of finishing it."""
    request_stop()


@worker_ready.connect
def begin_to_be_seen(sender: Any, **_: Any) -> None:
    _sightings.begin(who=",".join(sorted(sender.app.amqp.queues.consume_from)))


@worker_shutdown.connect
def end_to_be_seen(**_: Any) -> None:
    _sightings.end()
