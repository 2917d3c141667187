"""Trainings that cannot succeed: the reason, the remedy, and the old encoder that serves on."""

import re
from dataclasses import replace

import pytest
import safetensors.torch
import torch
from django.conf import settings
from django.core.management import CommandError

from search.engine.encoders.trained_files import weights_path
from search.models import Catalogue, JobState, Split, Training
from search.selectors.encoders import list_all_encoders
from search.services.jobs import run_in_foreground
from search.services.training import request_training
from tests.factories import NOW
from tests.lessons import make_school, train, wish
from tests.training_runs import (
    at_step,
    call,
    cancel,
    card_of,
    checkpoint_of,
    command_line,
    encoders,
    files_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_word")]


def test_a_catalogue_that_changed_since_the_request_fails_the_job_before_it_begins():
    school = make_school()
    training = request_training(wish(school), now=NOW)
    Catalogue.objects.update(content_hash="f" * 64)  # as after an import that added something
    job = run_in_foreground(job=training.job, report=lambda row: None)
    assert (job.state, job.done) == (JobState.FAILED, 0)
    assert job.reason == "“School” has changed since this training was asked for: ask for it again."
    assert not settings.TRAINING_FOLDER.exists()
    school.refresh_from_db()
    again, job = train(wish(school))
    assert again != training and job.state == JobState.DONE


def test_a_catalogue_that_changes_meanwhile_fails_the_job_and_the_old_encoder_serves_on():
    school = make_school()
    train(wish(school))
    before, listed = files_of(), encoders()

    asked = wish(school, settings={"seed": 5})
    change = at_step(4, lambda job: Catalogue.objects.update(content_hash="f" * 64))
    training, job = train(asked, report=change)

    assert job.state == JobState.FAILED
    assert "has changed since this training was asked for" in job.reason
    assert training.ready_at is None and training.encoder_version == ""
    assert files_of() == before and encoders() == listed


def test_a_loss_that_is_no_number_fails_with_the_remedy_and_keeps_the_last_checkpoint():
    school = make_school()
    train(wish(school))
    before = files_of()

    with pytest.raises(CommandError) as refused:
        call(*command_line(rate=10, weight_decay=1, steps=80, validate_every=80, checkpoint_every=5))
    told = str(refused.value)
    found = re.fullmatch(r"The loss is not a number at step (\d+)\. Lower the rate \(it is 10\)\.", told)
    assert found
    failed = Training.objects.get(job__state=JobState.FAILED)
    assert failed.job.reason == told
    assert checkpoint_of(failed).exists()
    assert failed.curve[-1]["step"] == int(found[1]) - 1 > 5
    assert files_of() == before

    call(*command_line(rate=0.001, weight_decay=1, steps=8))
    lowered = Training.objects.latest("pk")
    assert lowered != failed and lowered.job.state == JobState.DONE
    failed.refresh_from_db()
    assert failed.job.state == JobState.FAILED


@pytest.mark.parametrize("harm", ["flipped", "cut", "pickle", "empty"])
def test_a_damaged_checkpoint_is_told_with_its_path(harm):
    school = make_school()
    training, _ = train(wish(school), report=at_step(5, cancel))
    checkpoint = checkpoint_of(training)
    data = bytearray(checkpoint.read_bytes())
    data[-100] ^= 1
    harmed = {"flipped": bytes(data), "cut": bytes(data[:-50]), "pickle": b"\x80\x05N.", "empty": b""}
    checkpoint.write_bytes(harmed[harm])

    with pytest.raises(CommandError) as refused:
        call(*command_line())
    assert str(refused.value) == f"{checkpoint} is no whole checkpoint. Delete it to start anew."
    assert Training.objects.get().job.state == JobState.FAILED

    checkpoint.unlink()
    call(*command_line())
    assert card_of()["lineage"]["learned"] > 0


def test_a_checkpoint_of_another_training_is_refused():
    school = make_school()
    other, _ = train(wish(school, "aspects"), report=at_step(5, cancel))
    training, _ = train(wish(school), report=at_step(5, cancel))
    checkpoint_of(training).write_bytes(checkpoint_of(other).read_bytes())
    _, job = train(wish(school))
    assert job.state == JobState.FAILED
    assert job.reason == (
        f"{checkpoint_of(training)} was written with other settings or for another catalogue. "
        "Delete it to start anew."
    )


def test_weights_of_another_architecture_fail_the_job_by_name(tmp_path):
    make_school()
    file = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"layer1.weight": torch.zeros(2, 2)}, file)
    with pytest.raises(CommandError) as refused:
        call(*command_line(), "--weights", str(file))
    told = str(refused.value)
    assert told.startswith(f"{file} holds no weights of this backbone: ")
    assert "or name the backbone it belongs to" in told
    assert Training.objects.get().job.state == JobState.FAILED


