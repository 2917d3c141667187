"""A conditional similarity network that learns from published triplet files, end to end."""

import json
import re
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from search.catalogues.published.zappos import item_key
from search.engine.encoders.trained_files import read_trained_card
from search.models import Catalogue, Item, JobState, Label, Split, Training
from search.services.jobs import run_in_foreground
from search.services.training import request_training
from search.services.training_run import _plan
from search.services.training_session import Session
from search.services.training_wishes import TrainingRefused, Wish
from tests.factories import NOW
from tests.search.importing import bring
from tests.shoes import EACH, SIDE, draw_lines, name_of, values_of, write_lines, write_shoes, write_triplets

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("one_decoder")]

COUNT = 90
# The backbone is drawn and stays as it is: what it says of the pictures is asked for once.
QUICK = {
    "steps": "40", "trainable": "none", "rate": "0.01", "validate_every": "20", "checkpoint_every": "20",
    "side": str(SIDE), "items": "24", "triplets": "16", "dimensions": "8", "averaging": "0.5",
    "augmentation": "none", "small_share": "0", "patience": "0",
}  # fmt: skip


@pytest.fixture
def shoes(tmp_path: Path) -> Catalogue:
    return bring("zappos", write_shoes(tmp_path / "ut-zap50k", COUNT), slug="shoes")


def wish(catalogue: Catalogue, triplets: Path, **fields: object) -> Wish:
    told = {"kind": "csn", "name": "masks", "settings": QUICK} | fields
    return Wish(catalogue=catalogue, triplets=triplets, **told)  # type: ignore[arg-type]


def train(catalogue: Catalogue, triplets: Path, **fields: object) -> dict:
    """The card of what was trained."""
    training = request_training(wish(catalogue, triplets, **fields), now=NOW)
    job = run_in_foreground(job=training.job, report=lambda _: None)
    assert job.state == JobState.DONE, job.reason
    return read_trained_card(settings.TRAINED_FOLDER / training.name)


def refuse(catalogue: Catalogue, triplets: Path, **fields: object) -> str:
    with pytest.raises(TrainingRefused) as refused:
        request_training(wish(catalogue, triplets, **fields), now=NOW)
    assert not Training.objects.exists() and not settings.TRAINING_FOLDER.exists()
    assert refused.value.about == "triplets"
    return str(refused.value)


def find_held(catalogue: Catalogue) -> set[int]:
    """The numbers of evaluation-only shoes."""
    keys = set(catalogue.items.filter(split=Split.EVALUATION).values_list("key", flat=True))
    return {number for number in range(COUNT) if item_key(name_of(number)) in keys}


def test_the_command_learns_masks_named_by_the_conditions(shoes: Catalogue, tmp_path: Path) -> None:
    lists = write_triplets(tmp_path / "csn", COUNT)
    out = StringIO()
    call_command(
        "train", "csn", "--catalogue", "shoes", "--name", "masks", "--triplets", str(lists),
        *(f"--set={name}={value}" for name, value in (QUICK | {"steps": "2", "trainable": "all"}).items()),
        stdout=out, stderr=StringIO(),
    )  # fmt: skip
    assert "masks is ready: triplet accuracy" in out.getvalue()
    card = read_trained_card(settings.TRAINED_FOLDER / "masks")
    assert card["architecture"]["masks"] == ["class", "closure"]
    assert set(card["held_out_measures"]) == {
        "triplet_accuracy", "triplet_accuracy class", "triplet_accuracy closure"
    }  # fmt: skip
    assert [part["aspect"] for part in card["alike"]] == ["class", "closure"]
    training = Training.objects.get()
    assert training.aspects == ["class", "closure"] and training.triplets == str(lists)
    assert card["lineage"]["triplets_sha256"] == training.triplets_sha256 != ""


def test_every_triplet_is_used_or_counted_as_left_out(shoes: Catalogue, tmp_path: Path) -> None:
    lists = write_triplets(tmp_path / "csn", COUNT)
    names = (tmp_path / "csn" / "filenames.json").read_text().splitlines()
    gone = {2, 21, 26}  # one picture of each split is no item
    for number in gone:
        names[number] = f"Shoes/Elsewhere/{number}.jpg"
    (tmp_path / "csn" / "filenames.json").write_text("\n".join(names))

    told = train(shoes, lists)["lineage"]["triplets"]

    held = find_held(shoes)
    for split, counts in told.items():
        lines = [line for place in range(2) for line in draw_lines(place, split, COUNT, EACH)]
        unknown = [line for line in lines if gone & set(line)]
        assert sum(counts.values()) == len(lines) and counts["no_item"] == len(unknown) > 0
        if split != "test":
            kept_apart = [line for line in lines if held & set(line) and not gone & set(line)]
            assert counts["other_side"] == len(kept_apart) > 0
    assert told["test"]["other_side"] == 0, "their pictures are in no list to learn from"


