"""The schedule starts a retraining once a day at most, where something is new and nothing left to judge."""

from datetime import timedelta

import pytest

from evaluation.models import Contender, Promotion, Retraining
from evaluation.services.contenders import retire_contender
from evaluation.services.promotions import roll_back
from evaluation.services.retrainings import KIND, request_due
from search.models import Catalogue, Job, JobState
from search.services.jobs import run_in_foreground
from tests.evaluation.teaching import finish, make_standing, put_in_charge, start, teach
from tests.factories import NOW, make_catalogue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def catalogue() -> Catalogue:
    """A catalogue with an encoder in charge that can be taught."""
    catalogue = make_catalogue(items=40, with_images=False)
    put_in_charge(catalogue, make_standing(catalogue))
    return catalogue


def test_35_the_schedule_looks_once_a_day_whoever_asks_and_however_often(
    catalogue: Catalogue, settings: pytest.FixtureRequest
) -> None:
    settings.RETRAIN_FROM = 3
    teach(catalogue)
    for after in (timedelta(), timedelta(seconds=3), timedelta(hours=9)):
        request_due(NOW + after)
    [job] = Job.objects.filter(kind=KIND)
    for _ in range(2):  # a worker died after the first had done its work
        Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED)
        run_in_foreground(job=job, report=lambda row: None, now=lambda: NOW)
    [retraining] = Retraining.objects.all()
    assert retraining.made_by == ""
    job.refresh_from_db()
    assert retraining.name in job.message
    request_due(NOW + timedelta(days=3))
    assert Job.objects.filter(kind=KIND).count() == 2, "once for all the days that were missed"


def test_the_schedule_waits_until_enough_waits(catalogue: Catalogue, settings: pytest.FixtureRequest) -> None:
    settings.RETRAIN_FROM = 4
    teach(catalogue)
    assert request_due(NOW) == 1
    job = Job.objects.get(kind=KIND)
    run_in_foreground(job=job, report=lambda row: None, now=lambda: NOW)
    job.refresh_from_db()
    assert "Only 3 triplets wait, 4 are needed" in job.message
    settings.RETRAIN_FROM = 0
    assert request_due(NOW + timedelta(days=1)) == 0
    assert not Retraining.objects.exists()


def test_the_schedule_waits_for_a_challenger_and_for_what_none_has_learned(
    catalogue: Catalogue, settings: pytest.FixtureRequest
) -> None:
    settings.RETRAIN_FROM = 3
    teach(catalogue)
    first = look(catalogue, day=0)
    assert "is being taught" in first
    [retraining] = Retraining.objects.all()
    finish(retraining)
    make_standing(catalogue, retraining.name)
    assert "has not won yet" in look(catalogue, day=1)
    for one in Contender.objects.filter(encoder=retraining.name):
        retire_contender(contender=one, now=NOW)
    assert "Only 0 triplets wait that no challenger has learned, 3 are needed" in look(catalogue, day=2)
    teach(catalogue)
    assert "is being taught" in look(catalogue, day=3)
    assert Retraining.objects.count() == 2


def test_after_a_rollback_people_start_the_next_one(
    catalogue: Catalogue, settings: pytest.FixtureRequest
) -> None:
    settings.RETRAIN_FROM = 3
    teach(catalogue)
    other = make_standing(catalogue, "other")
    last = Promotion.objects.get()
    Promotion.objects.create(
        catalogue=catalogue,
        number=2,
        kind=Promotion.Kind.PROMOTED,
        contender=other,
        replaces=last,
        made_at=NOW,
    )
    roll_back(catalogue, seen=2, by="olga", now=NOW)
    assert "a person starts the next" in look(catalogue, day=0)
    assert start(catalogue).rival == last.contender


def look(catalogue: Catalogue, *, day: int) -> str:
    """What the schedule's look at the queue came to."""
    now = NOW + timedelta(days=day)
    assert request_due(now) == 1
    job = Job.objects.filter(kind=KIND).latest("created_at")
    run_in_foreground(job=job, report=lambda row: None, now=lambda: now)
    job.refresh_from_db()
    return job.message
