"""What trainings leave behind: kept while somebody may go on from it, swept away after that."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from search.models import Job, JobState, Training
from search.services.jobs import retry_job, run_in_foreground
from search.services.sweeping import sweep_everything
from search.services.training_folders import folder_of
from tests.factories import NOW
from tests.lessons import make_school, train, wish
from tests.training_runs import at_step, cancel, checkpoint_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_word")]

MONTH = timedelta(days=30)
SHORTLY = timedelta(minutes=1)


@pytest.fixture
def stopped() -> Training:
    """A training that was cancelled half-way, at `NOW`."""
    training, job = train(wish(make_school()), report=at_step(5, cancel))
    assert job.state == JobState.CANCELLED and checkpoint_of(training).exists()
    Job.objects.update(finished_at=NOW)
    return training


def sweep(*, after: timedelta) -> int:
    return sweep_everything(now=NOW + after, own_workers=False)["leftover checkpoints"]


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_the_last_good_checkpoint_of_one_that_failed_or_was_cancelled_is_kept_for_a_month(stopped, state):
    Job.objects.update(state=state)
    assert sweep(after=MONTH - SHORTLY) == 0
    retry_job(job=stopped.job, now=NOW)
    job = run_in_foreground(job=stopped.job, report=lambda row: None)
    assert job.state == JobState.DONE and job.resumed_from >= 5


def test_after_a_month_it_goes_and_asked_for_again_it_starts_anew(stopped):
    assert sweep(after=MONTH + SHORTLY) == 1
    assert not folder_of(stopped.fingerprint).exists()
    _, job = train(wish(stopped.catalogue))
    assert job.state == JobState.DONE and job.resumed_from <= 1


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
def test_one_that_waits_or_runs_keeps_its_checkpoint_however_old_it_is(stopped, state):
    Job.objects.update(state=state, lease_until=NOW + 3 * MONTH)
    age(folder_of(stopped.fingerprint))
    assert sweep(after=2 * MONTH) == 0
    assert checkpoint_of(stopped).exists()


def test_what_a_finished_one_left_goes_at_once(stopped):
    """Its worker died after it had said that the job is done."""
    Job.objects.update(state=JobState.DONE)
    assert sweep(after=SHORTLY) == 1


def test_a_measurement_that_was_stopped_may_go_on_within_a_month_and_all_else_stays(stopped):
    folder = folder_of(stopped.fingerprint)
    Training.objects.all().delete()  # nobody but the files tells of it: so it is with measurements
    age(folder)
    others = {path for path in settings.TRAINING_FOLDER.rglob("*") if folder not in (path, *path.parents)}
    assert sweep(after=MONTH - SHORTLY) == 0
    assert sweep(after=MONTH + SHORTLY) == 1
    assert set(settings.TRAINING_FOLDER.rglob("*")) == others


def test_features_that_were_never_finished_go_after_a_month():
    folder = settings.TRAINING_FOLDER / "features"
    folder.mkdir(parents=True)
    for name in ("a.safetensors.partial", "a.safetensors.marks", "b.safetensors"):
        (folder / name).write_bytes(b"x")
    age(folder)
    assert sweep(after=MONTH - SHORTLY) == 0
    assert sweep(after=MONTH + SHORTLY) == 1
    assert [path.name for path in folder.iterdir()] == ["b.safetensors"]


def age(folder: Path) -> None:
    """As if it had last been written at `NOW`."""
    for path in (*folder.iterdir(), folder):
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
