"""Hints and disks that fail: the truth stays in the rows."""

import errno
import os
import socket
from collections.abc import Iterator

import pytest
from django.conf import settings
from kombu.exceptions import OperationalError

from dopeornope.celery import app
from dopeornope.file_broker import Channel
from dopeornope.management.commands.sweep import sweep
from search import tasks
from search.models import BuildState, EmbeddingSpace, Index, Job, JobState
from search.services import builds, jobs
from tests.factories import NOW, make_catalogue
from tests.faults.house import House

pytestmark = pytest.mark.django_db(transaction=True)

# Asks for three jobs as a web process does; prints how many seconds each hint held it up.
ASK = """
import time
import django
django.setup()
from django.utils import timezone
from search.models import Job
from search.tasks import hint_jobs
for number in range(3):
    names = dict(kind="harmless", queue="io", idempotency_key=str(number), title=str(number))
    job = Job.objects.create(**names, created_at=timezone.now())
    begun = time.monotonic()
    hint_jobs([job])
    print(time.monotonic() - begun)
"""


def request() -> list:
    return builds.request_contenders(catalogue=make_catalogue(items=12), now=NOW)


@pytest.fixture
def sent(monkeypatch, settings, home):
    """The ids of the jobs that hints were sent about."""
    settings.BROKER_FOLDER = home / "broker"
    ids: list[str] = []
    monkeypatch.setattr(tasks.run_job, "apply_async", lambda args, **options: ids.append(args[0]))
    return ids


def test_34_a_broker_that_is_down_when_asked_gets_its_hints_later(monkeypatch, sent):
    def refuse(args: tuple, **options: object) -> None:
        raise OperationalError("connection refused")

    accept = tasks.run_job.apply_async
    monkeypatch.setattr(tasks.run_job, "apply_async", refuse)
    asked = request()
    tasks.hint_jobs(asked)
    monkeypatch.setattr(tasks.run_job, "apply_async", accept)
    sweep()
    assert sent == [str(job.pk) for job in asked]
    sweep()
    assert len(sent) == len(asked)  # each is sent once, not at every round


@pytest.fixture
def mute() -> Iterator[int]:
    """The port of a server that lets everybody in and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("address", ["amqp://guest:guest@127.0.0.1:{}//", "redis://127.0.0.1:{}/0"])
def test_39_a_broker_that_lets_in_and_never_answers_holds_a_web_process_up_for_less_than_two_seconds(
    house: House, mute: int, address: str
) -> None:
    there = house.environment["DOPEORNOPE_BROKER"]
    house.environment |= {"DOPEORNOPE_BROKER": address.format(mute), "DOPEORNOPE_PROCESS": "web"}
    waited = [float(line) for line in house.run("-c", ASK).split()]
    # It waits by timeouts alone; the quickest says how long these are, however busy the machine is.
    assert len(waited) == 3 and min(waited) < 2
    assert list(house.all(Job).values_list("state", "hinted_at")) == [(JobState.QUEUED, None)] * 3
    house.environment |= {"DOPEORNOPE_BROKER": there, "DOPEORNOPE_PROCESS": "sweeper"}
    house.manage("sweep", "--once")
    assert not house.all(Job).filter(hinted_at=None).exists()


def test_a_broken_message_is_dropped_and_the_next_one_is_read(tmp_path):
    folder = tmp_path / "broker"
    options = {"data_folder_in": str(folder), "data_folder_out": str(folder)}
    with app.connection_for_write(transport_options=options) as connection:
        channel = connection.channel()
        assert isinstance(channel, Channel)
        (folder / "000_broken.io.msg").write_text('{"body": "cut o')
        (folder / "001_garbled.io.msg").write_bytes(b"\xff\xfe\x00")
        channel._put("io", {"body": "whole"})
        channel._put("ml", {"body": "not ours"})
        assert channel._get("io") == {"body": "whole"}
        assert [path.name.split(".", 1)[1] for path in folder.iterdir()] == ["ml.msg"]


def test_36_a_full_disk_fails_the_job_with_the_remedy_and_a_retry_succeeds(monkeypatch, sent):
    asked = request()[0]

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        job = jobs.run_in_foreground(job=asked, report=lambda row: None)
    assert job.state == JobState.FAILED
    assert "The disk is full" in job.reason
    assert not EmbeddingSpace.objects.filter(state=BuildState.READY).exists()
    assert not list(settings.ARTIFACTS_FOLDER.rglob("*.safetensors*"))
    jobs.retry_job(job=job, now=NOW)
    assert jobs.run_in_foreground(job=job, report=lambda row: None).state == JobState.DONE


def test_36_a_disk_that_fills_while_an_index_is_written_leaves_no_part_of_it(monkeypatch, sent):
    catalogue = make_catalogue(items=12)
    builds.request_contenders(catalogue=catalogue, now=NOW)
    left = builds.iterate_builds(catalogue=catalogue)
    jobs.run_in_foreground(job=next(left), report=lambda row: None)
    index_job = next(left)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        job = jobs.run_in_foreground(job=index_job, report=lambda row: None)
    assert (job.kind, job.state) == ("index", JobState.FAILED)
    assert not Index.objects.filter(state=BuildState.READY).exists()
    written = settings.ARTIFACTS_FOLDER.rglob("*")
    assert sorted(path.name for path in written if path.is_file()) == [
        "items.safetensors",
        "vectors.safetensors",
    ]
