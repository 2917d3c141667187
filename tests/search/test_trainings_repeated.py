"""Trainings asked for again: what is the same, what is another, and what begins anew."""

import json
import struct

import pytest
from django.conf import settings

from search.models import Catalogue, Job, JobState, Training
from search.services.training import request_training
from search.services.training_wishes import Wish
from tests.factories import NOW
from tests.lessons import make_school, wish
from tests.trainings import make_trained, make_training

pytestmark = pytest.mark.django_db


@pytest.fixture
def school(db) -> Catalogue:
    return make_school()


def test_the_same_request_twice_is_one_training(school):
    first, again = (request_training(wish(school), now=NOW) for _ in range(2))
    assert first == again
    assert Job.objects.get() == first.job
    assert first.job.catalogue == school and first.job.title == "Train pupil (transfer)"


def test_settings_in_another_order_or_said_though_they_are_the_default_are_the_same(school):
    one = Wish("transfer", "pupil", school, settings={"steps": "9", "batch": "48"})
    other = Wish("transfer", "pupil", school, settings={"steps": "9"})
    assert request_training(one, now=NOW) == request_training(other, now=NOW)


@pytest.mark.parametrize("change", ["settings", "aspects", "name", "kind", "weights", "content"])
def test_whatever_the_result_depends_on_makes_another_training(school, tmp_path, change):
    first = request_training(wish(school), now=NOW)
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(struct.pack("<Q", 2) + json.dumps({}).encode())
    if change == "content":
        school.content_hash = "f" * 64  # as after an import that added something
        school.save()
    others = {
        "settings": {"settings": {"seed": 1}},
        "aspects": {"aspects": ("pattern",)},
        "name": {"name": "other"},
        "kind": {"kind": "aspects"},
        "weights": {"weights": weights},
        "content": {},
    }
    other = request_training(wish(school, **others[change]), now=NOW)
    assert other != first and other.job != first.job
    assert Job.objects.filter(state=JobState.QUEUED).count() == 2


def test_weights_count_by_what_is_in_the_file_not_by_its_name(school, tmp_path):
    def ask(name: str, content: dict[str, str]) -> Training:
        file = tmp_path / name
        text = json.dumps({"__metadata__": content}).encode()
        file.write_bytes(struct.pack("<Q", len(text)) + text)
        return request_training(wish(school, weights=file), now=NOW)

    first = ask("a.safetensors", {"of": "a"})
    assert ask("b.safetensors", {"of": "a"}) == first
    assert ask("a.safetensors", {"of": "b"}) != first


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_one_that_failed_or_was_cancelled_is_queued_again(school, state):
    first = request_training(wish(school), now=NOW)
    Job.objects.update(state=state, reason="No memory.", attempt=3, cancel_requested=True)
    again = request_training(wish(school), now=NOW)
    assert again == first
    job = Job.objects.get()
    assert (job.state, job.reason, job.attempt, job.cancel_requested) == (JobState.QUEUED, "", 0, False)


def test_one_whose_job_was_deleted_gets_another(school):
    first = request_training(wish(school), now=NOW)
    Job.objects.all().delete()
    again = request_training(wish(school), now=NOW)
    assert again == first and again.job.state == JobState.QUEUED


def test_one_that_runs_is_left_alone(school):
    request_training(wish(school), now=NOW)
    Job.objects.update(state=JobState.RUNNING, attempt=1, fence=1)
    request_training(wish(school), now=NOW)
    job = Job.objects.get()
    assert (job.state, job.attempt, job.fence) == (JobState.RUNNING, 1, 1)


def test_a_finished_one_is_done(school):
    training = request_training(wish(school), now=NOW)
    make_trained(training)
    assert request_training(wish(school), now=NOW).job.state == JobState.DONE


@pytest.mark.parametrize("how", ["replaced", "gone"])
def test_a_finished_one_whose_encoder_is_not_there_any_more_is_trained_again(school, how):
    """Trained again with other settings, the name's encoder is the other one until this is asked for."""
    training = make_trained(request_training(wish(school), now=NOW))
    if how == "replaced":
        make_trained(make_training(school, name="pupil"), weights=b"other weights")
    else:
        (settings.TRAINED_FOLDER / "pupil" / "card.json").unlink()
    assert request_training(wish(school), now=NOW) == training
    assert Job.objects.get(pk=training.job_id).state == JobState.QUEUED


def test_items_that_belong_together_otherwise_are_another_training(school):
    first = request_training(wish(school), now=NOW)
    school.items.filter(position__lt=4).update(group="one shoot")  # as a new import with a group column does
    assert request_training(wish(school), now=NOW) != first
