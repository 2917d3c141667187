"""Training asked for: what cannot be is refused before any work, by name and with the remedy."""

import pickle
import struct
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from search.models import Catalogue, CatalogueState, Item, Job, JobState, Label, Split, Training
from search.services.training import request_training
from search.services.training_wishes import TrainingRefused, Wish
from tests.factories import NOW
from tests.lessons import COLOURS, label, make_aspect, make_school, wish
from tests.trainings import make_trained, make_training

pytestmark = pytest.mark.django_db


@pytest.fixture
def school(db) -> Catalogue:
    return make_school()


def refuse(asked: Wish) -> str:
    """What is said to who asked; nothing may have been made."""
    before = Training.objects.count()
    with pytest.raises(TrainingRefused) as refused:
        request_training(asked, now=NOW)
    assert Training.objects.count() == before
    assert not Job.objects.exists()
    assert not settings.TRAINING_FOLDER.exists()
    return str(refused.value)


def test_a_kind_that_there_is_not(school):
    asked = Wish(kind="magic", name="pupil", catalogue=school)
    assert refuse(asked) == (
        "There is no kind “magic” of training. There are: transfer, siamese, csn, aspects, dqn, "
        "aspect-ranking."
    )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"stepz": "5"}, "There is no setting 'stepz'. Did you mean 'steps'?"),
        ({"quality": "5"}, "There is no setting 'quality'. There are: steps, rate"),
        ({"steps": "many"}, "steps is a whole number, not 'many'."),
        ({"steps": "0"}, "steps lies between 1 and 1e+07, not at 0."),
        ({"rate": "11"}, "rate lies between 1e-07 and 10"),
        ({"augmentation": "wild"}, "augmentation is one of none, gentle, photos, query, not 'wild'."),
        ({"backbone": "their-net"}, "backbone is one of bobbin, thimble, shuttle, vgg16"),
        ({"trainable": "some"}, "trainable is all, none or a number of blocks, not 'some'."),
        ({"margin": "1"}, "There is no setting 'margin'."),  # which csn and siamese have
    ],
)
def test_a_setting_that_there_is_not_or_that_cannot_have_this_value(school, told, words):
    assert words in refuse(wish(school, settings=told))


def test_a_yes_or_no_is_said_as_such(school):
    assert refuse(wish(school, "csn", settings={"masks": "perhaps"})) == (
        "masks is true or false, not 'perhaps'."
    )


@pytest.mark.parametrize("name", ["two words", "../up", "a/b", "a.b", "", "ä", "-" * 61])
def test_a_name_that_is_none(school, name):
    words = "longer than 60" if len(name) > 60 else "use letters, digits, hyphens and underscores"
    assert words in refuse(wish(school, name=name))


@pytest.mark.parametrize("name", ["colour-histogram", "thimble-transfer", "vgg16", "random-control"])
def test_a_name_that_an_encoder_of_the_installation_has(school, name):
    assert refuse(wish(school, name=name)) == (
        f"“{name}” is an encoder of this installation: choose another name."
    )


def test_a_name_that_an_encoder_has_which_somebody_brought(school):
    """Its folder was copied from another installation: no training of this one made it."""
    make_trained(make_training(school, name="brought"))
    Training.objects.all().delete()
    Job.objects.all().delete()
    assert "choose another name" in refuse(wish(school, name="brought"))


@pytest.mark.parametrize("state", [CatalogueState.IMPORTING, CatalogueState.FAILED])
def test_a_catalogue_that_is_not_ready(school, state):
    school.state = state
    school.save()
    assert refuse(wish(school)) == f"“School” is not ready but {state}: finish its import first."


def test_an_aspect_that_the_catalogue_has_not(school):
    assert refuse(wish(school, aspects=("sleeve",))) == (
        "There is no aspect “sleeve” to learn. “School” has: colour, pattern."
    )