@pytest.mark.parametrize("how", ["changed", "gone"])
def test_weights_that_are_not_those_of_the_request_fail_the_job(tmp_path, how):
    school = make_school()
    train(wish(school))
    file = tmp_path / "first.safetensors"
    file.write_bytes(weights_path(settings.TRAINED_FOLDER / "pupil", card_of()).read_bytes())
    training = request_training(wish(school, name="second", weights=file), now=NOW)
    if how == "gone":
        file.unlink()
    else:
        train(wish(school, settings={"seed": 1}))
        file.write_bytes(weights_path(settings.TRAINED_FOLDER / "pupil", card_of()).read_bytes())
    job = run_in_foreground(job=training.job, report=lambda row: None)
    assert job.state == JobState.FAILED
    assert job.reason.startswith(f"{file} ")
    assert "second" not in {info.network for info in list_all_encoders()}


@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_a_picture_that_is_not_there_or_damaged_fails_the_job_with_the_remedy(harm):
    school = make_school()
    item = school.items.get(position=20)
    path = settings.IMAGES_FOLDER / item.image_sha256[:2] / f"{item.image_sha256}.webp"
    content = path.read_bytes()
    path.unlink() if harm == "gone" else path.write_bytes(content[: len(content) // 2])
    with pytest.raises(CommandError) as refused:
        call(*command_line())
    told = str(refused.value)
    assert "import" in told and "again" in told
    assert (str(settings.IMAGES_FOLDER) if harm == "gone" else str(path)) in told
    assert not told.startswith(("ImageRejected", "FileNotFoundError"))

    path.write_bytes(content)
    call(*command_line())
    assert Training.objects.get().job.state == JobState.DONE


def test_a_gpu_that_is_not_there_is_said_to_be_missing():
    if torch.cuda.is_available():
        pytest.skip("there is one")
    school = make_school()
    _, job = train(replace(wish(school), device="cuda"))
    assert job.state == JobState.FAILED
    assert job.reason == "Device cuda was asked for, but torch finds none. Use auto or cpu."


def test_more_blocks_than_the_backbone_has_are_refused_with_the_remedy():
    _, job = train(wish(make_school(), settings={"trainable": "99"}))
    assert job.state == JobState.FAILED
    assert re.fullmatch(
        r"There are \d+ blocks, not 99\. Set trainable to fewer, to all or to none\.", job.reason
    )


def test_trainable_items_of_one_group_leave_nothing_to_learn_from():
    school = make_school()
    school.items.filter(split=Split.TRAINABLE).update(group="one sender")
    _, job = train(wish(school))
    assert job.state == JobState.FAILED and job.reason.startswith("Nothing is left to learn from")


def test_a_catalogue_without_held_out_items_can_be_learned_from():
    school = make_school()
    school.items.update(split=Split.TRAINABLE)
    for kind, aspects in (
        ("aspects", ("colour", "pattern")),
        ("csn", ("colour", "pattern")),
        ("transfer", ()),
    ):
        _, job = train(wish(school, kind, name=kind, aspects=aspects))
        assert (job.state, job.reason) == (JobState.DONE, "")
