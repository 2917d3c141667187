"""Trainings that are stopped, asked for again or replaced: nothing is lost, and nothing is done twice."""

import re

import pytest
from django.conf import settings
from django.core.management import CommandError

from search.management.commands import train as command
from search.models import Job, JobState, Training
from search.selectors.encoders import list_all_encoders
from search.services.jobs import run_in_foreground
from tests.lessons import make_school, train, wish
from tests.training_runs import at_step, call, cancel, card_of, command_line, encoders, files_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_word")]


def test_cancelled_it_goes_on_from_the_checkpoint_and_ends_like_an_undisturbed_one():
    school = make_school()
    undisturbed, _ = train(wish(school, name="undisturbed"))
    asked = wish(school, name="disturbed")

    training, job = train(asked, report=at_step(5, cancel))
    assert (job.state, job.done) == (JobState.CANCELLED, 5)
    assert "disturbed" not in {info.network for info in list_all_encoders()}

    steps: list[int] = []
    again, job = train(asked, report=lambda row: steps.append(row.done))
    assert again == training and job.state == JobState.DONE
    # It heard of it at step 6, with which a checkpoint was written.
    assert job.resumed_from == steps[0] == 7
    assert card_of("disturbed")["sha256"] == card_of("undisturbed")["sha256"]
    assert card_of("disturbed")["curve"] == card_of("undisturbed")["curve"]
    assert again.encoder_version == undisturbed.encoder_version


@pytest.mark.parametrize("kind", ["siamese", "csn"])
def test_the_other_kinds_go_on_alike(kind):
    """Siamese keeps its hard negatives, which were found under weights that are gone."""
    school = make_school(lifestyle=True)
    train(wish(school, kind, name="undisturbed"))
    train(wish(school, kind, name="disturbed"), report=at_step(5, cancel))
    _, job = train(wish(school, kind, name="disturbed"))
    assert (job.state, job.resumed_from) == (JobState.DONE, 7)
    assert card_of("disturbed")["sha256"] == card_of("undisturbed")["sha256"]


def test_cancelled_while_pictures_are_framed_it_frames_on():
    school = make_school()
    _, job = train(wish(school), report=lambda row: cancel(row) if "10 of 36" in row.message else None)
    assert (job.state, job.message) == (JobState.CANCELLED, "framing catalogue pictures, 10 of 36")
    said: list[str] = []
    _, job = train(wish(school), report=lambda row: said.append(row.message))
    assert job.state == JobState.DONE
    assert said[0] == "framing catalogue pictures, 11 of 36"


def test_trained_again_with_other_settings_the_encoder_is_replaced_only_at_the_end():
    school = make_school()
    train(wish(school, name="pupil"))
    before, version = files_of(), encoders()["pupil"].version
    seen = []
    _, job = train(
        wish(school, settings={"seed": 1}),
        report=lambda row: seen.append((files_of() == before, encoders()["pupil"].version == version)),
    )
    assert job.state == JobState.DONE
    # The last word is said when the job is done.
    assert set(seen[:-1]) == {(True, True)}
    assert encoders()["pupil"].version != version
    assert card_of()["lineage"]["settings"]["seed"] == 1
    assert len(files_of()) == 2, "the card and its weights, and not those of before"


def test_what_was_replaced_can_be_had_again():
    school = make_school()
    train(wish(school))
    before = files_of()
    train(wish(school, settings={"seed": 1}))
    _, job = train(wish(school))
    assert job.state == JobState.DONE
    assert files_of() == before


def test_no_checkpoint_is_left_beside_a_finished_encoder():
    """It is five times as large."""
    train(wish(make_school()))
    assert {path.name for path in settings.TRAINING_FOLDER.iterdir()} == {"pictures"}


def test_a_worker_that_died_after_it_published_has_the_next_one_train_nothing():
    training, job = train(wish(make_school()))
    before = files_of()
    Job.objects.update(state=JobState.QUEUED)
    said: list[int] = []
    job = run_in_foreground(job=training.job, report=lambda row: said.append(row.done))
    assert job.state == JobState.DONE and set(said) == {8}, "what it was before"
    assert files_of() == before


def test_the_curve_is_stored_while_it_runs_and_people_are_told_how_far_it_is():
    seen: list[tuple[int, int, str]] = []

    def look(job: Job) -> None:
        row = Job.objects.get(pk=job.pk)
        seen.append((row.done, len(Training.objects.get().curve), row.message))

    train(wish(make_school()), report=look)
    steps = [line for line in seen if line[0]]
    assert [(done, points) for done, points, _ in steps[:8]] == [(n, n) for n in range(1, 9)]
    assert re.fullmatch(r"loss \d\.\d{3}", steps[1][2])
    assert re.fullmatch(r"loss \d\.\d{3}, accuracy \d\.\d{3}", steps[4][2])


def test_who_stops_the_command_is_told_how_to_go_on(monkeypatch):
    make_school()

    class Impatient(command.JobProgress):
        def __call__(self, job: Job) -> None:
            super().__call__(job)
            if job.done == 5:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(command, "JobProgress", Impatient)
        with pytest.raises(CommandError, match="The same command goes on from here") as stopped:
            call(*command_line())
    assert stopped.value.returncode == 130
    assert Training.objects.get().job.state == JobState.QUEUED

    call(*command_line())
    job = Training.objects.get().job
    assert (job.state, job.resumed_from) == (JobState.DONE, 5)
    assert Training.objects.count() == 1


def test_asked_again_there_is_nothing_to_do():
    make_school()
    call(*command_line())
    before = files_of()
    assert call(*command_line()).startswith("Nothing to do: pupil was trained so on 20")
    assert files_of() == before
