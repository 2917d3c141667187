"""Jobs as an operator sees them: asked for once, done once, ended with a reason."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from search.engine.errors import DiskFull
from search.models import Job, JobState, Queue, Revision
from search.services import job_context, jobs
from search.services.job_context import LEASE, JobContext
from search.services.sweeping import sweep_everything

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


class Clock:
    """Time that moves when told to."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def handle() -> Iterator[Callable[[jobs.Handler], None]]:
    """Install a handler for jobs of kind "test"."""

    def install(handler: jobs.Handler) -> None:
        jobs.register_kind(jobs.JobKind("test", Queue.IO, handler))

    yield install
    jobs._kinds.pop("test", None)


def ask(key: str = "one", **options: object) -> Job:
    return jobs.create_job(
        kind="test", arguments={}, key=key, title=f"Test {key}", catalogue=None, now=START, **options
    )


def run(job: Job, clock: Clock, worker: str = "elsewhere:1") -> Job:
    jobs.run_job(job_id=str(job.pk), worker=worker, now=clock)
    job.refresh_from_db()
    return job


def test_the_same_work_asked_for_twice_is_one_job_and_runs_once(handle, clock):
    runs = []
    handle(lambda context: runs.append(1))
    first, second = ask(), ask()
    assert first.pk == second.pk
    run(first, clock)
    run(first, clock)
    assert runs == [1]
    assert first.state == JobState.DONE


def test_a_reason_for_people_ends_the_job_at_once(handle, clock):
    def fail(context: JobContext) -> None:
        raise jobs.JobFailed("The folder is empty: put photos into it.")

    handle(fail)
    job = run(ask(), clock)
    assert (job.state, job.reason) == (JobState.FAILED, "The folder is empty: put photos into it.")
    assert job.attempt == 1


def test_a_full_disk_ends_the_job_with_the_remedy(handle, clock):
    def fill(context: JobContext) -> None:
        raise DiskFull("The disk is full: a.npy could not be written. Free some space.")

    handle(fill)
    job = run(ask(), clock)
    assert job.state == JobState.FAILED
    assert "Free some space" in job.reason


def test_an_unexpected_error_is_tried_three_times(handle, clock):
    def crash(context: JobContext) -> None:
        raise ZeroDivisionError("by nothing")

    handle(crash)
    job = ask()
    assert [run(job, clock).state for _ in range(3)] == [JobState.QUEUED, JobState.QUEUED, JobState.FAILED]
    assert job.reason == "ZeroDivisionError: by nothing"
    jobs.retry_job(job=job, now=START)
    assert (job.state, job.reason, job.attempt) == (JobState.QUEUED, "", 0)


def test_progress_is_written_at_most_twice_a_second_and_gives_the_time_left(handle, clock):
    left = []

    def work(context: JobContext) -> None:
        before = Revision.objects.get(topic="jobs").number
        for done in range(0, 101):
            context.progress(done, 100, f"photo {done}")
            clock.pass_by(0.1)
        writes = Revision.objects.get(topic="jobs").number - before
        assert writes <= 2 * 10.1 + 1
        row = Job.objects.get()
        assert (row.done, row.total, row.message) == (100, 100, "photo 100")
        Job.objects.update(done=50)
        left.append(Job.objects.get().seconds_left(now=START + timedelta(seconds=5)))

    handle(work)
    assert run(ask(), clock).state == JobState.DONE
    assert left == [5.0]


def test_a_job_that_says_again_that_all_is_done_is_not_written_each_time(handle, clock):
    def work(context: JobContext) -> None:
        before = Revision.objects.get(topic="jobs").number
        for _ in range(100):
            context.progress(50, 50)
            clock.pass_by(0.01)
        assert Revision.objects.get(topic="jobs").number - before <= 3

    handle(work)
    assert run(ask(), clock).state == JobState.DONE


def test_a_cancelled_job_stops_at_its_next_word_and_publishes_nothing(handle, clock):
    published = []

    def work(context: JobContext) -> None:
        jobs.cancel_job(job=Job.objects.get(), now=START)
        with context.publish():
            published.append(1)

    handle(work)
    assert run(ask(), clock).state == JobState.CANCELLED
    assert published == []
    queued = ask("two")
    jobs.cancel_job(job=queued, now=START)
    assert run(queued, clock).state == JobState.CANCELLED