def test_a_catalogue_without_a_category_where_no_aspect_is_named():
    school = make_school(category=False)
    assert refuse(wish(school)) == (
        "The catalogue has no category: import it with --category, or name aspects. "
        "“School” has: colour, pattern."
    )
    assert request_training(wish(school, aspects=("colour",)), now=NOW).aspects == ["colour"]


@pytest.mark.parametrize("kind", ["transfer", "siamese"])
def test_several_aspects_where_one_is_learned(kind):
    school = make_school(lifestyle=True)
    assert refuse(wish(school, kind, aspects=("colour", "pattern"))) == (
        f"{kind} learns one aspect, not 2: name one."
    )


@pytest.mark.parametrize("kind", ["csn", "aspects"])
def test_an_aspect_named_twice(school, kind):
    words = refuse(wish(school, kind, aspects=("colour", "pattern", "colour")))
    assert "“colour” is named twice" in words


@pytest.mark.parametrize("kind", ["transfer", "csn", "aspects"])
def test_an_aspect_with_one_value_only(kind):
    school = make_school(colours=["red"])
    assert refuse(wish(school, kind, aspects=("colour",))) == (
        "Nothing can be learned of “colour”: the trainable items have one value only (“red”). "
        "Name another aspect."
    )


def test_an_aspect_of_which_nothing_is_known(school):
    make_aspect(school, "sleeve", ["long", "short"])
    assert "the trainable items have no value" in refuse(wish(school, aspects=("sleeve",)))


def test_values_that_only_held_out_items_have_do_not_make_an_aspect(school):
    long, short = make_aspect(school, "sleeve", ["long", "short"]).values()
    for item in school.items.all():
        label(item, short if item.split == Split.EVALUATION else long)
    assert "one value only (“long”)" in refuse(wish(school, aspects=("sleeve",)))


def test_what_an_encoder_predicted_is_nothing_to_learn_from(school):
    long, short = make_aspect(school, "sleeve", ["long", "short"]).values()
    for item in school.items.all():
        label(item, long if item.position % 2 else short, source=Label.Source.PREDICTED, confidence=0.9)
    assert "the trainable items have no value" in refuse(wish(school, aspects=("sleeve",)))


def test_an_item_with_several_values_says_nothing_of_an_aspect(school):
    """It would be left out while learning: where all have several, nothing is left."""
    both = make_aspect(school, "sleeve", ["long", "short"]).values()
    for item in school.items.all():
        label(item, *both)
    assert "the trainable items have no value" in refuse(wish(school, aspects=("sleeve",)))


def test_classes_of_one_item(school):
    values = make_aspect(school, "model", [f"{number:03d}" for number in range(36)])
    for item in school.items.all():
        label(item, values[item.key])
    assert refuse(wish(school, aspects=("model",))) == (
        "Nothing can be learned of “model”: fewer than two of its values have two trainable items. "
        "Import more items, or name another aspect."
    )


def test_a_catalogue_without_lifestyle_views(school):
    assert refuse(wish(school, "siamese")) == (
        "“School” has no lifestyle photos, from which siamese learns: import a catalogue whose items have "
        "a second view, or with --group, the column of what several pictures show."
    )


def test_lifestyle_views_that_only_held_out_items_have():
    school = make_school(lifestyle=True)
    school.items.filter(split=Split.TRAINABLE).update(lifestyle_sha256="")
    assert "no trainable item" in refuse(wish(school, "siamese"))


def test_a_mask_whose_encoder_would_have_too_long_a_name(school):
    """Of a space's columns, the encoder's name is the shortest."""
    values = make_aspect(school, "s" * 90, ["long", "short"]).values()
    for item in school.items.all():
        label(item, list(values)[item.position % 2])
    words = refuse(wish(school, "csn", name="p" * 30, aspects=("s" * 90, "colour")))
    assert "choose a shorter name" in words
    request_training(wish(school, "csn", name="p", aspects=("s" * 90, "colour")), now=NOW)


