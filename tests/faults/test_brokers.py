"""Case 39 of docs/reliability.md: the broker killed and restarted, with nothing left in it."""

from pathlib import Path

import pytest
import redis

from search.models import Job, JobState
from tests.catalogues.sources import picture, write
from tests.faults.house import House, is_service
from tests.faults.stores import RabbitMQ, Redis

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not is_service(), reason="on SQLite the broker is a folder, which nobody restarts"),
]


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
        take_away(broker, house)
        ask_for_import(house, tmp_path, "meanwhile")
        assert house.all(Job).get(catalogue__slug="meanwhile").hinted_at is None
        broker.start()
        house.manage("sweep", "--once")
        wait_until_imported(house, "meanwhile")
        ask_for_import(house, tmp_path, "after")
        wait_until_imported(house, "after")
        assert worker.poll() is None


def take_away(broker: Redis | RabbitMQ, house: House) -> None:
    """Kill Redis, once the worker has said that it is done with the first hint; ask RabbitMQ to end.

    RabbitMQ 3.10, killed within seconds of a quorum queue's making, may lose the queue itself, which is no
    fault of ours to survive.
    """
    if isinstance(broker, Redis):
        with redis.Redis.from_url(broker.address) as client:
            house.wait_until(lambda: not client.exists("unacked"))
        broker.kill()
    else:
        broker.stop()


def ask_for_import(house: House, folder: Path, slug: str) -> None:
    photos = write(folder / slug, {f"{number}.png": picture(number) for number in range(3)})
    house.manage("import_catalogue", "folder", photos, "--slug", slug, "--queue")


def wait_until_imported(house: House, slug: str) -> None:
    done = house.all(Job).filter(catalogue__slug=slug, kind="import", state=JobState.DONE)
    assert house.wait_for(done).attempt == 1
