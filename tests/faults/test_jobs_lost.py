"""Hints lost, sent twice, or sent to a worker that hangs: real processes, a real broker, one run."""

import signal
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from search.models import Item, Job, JobState, Revision
from tests.catalogues.sources import picture, write
from tests.faults.house import House, is_service

pytestmark = pytest.mark.timeout(240)

# Asks for an import as the page and the command do, and is killed before it can send the hint.
ASK_AND_DIE = """
import os, pathlib, signal, sys
import django
django.setup()
from django.utils import timezone
from search.catalogues.rows import ImportOptions
from search.services.imports import request_import
path, now = pathlib.Path(sys.argv[1]), timezone.now()
request_import(format="folder", path=path, slug="photos", options=ImportOptions(), now=now)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write(tmp_path / "photos", {f"{number}.png": picture(number) for number in range(3)})


def imported(house: House) -> Job:
    """The import, as soon as it is done."""
    job = house.wait_for(house.all(Job).filter(kind="import", state=JobState.DONE))
    assert house.all(Item).count() == 3
    return job


def test_34_a_process_killed_between_commit_and_hint_has_its_job_done_all_the_same(
    house: House, photos: Path
) -> None:
    house.run("-c", ASK_AND_DIE, str(photos), expect=-signal.SIGKILL)
    assert house.all(Job).get().hinted_at is None
    house.start_worker("io")
    house.manage("sweep", "--once")
    assert imported(house).attempt == 1


def test_34_a_broker_that_is_down_when_a_command_asks_gets_its_hint_when_it_is_back(
    house: House, photos: Path
) -> None:
    there = house.environment["DOPEORNOPE_BROKER"]
    folder = house.home / "broker"
    if is_service():
        house.environment["DOPEORNOPE_BROKER"] = "amqp://guest:guest@127.0.0.1:1//"  # nobody listens there
    else:
        folder.rename(house.home / "away") if folder.exists() else None
        folder.write_text("no folder of messages")
    assert "Queued" in house.manage("import_catalogue", "folder", photos, "--slug", "photos", "--queue")
    assert house.all(Job).get().hinted_at is None
    house.environment["DOPEORNOPE_BROKER"] = there
    if not is_service():
        folder.unlink()
    house.start_worker("io")
    house.manage("sweep", "--once")
    assert imported(house).attempt == 1


def ask_for(house: House, kind: str) -> Job:
    return house.all(Job).create(
        kind=kind, queue="io", idempotency_key=kind, title=kind, created_at=timezone.now()
    )


def send_hints(house: House, job: Job, *, times: int) -> None:
    code = "import sys; from dopeornope.celery import app; import search.tasks as tasks\n"
    code += "for _ in range(int(sys.argv[2])): tasks.run_job.apply_async(args=(sys.argv[1],), queue='io')"
    house.run("-c", f"import django; django.setup()\n{code}", str(job.pk), str(times))


def runners(house: House) -> list[int]:
    """Processes that hold the waiting job, or held it."""
    return sorted(int(path.name.rpartition("-")[2]) for path in house.home.glob("running-*"))


def publishers(house: House) -> list[str]:
    topics = house.all(Revision).filter(topic__startswith="published by ")
    return [topic for topic, number in topics.values_list("topic", "number") for _ in range(number)]


@pytest.mark.usefixtures("carrier")
def test_32_a_hint_delivered_many_times_to_two_workers_runs_the_job_once(house: House) -> None:
    job = ask_for(house, "waiting")
    workers = [house.start_worker("io", "tests.faults.odd_jobs") for _ in range(2)]
    send_hints(house, job, times=6)
    house.wait_until(lambda: runners(house))
    (holder,) = runners(house)
    other = next(worker for worker in workers if worker.pid != holder)
    # The other worker takes hints about the job that runs, and about one that comes after them.
    after = ask_for(house, "harmless")
    send_hints(house, after, times=1)
    done = house.wait_for(house.all(Job).filter(pk=after.pk, state=JobState.DONE))
    assert done.worker.endswith(f":{other.pid}")
    assert runners(house) == [holder]
    (house.home / f"go-on-{holder}").touch()
    ended = house.wait_for(house.all(Job).filter(pk=job.pk, state=JobState.DONE))
    assert (ended.attempt, ended.fence) == (1, 1)
    assert publishers(house) == [f"published by {holder}"]


@pytest.mark.usefixtures("carrier")
def test_32_of_two_workers_that_hold_a_job_only_the_newer_publishes(house: House) -> None:
    """The first is stopped as if it hung, until its lease has run out and another has the job."""
    job = ask_for(house, "waiting")
    hanging = house.start_worker("io", "tests.faults.odd_jobs")
    send_hints(house, job, times=1)
    house.wait_until(lambda: runners(house))
    hanging.send_signal(signal.SIGSTOP)
    house.all(Job).update(lease_until=timezone.now() - timedelta(seconds=1))
    newer = house.start_worker("io", "tests.faults.odd_jobs")
    send_hints(house, job, times=1)
    house.wait_until(lambda: len(runners(house)) == 2)

    hanging.send_signal(signal.SIGCONT)
    (house.home / f"go-on-{hanging.pid}").touch()
    after = ask_for(house, "harmless")
    send_hints(house, after, times=1)  # the older worker is done with the job when it takes the next one
    done = house.wait_for(house.all(Job).filter(pk=after.pk, state=JobState.DONE))
    assert done.worker.endswith(f":{hanging.pid}")
    assert publishers(house) == []
    assert house.all(Job).get(pk=job.pk).state == JobState.RUNNING

    (house.home / f"go-on-{newer.pid}").touch()
    ended = house.wait_for(house.all(Job).filter(pk=job.pk, state=JobState.DONE))
    assert (ended.fence, ended.worker.endswith(f":{newer.pid}")) == (2, True)
    assert publishers(house) == [f"published by {newer.pid}"]
