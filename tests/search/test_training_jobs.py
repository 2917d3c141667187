"""Trainings as jobs: from the request to a contender, and through whatever may happen on the way."""

import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import safetensors.torch
import torch
from django.conf import settings
from django.core.management import CommandError, call_command

from evaluation.models import Pair
from search.engine.encoders import EncoderInfo
from search.engine.encoders.trained import build_network
from search.engine.encoders.trained_files import read_trained_card, weights_path
from search.management.commands import train as command
from search.models import Catalogue, EmbeddingSpace, Job, JobState, Training
from search.selectors.encoders import list_all_encoders
from search.services import builds
from search.services.jobs import cancel_job, run_in_foreground
from search.services.training import request_training
from tests.factories import NOW
from tests.lessons import SIDE, label, make_aspect, make_school, quick, train, wish

pytestmark = pytest.mark.django_db

ASPECTS = {"transfer": "", "siamese": "", "csn": "colour,neck line", "aspects": "colour,pattern"}
MEASURED = {
    "transfer": {"accuracy"},
    "siamese": {"distance_accuracy", "distance_accuracy_top_3", "absolute_accuracy"},
    "csn": {"triplet_accuracy", "triplet_accuracy colour", "triplet_accuracy neck line"},
    "aspects": {"accuracy"},
}


@pytest.fixture(autouse=True)
def every_word(monkeypatch):
    """Jobs tell of every step, however quick they are."""
    monkeypatch.setattr("search.services.job_context.BETWEEN_WRITES", timedelta())


@pytest.fixture
def only_trained(monkeypatch):
    """Builds leave out the encoders that training did not make."""
    every = builds.list_all_encoders
    monkeypatch.setattr(
        builds, "list_all_encoders", lambda: [info for info in every() if info.name.startswith("pupil")]
    )


def command_line(kind: str = "transfer", *, name: str = "pupil", **changed: object) -> list[str]:
    told = quick(kind, **changed)
    pairs = [word for setting, value in told.items() for word in ("--set", f"{setting}={value}")]
    return [
        *("train", kind, "--catalogue", "school", "--name", name, "--device", "cpu"),
        *("--aspects", ASPECTS[kind], *pairs),
    ]