def test_an_evaluation_only_item_is_never_learned_from(shoes: Catalogue, tmp_path: Path) -> None:
    training = request_training(wish(shoes, write_triplets(tmp_path / "csn", COUNT)), now=NOW)
    session = Session(_plan(training), say=lambda _: None)
    keys = np.array(session.items.keys)
    sides = dict(Item.objects.values_list("key", "split"))
    division = session.division
    for rows in (division.learned, division.validation):
        assert len(rows) and {sides[key] for key in keys[rows]} == {Split.TRAINABLE}
    assert {sides[key] for key in keys[division.held_out]} == {Split.TRAINABLE, Split.EVALUATION}
    assert not set(division.held_out) & (set(division.learned) | set(division.validation))
    seen = {int(row) for step in range(30) for row in session.triplets.draw(session.plan.settings, step).rows}
    assert seen <= set(division.learned.tolist())


def test_the_third_number_of_a_line_is_the_close_one(shoes: Catalogue, tmp_path: Path) -> None:
    patient = QUICK | {"steps": "150", "rate": "0.02", "global_consistency": "false"}
    right = train(shoes, write_triplets(tmp_path / "right", COUNT), settings=patient)["held_out_measures"]
    lists = write_triplets(tmp_path / "wrong", COUNT, swapped=("train", "val"))
    wrong = train(shoes, lists, name="turned", settings=patient)
    assert right["triplet_accuracy class"] > 0.9
    assert wrong["held_out_measures"]["triplet_accuracy class"] < 0.7
    # The catalogue knows the order too: a close one has the anchor's value.
    session = Session(_plan(Training.objects.get(name="masks")), say=lambda _: None)
    value_of = {item_key(name_of(number)): values_of(number) for number in range(COUNT)}
    for place, triplets in enumerate(session.triplets.questions()):
        for anchor, positive, negative in triplets:
            values = [value_of[session.items.keys[row]][place] for row in (anchor, positive, negative)]
            assert values[0] == values[1] != values[2]


def test_some_conditions_alone(shoes: Catalogue, tmp_path: Path) -> None:
    lists = write_triplets(tmp_path / "csn", COUNT)
    (lists / "class_tripletlist_val.txt").write_text("nonsense")
    card = train(shoes, lists, aspects=("closure",))
    assert card["architecture"]["masks"] == ["closure"]
    assert sum(card["lineage"]["triplets"]["train"].values()) == EACH


def test_a_catalogue_without_labels_has_triplets_to_learn_from(tmp_path: Path) -> None:
    root = write_shoes(tmp_path / "ut-zap50k", COUNT)
    plain = bring("folder", root / "ut-zap50k-images", slug="plain")
    Label.objects.all().delete()
    card = train(plain, write_triplets(tmp_path / "csn", COUNT))
    assert card["lineage"]["triplets"]["train"]["no_item"] == 0, "keys as the disk spells them"
    assert "triplet_accuracy class" in card["held_out_measures"]


def test_the_table_asks_specialists_what_it_asks_all(shoes: Catalogue, tmp_path: Path) -> None:
    lists = write_triplets(tmp_path / "csn", COUNT)
    call_command(
        "measure_training", "csn", "--catalogue", "shoes", "--triplets", str(lists), "--device", "cpu",
        "--seeds", "1", "--json", str(tmp_path / "table.json"),
        *(f"--set={name}={value}" for name, value in (QUICK | {"steps": "2"}).items()),
        stdout=StringIO(), stderr=StringIO(),
    )  # fmt: skip
    table = json.loads((tmp_path / "table.json").read_text())
    models = {row["model"] for row in table["rows"]}
    assert {"csn", "csn-plain", "triplet", "specialists"} <= models
    against = {(row["against"], row["aspect"]) for row in table["differences"]}
    assert {
        (model, aspect) for model in models - {"csn"} for aspect in ("class", "closure", "mean")
    } == against
    assert len(table["versions"]["triplets"]) == 64