class Run:
    def __reduce__(self):
        return Path.touch, (settings.HOME / "the-pickle-ran",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pickle.dumps(Run()), "holds a pickle, which could run code when it is read. Convert it to"),
        (b"PK\x03\x04" + bytes(60), "holds a pickle"),
        (b"", "is no safetensors file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "is no safetensors file"),
        (struct.pack("<Q", 1 << 60) + b"{}", "is no safetensors file"),
        (struct.pack("<Q", 4) + b"[[[[", "is no safetensors file"),
        (None, "cannot be read (No such file or directory). Check the path."),
    ],
)
def test_weights_that_are_none(school, tmp_path, content, words):
    file = tmp_path / "weights.safetensors"
    if content is not None:
        file.write_bytes(content)
    told = refuse(wish(school, weights=file))
    assert told.startswith(f"{file} ") and words in told
    assert not (settings.HOME / "the-pickle-ran").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["magic"], "invalid choice: 'magic'"),
        (["transfer", "--set", "steps"], "--set takes KEY=VALUE, not “steps”."),
        (["transfer", "--set", "=5"], "--set takes KEY=VALUE, not “=5”."),
        (["transfer", "--set", "steps=0"], "steps lies between"),
        (["transfer", "--set", "stepz=9"], "Did you mean 'steps'?"),
        (["transfer", "--backbone", "their-net"], "backbone is one of"),
        (["transfer", "--aspects", "sleeve"], "There is no aspect “sleeve” to learn."),
        (["transfer", "--catalogue", "elsewhere"], "There is no such catalogue; there are: school."),
        (["transfer", "--name", "colour-histogram"], "choose another name"),
        (["transfer", "--weights", "/nowhere/w.safetensors"], "/nowhere/w.safetensors cannot be read"),
        (["transfer", "--device", "tpu"], "invalid choice: 'tpu'"),
        (["siamese"], "has no lifestyle photos"),
        (["csn", "--aspects", "colour,pattern,sleeve"], "There is no aspect “sleeve”"),
    ],
)
@pytest.mark.usefixtures("school")
def test_the_command_says_so_too(words, said):
    first, *others = words
    with pytest.raises(CommandError) as refused:
        call_command("train", first, "--catalogue=school", "--name=pupil", *others)
    assert said in str(refused.value)
    assert not Training.objects.exists() and not settings.TRAINING_FOLDER.exists()


@pytest.mark.parametrize("missing", ["--catalogue=school", "--name=pupil"])
def test_the_command_wants_a_catalogue_and_a_name(school, missing):
    with pytest.raises(CommandError, match="Give --catalogue and --name"):
        call_command("train", "transfer", missing)


def test_the_settings_are_listed_with_their_defaults_and_what_they_mean(capsys):
    call_command("train", "csn", "--list-settings")
    lines = capsys.readouterr().out.splitlines()
    assert "steps = 3000: batches to learn from, at most" in lines
    assert "masks = True: a mask per aspect; without, one space for all aspects" in lines
    [backbone] = [line for line in lines if line.startswith("backbone = bobbin")]
    assert "bobbin, thimble, shuttle, vgg16" in backbone
    assert not [line for line in lines if line.startswith("batch")], "which another kind has"


def test_queued_a_worker_is_told_and_nothing_is_done_here(school, hints, capsys, monkeypatch):
    monkeypatch.setattr("search.management.commands.train.hint_jobs", hints.extend)
    call_command("train", "transfer", "--catalogue=school", "--name=pupil", "--queue")
    [job] = hints
    assert job == Training.objects.get().job
    assert job.state == JobState.QUEUED
    assert f"Queued as job {job.pk}." in capsys.readouterr().out


def test_the_colours_are_all_there(school):
    """That the others of this file are refused for what they say."""
    assert set(school.items.values_list("category__value", flat=True)) == set(COLOURS)
    assert request_training(wish(school), now=NOW).job.state == JobState.QUEUED
    assert Item.objects.filter(split=Split.TRAINABLE).count() == 27