def call(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def card_of(name: str = "pupil") -> dict:
    return read_trained_card(settings.TRAINED_FOLDER / name)


def files_of(name: str = "pupil") -> dict[str, bytes]:
    folder = settings.TRAINED_FOLDER / name
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def encoders(name: str = "pupil") -> dict[str, EncoderInfo]:
    return {info.name: info for info in list_all_encoders() if info.network == name}


def checkpoint_of(training: Training) -> Path:
    [found] = settings.TRAINING_FOLDER.glob(f"{training.fingerprint[:16]}/checkpoint")
    return found


def at_step(number: int, do: Callable[[Job], object]) -> Callable[[Job], None]:
    """A report that does something once that many steps are done."""

    def report(job: Job) -> None:
        if job.done == number:
            do(job)

    return report


def cancel(job: Job) -> None:
    cancel_job(job=Job.objects.get(pk=job.pk), now=NOW)


@pytest.fixture
def school(db) -> Catalogue:
    """Its items have lifestyle views, and an aspect with a space in its name."""
    made = make_school(lifestyle=True)
    lines = list(make_aspect(made, "neck line", ["round", "V/deep"]).values())
    for item in made.items.all():
        label(item, lines[item.position // 3 % 2])
    return made


@pytest.mark.parametrize(("kind", "measures"), MEASURED.items())
def test_each_kind_is_trained_listed_and_measured_as_in_its_article(school, kind, measures):
    said = call(*command_line(kind))

    assert said.startswith("pupil is ready: ") and "on validation items" in said
    training = Training.objects.get()
    assert training.job.state == JobState.DONE and training.ready_at
    masks = {"colour", "neck line"} if kind == "csn" else set()
    listed = encoders()
    assert {info.mask for info in listed.values()} == {""} | masks
    assert set(listed) == {"pupil"} | {f"pupil.{mask}" for mask in masks}
    assert {info.availability for info in listed.values()} == {"ready"}
    assert {info.version for info in listed.values()} == {training.encoder_version}
    card = card_of()
    assert set(card["measures"]) == set(card["held_out_measures"]) == measures
    assert all(0 <= value <= 1 for value in (card["measures"] | card["held_out_measures"]).values())


@pytest.mark.django_db(transaction=True)
def test_every_mask_becomes_a_space_of_its_own_with_pairs(school, only_trained):
    call(*command_line("csn"))
    call("build_contenders", "--catalogue", "school")
    spaces = EmbeddingSpace.objects.filter(state="ready")
    assert {(space.encoder, space.mask) for space in spaces} == {
        ("pupil", ""),
        ("pupil.colour", "colour"),
        ("pupil.neck line", "neck line"),
    }
    for space in spaces:
        assert Pair.objects.filter(credits__contender__index__space=space).exists()


def test_the_card_says_where_the_encoder_comes_from_and_what_it_is_worth():
    school = make_school()
    call(*command_line("csn", seed=7), "--aspects", "colour,pattern")
    card, training = card_of(), Training.objects.get()

    assert (card["name"], card["kind"]) == ("pupil", "csn")
    lineage = card["lineage"]
    assert lineage["catalogue"] == "school" and lineage["catalogue_hash"] == school.content_hash
    assert lineage["settings"] == training.settings and lineage["settings"]["seed"] == 7
    assert lineage["settings"]["margin"] == 0.2, "also what was left as it is by default"
    assert lineage["aspects"] == ["colour", "pattern"]
    sizes = [lineage[part] for part in ("learned", "validation", "held_out")]
    assert sizes == [19, 8, 9]
    assert lineage["device"] == "cpu"
    assert set(lineage["versions"]) == {"dopeornope", "torch", "numpy"}
    values = {aspect["name"]: aspect["values"] for aspect in card["aspects"]}
    assert values == {"colour": ["blue", "green", "red"], "pattern": ["plain", "striped"]}

    weights = weights_path(settings.TRAINED_FOLDER / "pupil", card)
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == card["sha256"]
    safetensors.torch.load_file(weights)
    assert training.encoder_version.startswith(card["sha256"][:12])

    assert card["measures"] == training.measures
    assert card["curve"] == training.curve
    assert [point["step"] for point in card["curve"]] == list(range(1, 9))
    judged = {point["step"]: point["measures"] for point in card["curve"] if point["measures"]}
    assert set(judged) == {4, 8}
    assert judged[card["best_step"]] == card["measures"]
    assert card["stopped_early"] is False


def test_colours_are_learned_better_than_they_are_guessed():
    make_school(items=60)
    call(*command_line(steps=40, small_share=0, averaging=0.5, augmentation="none"))
    assert card_of()["held_out_measures"]["accuracy"] > 0.8  # a third would be guessed right


def test_training_stops_early_where_nothing_is_gained():
    make_school()
    call(*command_line(steps=60, validate_every=1, patience=2, rate=1e-7, small_share=0))
    card = card_of()
    assert card["stopped_early"] is True
    assert card["curve"][-1]["step"] == card["best_step"] + 2 < 60
    assert Training.objects.get().job.state == JobState.DONE


def test_a_frozen_backbone_looks_once_and_the_encoder_still_takes_pictures():
    asked = wish(make_school(), settings={"trainable": "none"})
    said: list[str] = []
    training, _ = train(asked, report=lambda job: said.append(job.message) if job.done < 5 else cancel(job))
    assert "the backbone looks at catalogue pictures, 36 of 36" in said
    [looked] = settings.TRAINING_FOLDER.glob(f"{training.fingerprint[:16]}/features-catalogue.safetensors")
    before = looked.stat().st_mtime_ns
    seen: set[int] = set()
    _, job = train(asked, report=lambda job: seen.add(looked.stat().st_mtime_ns if job.done < 8 else before))
    assert job.state == JobState.DONE and seen == {before}
    network = build_network(settings.TRAINED_FOLDER / "pupil")
    with torch.inference_mode():
        assert network(torch.zeros(2, SIDE, SIDE, 3, dtype=torch.uint8))[0].shape == (2, 16)


def test_weights_of_an_encoder_trained_here_are_a_backbone_for_the_next():
    make_school()
    call(*command_line())
    first = weights_path(settings.TRAINED_FOLDER / "pupil", card_of())
    call(*command_line("aspects", name="second"), "--weights", str(first))
    assert card_of("second")["lineage"]["weights_sha256"] == card_of()["sha256"]


def test_asked_again_there_is_nothing_to_do():
    make_school()
    call(*command_line())
    before = files_of()
    assert call(*command_line()).startswith("Nothing to do: pupil was trained so on 20")
    assert files_of() == before


def test_the_same_seed_gives_the_same_bytes_and_another_one_others():
    make_school()
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        call(*command_line(name=name, seed=seed))
    one, same, other = (card_of(name)["sha256"] for name in ("one", "same", "other"))
    assert one == same != other


# What may happen on the way.


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