def test_other_files_are_another_training_and_the_same_ones_are_not(shoes: Catalogue, tmp_path: Path) -> None:
    lists = write_triplets(tmp_path / "csn", COUNT)
    first = request_training(wish(shoes, lists), now=NOW)
    assert request_training(wish(shoes, lists, aspects=("class", "closure")), now=NOW) == first
    (lists / "heel_tripletlist_train.txt").write_text("0 1 2\n")  # not whole, so not used
    assert request_training(wish(shoes, lists), now=NOW) == first

    write_lines(lists, "class", "test", draw_lines(0, "test", COUNT, 30))

    assert request_training(wish(shoes, lists), now=NOW) != first
    job = run_in_foreground(job=first.job, report=lambda _: None)
    assert job.state == JobState.FAILED
    assert "have changed since this training was asked for" in job.reason


def test_files_that_went_away_before_the_job_began(shoes: Catalogue, tmp_path: Path) -> None:
    lists = write_triplets(tmp_path / "csn", COUNT)
    training = request_training(wish(shoes, lists), now=NOW)
    (lists / "class_tripletlist_val.txt").unlink()
    job = run_in_foreground(job=training.job, report=lambda _: None)
    assert job.state == JobState.FAILED and "class_tripletlist_val.txt is missing" in job.reason


@pytest.mark.parametrize("kind", ["transfer", "siamese", "aspects"])
def test_other_kinds_learn_from_labels(shoes: Catalogue, tmp_path: Path, kind: str) -> None:
    words = refuse(shoes, write_triplets(tmp_path / "csn", COUNT), kind=kind, settings={})
    assert words == f"{kind} does not learn from triplets: name no folder of them, or train csn."


def test_a_bad_line_is_told_before_anything_begins(shoes: Catalogue, tmp_path: Path) -> None:
    lists = write_triplets(tmp_path / "csn", COUNT)
    (lists / "closure_tripletlist_test.txt").write_text("0 1 2\n0 1\n")
    assert "closure_tripletlist_test.txt, line 2 is not three whole numbers" in refuse(shoes, lists)


def test_what_is_missing_is_named_by_the_command(shoes: Catalogue, tmp_path: Path) -> None:
    for options in (["train", "csn", "--name", "masks"], ["measure_training", "csn"]):
        with pytest.raises(CommandError, match="gone is no folder"):
            call_command(*options, "--catalogue", "shoes", "--triplets", str(tmp_path / "gone"))
    words = refuse(shoes, write_triplets(tmp_path / "csn", COUNT), aspects=("class", "heel"))
    assert "heel_tripletlist_train.txt is missing" in words and "class, closure" in words


def test_pictures_of_another_catalogue(shoes: Catalogue, tmp_path: Path) -> None:
    lists = write_triplets(tmp_path / "csn", COUNT)
    (tmp_path / "csn" / "filenames.json").write_text("".join(f"bag/{n}.jpg\n" for n in range(COUNT)))
    words = refuse(shoes, lists)
    assert re.search(r"None of the 90 pictures that .*filenames\.json names is an item", words)


def test_triplets_that_are_all_on_the_other_side(shoes: Catalogue, tmp_path: Path) -> None:
    lists = write_triplets(tmp_path / "csn", COUNT)
    held = find_held(shoes)
    lines = [line for line in draw_lines(0, "train", COUNT, EACH) if held & set(line)]
    write_lines(lists, "class", "train", lines)
    words = refuse(shoes, lists)
    assert "No triplet of" in words and "class_tripletlist_train.txt can be used" in words
    assert f"{len(lines)} an evaluation-only item" in words


def test_a_table_needs_triplets_that_nobody_learned_from(shoes: Catalogue, tmp_path: Path) -> None:
    lists = write_triplets(tmp_path / "csn", COUNT)
    held = find_held(shoes)
    trained = [line for line in draw_lines(0, "train", COUNT, EACH) if not held & set(line)]
    write_lines(lists, "class", "test", trained)
    with pytest.raises(CommandError, match="Nothing can be measured of “class”"):
        call_command("measure_training", "csn", "--catalogue", "shoes", "--triplets", str(lists))
    measured = train(shoes, lists)["held_out_measures"]
    assert "triplet_accuracy closure" in measured and "triplet_accuracy class" not in measured
    (lists / "class_tripletlist_test.txt").write_text("")
    assert train(shoes, lists, name="one", aspects=("class",))["held_out_measures"] == {}


def test_its_page_says_where_the_triplets_lie(operator: Client, shoes: Catalogue, tmp_path: Path) -> None:
    lists = write_triplets(tmp_path / "csn", COUNT)
    training = request_training(wish(shoes, lists), now=NOW)
    page = operator.get(f"/operations/trainings/{training.pk}/").content.decode()
    assert str(lists) in page and training.triplets_sha256[:12] in page
