"""Case 39 of docs/reliability.md: the broker killed and restarted, with nothing left in it, or hanging."""

import subprocess
from pathlib import Path

import pytest
from django.utils import timezone

from search.models import Job, JobState
from tests.catalogues.sources import picture, write
from tests.faults.house import House, is_service
from tests.faults.stores import RabbitMQ, Redis
from tests.waiting import PATIENCE_S

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not is_service(), reason="on SQLite the broker is a folder, which nobody restarts"),
]

Worker = subprocess.Popen[bytes]

# Asks for jobs as a web process does, which keeps its connection to the broker: one for each line it reads.
ASK = """
import django
django.setup()
from django.utils import timezone
from search.models import Job, Queue
from search.tasks import hint_jobs
for _ in range(2):
    title, now = input(), timezone.now()
    names = dict(kind="harmless", queue=Queue.IO, idempotency_key=title, title=title)
    hint_jobs([Job.objects.create(**names, created_at=now)])
"""


@pytest.mark.parametrize("kind", [Redis, RabbitMQ])
def test_39_a_broker_gone_and_back_workers_come_back_and_every_job_is_done(
    kind: type[Redis | RabbitMQ], house: House, tmp_path: Path
) -> None:
    """What is asked for while it is away is accepted; nobody restarts the worker."""
    with kind() as broker:
        house.environment["DOPEORNOPE_BROKER"] = broker.address
        worker = house.start_worker("io")
        ask_for_import(house, tmp_path, "before")
        wait_until_imported(house, "before")
        take_away(broker)
        ask_for_import(house, tmp_path, "meanwhile")
        assert house.all(Job).get(catalogue__slug="meanwhile").hinted_at is None
        broker.start()
        house.manage("sweep", "--once")
        wait_until_imported(house, "meanwhile")
        ask_for_import(house, tmp_path, "after")
        wait_until_imported(house, "after")
        assert worker.poll() is None


@pytest.mark.parametrize("is_waiting", [False, True], ids=["comes later", "waits for the worker"])
@pytest.mark.parametrize("kind", [Redis, RabbitMQ])
def test_39_a_broker_that_dies_during_a_job_and_hears_no_acknowledgement_is_found_again(
    kind: type[Redis | RabbitMQ], is_waiting: bool, house: House, tmp_path: Path
) -> None:
    """The job is done once, and the worker takes the next one when the broker is back."""
    with kind() as broker:
        worker, job = start_job(house, broker, before_the_worker=is_waiting)
        take_away(broker)
        end_job(house, worker, job)
        house.wait_until(lambda: says(house, "Connection to broker lost"))
        broker.start()
        ask_for_import(house, tmp_path, "after")
        wait_until_imported(house, "after")
        assert worker.poll() is None


def test_39_a_broker_that_hangs_up_unheard_is_found_again(house: House, tmp_path: Path) -> None:
    """Where the first job comes before the worker listens, Celery drops what the broker says at parting."""
    with RabbitMQ() as broker:
        job = ask_for_waiting(house, broker)
        worker = house.start_worker("io", "tests.faults.odd_jobs", name="slow")
        house.wait_until((house.home / f"ready-{worker.pid}").exists)
        house.wait_until(lambda: broker.count_waiting("io") == 0)
        (house.home / f"listen-{worker.pid}").touch()
        house.wait_until((house.home / f"running-{worker.pid}").exists)
        broker.hang_up()
        end_job(house, worker, job)
        house.wait_until(lambda: says(house, "The broker hung up unheard"))
        ask_for_import(house, tmp_path, "after")
        wait_until_imported(house, "after")
        assert worker.poll() is None


@pytest.mark.parametrize("kind", [Redis, RabbitMQ])
def test_39_a_broker_that_hangs_holds_up_neither_workers_nor_who_asks(
    kind: type[Redis | RabbitMQ], house: House
) -> None:
    with kind() as broker:
        worker, job = start_job(house, broker)
        asking = house.start("-c", ASK)
        ask_for_harmless(asking, "before")
        house.wait_for(house.all(Job).filter(title="before", hinted_at__isnull=False))
        broker.freeze()
        end_job(house, worker, job)
        ask_for_harmless(asking, "meanwhile")
        assert asking.wait(PATIENCE_S) == 0
        assert house.all(Job).get(title="meanwhile").hinted_at is None
        broker.thaw()
        house.manage("sweep", "--once")
        for title in ("before", "meanwhile"):
            house.wait_for(house.all(Job).filter(title=title, state=JobState.DONE))
        assert worker.poll() is None


def ask_for_harmless(asking: subprocess.Popen[bytes], title: str) -> None:
    assert asking.stdin is not None
    asking.stdin.write(f"{title}\n".encode())
    asking.stdin.flush()


def take_away(broker: Redis | RabbitMQ) -> None:
    """Kill Redis; ask RabbitMQ to end.

    RabbitMQ 3.10, killed within seconds of a quorum queue's making, may lose the queue itself, which is no
    fault of ours to survive.
    """
    if isinstance(broker, Redis):
        broker.kill()
    else:
        broker.stop()


def start_job(
    house: House, broker: Redis | RabbitMQ, *, before_the_worker: bool = False
) -> tuple[Worker, Job]:
    """A worker of this broker, and a job that it runs until it may end; hinted before or after its start."""
    house.environment["DOPEORNOPE_BROKER"] = broker.address
    worker = None if before_the_worker else house.start_worker("io", "tests.faults.odd_jobs")
    job = ask_for_waiting(house, broker)
    worker = worker or house.start_worker("io", "tests.faults.odd_jobs")
    house.wait_until((house.home / f"running-{worker.pid}").exists)
    return worker, job


def ask_for_waiting(house: House, broker: Redis | RabbitMQ) -> Job:
    """A job that ends when the test says so, hinted to this broker."""
    house.environment["DOPEORNOPE_BROKER"] = broker.address
    job = house.all(Job).create(
        kind="waiting", queue="io", idempotency_key="waiting", title="Waiting", created_at=timezone.now()
    )
    house.manage("sweep", "--once")
    return job


def end_job(house: House, worker: Worker, job: Job) -> None:
    (house.home / f"go-on-{worker.pid}").touch()
    assert house.wait_for(house.all(Job).filter(pk=job.pk, state=JobState.DONE)).attempt == 1


def says(house: House, words: str) -> bool:
    return words in (house.home / "processes.log").read_text()


def ask_for_import(house: House, folder: Path, slug: str) -> None:
    photos = write(folder / slug, {f"{number}.png": picture(number) for number in range(3)})
    house.manage("import_catalogue", "folder", photos, "--slug", slug, "--queue")


def wait_until_imported(house: House, slug: str) -> None:
    done = house.all(Job).filter(catalogue__slug=slug, kind="import", state=JobState.DONE)
    assert house.wait_for(done).attempt == 1
