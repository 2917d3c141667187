"""Hints lost, sent twice, or sent to a worker that hangs: real processes, a real broker, one run."""

import signal
from pathlib import Path

import pytest

from search.models import Item, Job, JobState
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
