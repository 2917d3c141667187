"""Trainings as jobs, end to end: from the request to a contender."""

import hashlib

import pytest
import safetensors.torch
import torch
from django.conf import settings

from evaluation.models import Pair
from search.engine.encoders.trained import build_network
from search.engine.encoders.trained_files import weights_path
from search.models import Catalogue, EmbeddingSpace, JobState, Training
from search.services import builds
from tests.lessons import SIDE, label, make_aspect, make_school, train, wish
from tests.training_runs import (
    call,
    cancel,
    card_of,
    command_line,
    encoders,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_word")]

MEASURED = {
    "transfer": {"accuracy"},
    "siamese": {"distance_accuracy", "distance_accuracy_top_3", "absolute_accuracy"},
    "csn": {"triplet_accuracy", "triplet_accuracy colour", "triplet_accuracy neck line"},
    "aspects": {"accuracy"},
}


@pytest.fixture
def only_trained(monkeypatch):
    """Builds leave out the encoders that training did not make."""
    every = builds.list_all_encoders
    monkeypatch.setattr(
        builds, "list_all_encoders", lambda: [info for info in every() if info.name.startswith("pupil")]
    )


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
    train(asked, report=lambda job: said.append(job.message) if job.done < 5 else cancel(job))
    assert "the backbone looks at catalogue pictures, 36 of 36" in said
    [looked] = settings.TRAINING_FOLDER.glob("features/*.safetensors")
    before = looked.stat().st_ino
    seen: set[int] = set()
    _, job = train(asked, report=lambda job: seen.add(looked.stat().st_ino))
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


def test_the_same_seed_gives_the_same_bytes_and_another_one_others():
    make_school()
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        call(*command_line(name=name, seed=seed))
    one, same, other = (card_of(name)["sha256"] for name in ("one", "same", "other"))
    assert one == same != other