def test_32_of_two_workers_that_hold_one_job_the_newer_publishes(handle, clock):
    published = []

    def slow(context: JobContext) -> None:
        clock.pass_by(LEASE.total_seconds() + 1)
        handle(lambda newer: published.append("newer"))
        jobs.run_job(job_id=str(context.job.pk), worker="other:2", now=clock)
        with context.publish():
            published.append("older")

    handle(slow)
    job = run(ask(), clock)
    assert published == ["newer"]
    assert (job.state, job.fence, job.worker) == (JobState.DONE, 2, "other:2")


def test_32_a_hint_delivered_twice_while_the_job_runs_does_nothing(handle, clock):
    runs = []

    def work(context: JobContext) -> None:
        runs.append(1)
        jobs.run_job(job_id=str(context.job.pk), worker="other:2", now=clock)

    handle(work)
    run(ask(), clock)
    assert runs == [1]


def test_33_a_job_that_kills_its_workers_fails_after_three(handle, clock):
    def die(context: JobContext) -> None:
        raise AssertionError("never reached")

    handle(die)
    job = ask()
    for attempt in (1, 2, 3):
        assert jobs._take(str(job.pk), worker=f"elsewhere:{attempt}", now=clock()) is not None
        clock.pass_by(LEASE.total_seconds() + 1)
        sweep_everything(now=clock(), own_workers=False)
    job.refresh_from_db()
    assert (job.state, job.reason) == (JobState.FAILED, "Its worker died 3 times.")


def test_a_living_worker_keeps_its_job_through_any_number_of_sweeps(handle, clock):
    handle(lambda context: None)
    job = ask()
    jobs._take(str(job.pk), worker=jobs.worker_name(), now=clock())
    for _ in range(3):
        sweep_everything(now=clock(), own_workers=True)
    job.refresh_from_db()
    assert job.state == JobState.RUNNING


def test_a_job_waits_for_the_one_before_it_and_fails_with_it(handle, clock):
    handle(lambda context: None)
    first = ask("first")
    second = ask("second", after=first)
    assert run(second, clock).state == JobState.QUEUED
    assert list(Job.objects.due_for_a_hint(hinted_before=clock())) == [first]
    run(first, clock)
    assert list(Job.objects.due_for_a_hint(hinted_before=clock())) == [second]
    assert run(second, clock).state == JobState.DONE

    third = ask("third")
    fourth = ask("fourth", after=third)
    jobs.cancel_job(job=third, now=clock())
    sweep_everything(now=clock(), own_workers=False)
    fourth.refresh_from_db()
    assert fourth.state == JobState.FAILED
    assert "Test third" in fourth.reason


def test_a_long_silent_step_keeps_its_lease(handle, monkeypatch):
    monkeypatch.setattr(job_context, "BEAT_SECONDS", 0.01)
    renewed = []

    def work(context: JobContext) -> None:
        first = Job.objects.get().lease_until
        deadline = time.monotonic() + 20
        while not renewed and time.monotonic() < deadline:
            if Job.objects.get().lease_until > first:
                renewed.append(True)

    handle(work)
    job = ask()
    jobs.run_job(job_id=str(job.pk), worker="elsewhere:1")
    job.refresh_from_db()
    assert renewed
    assert job.state == JobState.DONE


def test_a_worker_asked_to_end_puts_its_job_back_uncounted(handle, clock, monkeypatch):
    monkeypatch.setattr(job_context, "_stopping", threading.Event())

    def work(context: JobContext) -> None:
        job_context.request_stop()
        context.progress(1, 2)
        raise AssertionError("never reached")

    handle(work)
    job = run(ask(), clock)
    assert (job.state, job.attempt, job.reason) == (JobState.QUEUED, 0, "")


def test_a_command_runs_the_same_handler_and_reports_each_step(handle, clock):
    def work(context: JobContext) -> None:
        for done in (1, 2):
            context.progress(done, 2)
            clock.pass_by(1)

    handle(work)
    seen = []
    job = jobs.run_in_foreground(job=ask(), report=lambda row: seen.append((row.done, row.state)), now=clock)
    assert job.state == JobState.DONE
    assert seen == [(1, "running"), (2, "running"), (2, "done")]


def test_a_command_follows_a_job_that_a_worker_holds(handle, clock):
    handle(lambda context: None)
    job = ask()
    taken = jobs._take(str(job.pk), worker="elsewhere:7", now=clock())

    def wait(seconds: float) -> None:
        jobs._finish(taken, JobState.DONE, now=clock())

    assert (
        jobs.run_in_foreground(job=job, report=lambda row: None, now=clock, sleep=wait).state == JobState.DONE
    )
