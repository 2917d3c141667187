"""Siamese trainings that first learn where items lie: as jobs, stopped, repeated, and what they publish."""

import shutil

import pytest

from search.models import JobState
from search.services.training_folders import features_folder
from tests.lessons import make_school, train, wish
from tests.training_runs import cancel, card_of, encoders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_word")]

UPRIGHT = {
    "upright": "true", "backbone": "shuttle", "side": "128", "loss": "contrast", "upright_steps": "4",
    "upright_batch": "4", "small_share": "0",
}  # fmt: skip
FINDING = "learning where items lie, step"


@pytest.fixture
def school(db):
    return make_school(lifestyle=True)


def learn(school, name, report=lambda job: None, **changed):
    asked = wish(school, "siamese", name=name, settings=UPRIGHT | changed)
    return train(asked, report=report)[1]


def test_stopped_while_it_learns_where_items_lie_it_goes_on_to_the_same_encoder(school):
    job = learn(school, "disturbed", lambda row: cancel(row) if f"{FINDING} 3 of 4" in row.message else None)
    assert job.state == JobState.CANCELLED
    assert learn(school, "disturbed").state == JobState.DONE
    shutil.rmtree(features_folder())  # or the other would take what this one learned
    assert learn(school, "undisturbed").state == JobState.DONE
    assert card_of("disturbed")["sha256"] == card_of("undisturbed")["sha256"]
    assert card_of("disturbed")["architecture"]["upright"]
    assert encoders("disturbed")["disturbed"].availability == "ready"


def test_where_items_lie_is_learned_once_for_all_trainings_with_the_same_pictures(school):
    said: list[str] = []
    learn(school, "first", lambda row: said.append(row.message))
    assert any(FINDING in message for message in said)
    said.clear()
    job = learn(school, "second", lambda row: said.append(row.message), dimensions="16")
    assert job.state == JobState.DONE
    assert not any(FINDING in message for message in said)
