"""The command that holds simulated users against people: its table, its file, and what it refuses."""

import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from evaluation.services.agreement import measure_agreement
from search import artifacts
from search.engine.errors import ArtifactDamaged
from search.models import EmbeddingSpace
from tests.evaluation.judging import ITEMS, keep_one_encoder, key, make_line

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def one_encoder(monkeypatch):
    keep_one_encoder(monkeypatch)


@pytest.fixture
def catalogue():
    return make_line()


def draw_questions(count=300, seed=0):
    """Different questions: (ref, nearer, farther) items on the line."""
    draws = np.random.default_rng(seed)
    drawn = {}
    while len(drawn) < count:
        ref, a, b = draws.choice(ITEMS, 3, replace=False).tolist()
        if abs(ref - a) != abs(ref - b):
            drawn[(ref, a, b) if abs(ref - a) < abs(ref - b) else (ref, b, a)] = True
    return list(drawn)


@pytest.fixture
def judgements(tmp_path):
    """Four of five people say what the line says, in every tenth question two of four; it stands first."""
    rows = ["ref,a,b,votes_a,votes_b"]
    for number, (ref, near, far) in enumerate(draw_questions()):
        votes = "2,2" if number % 10 == 0 else "4,1"
        rows.append(f"{key(ref)},{key(near)},{key(far)},{votes}")
    path = tmp_path / "judgements.csv"
    path.write_text("\n".join(rows))
    return path


def measure(judgements, tmp_path, **options):
    file = tmp_path / "file.json"
    call_command("measure_agreement", judgements=judgements, catalogue="demo", json=file, **options)
    return json.loads(file.read_text())


def test_the_table_and_its_file_say_the_same(catalogue, judgements, tmp_path, capsys):
    table = measure(judgements, tmp_path)
    printed = capsys.readouterr().out
    assert (table["questions"], table["decided"], table["chance"]) == (300, 270, 0.5)
    assert table["human_human"] == pytest.approx(0.9 * 0.6 + 0.1 / 3)
    assert table["people"]["low"] <= table["human_human"] <= table["people"]["high"]
    # Four of five have three of the others with them, and none does where two of four said the same.
    assert table["people"]["majority"] == pytest.approx(0.9 * 0.8)
    assert table["rows"][0]["space"] == "line"
    assert {row["space"] for row in table["rows"]} == {"line", "line/none", "random-control"}
    line, *others = table["rows"]
    assert (line["agreement"], line["ac1"], line["alpha"]) == pytest.approx((1, 1, 1))
    assert line["person"] == pytest.approx(0.9 * 0.8 + 0.1 * 0.5)
    for row in table["rows"]:
        assert row["low"] <= row["agreement"] <= row["high"]
        assert f"{row['agreement']:.1%}" in printed
        assert sum(point["questions"] for point in row["margins"]) == 270
        assert sum(point["questions"] for point in row["clarity"]) == 270
    control = next(row for row in others if row["space"] == "random-control")
    assert abs(control["agreement"] - 0.5) < 0.15
    assert abs(control["alpha"]) < 0.3


def test_who_sees_no_difference_is_right_by_half_and_not_because_of_the_order(
    catalogue, judgements, tmp_path
):
    [row] = measure(judgements, tmp_path, space="line/none")["rows"]
    assert (row["agreement"], row["person"]) == (0.5, 0.5)
    assert row["ac1"] == pytest.approx(0)
    assert row["alpha"] == pytest.approx(0, abs=0.01)


def test_the_order_in_which_options_are_written_changes_nothing(catalogue, judgements, tmp_path):
    head, *rows = judgements.read_text().split("\n")
    turned = tmp_path / "turned.csv"
    cells = [row.split(",") for row in rows]
    lines = [
        ",".join((ref, b, a, of_b, of_a) if place % 3 else (ref, a, b, of_a, of_b))
        for place, (ref, a, b, of_a, of_b) in enumerate(cells)
    ]
    turned.write_text("\n".join([head, *lines]))
    assert measure(turned, tmp_path)["rows"] == measure(judgements, tmp_path)["rows"]


def test_single_answers_say_who_could_stand_in(catalogue, tmp_path):
    draws = np.random.default_rng(1)
    rows = ["ref,a,b,person,choice"]
    for ref, near, far in draw_questions(80):
        rows += [f"{key(ref)},{key(near)},{key(far)},{who},{'ab'[draws.random() > 0.85]}" for who in "uvwxy"]
    path = tmp_path / "answers.csv"
    path.write_text("\n".join(rows))
    table = measure(path, tmp_path)
    by_space = {row["space"]: row for row in table["rows"]}
    assert by_space["line"]["stand_in"]["wins"] == 1
    assert by_space["line"]["stand_in"]["people"] == 5
    assert by_space["random-control"]["stand_in"]["wins"] == 0
    over = by_space["line"]["by_people"]
    assert over["low"] < over["estimate"] < over["high"]


def test_a_name_may_have_a_view_in_every_light(catalogue, tmp_path):
    """Items by half are the views of twenty things, each on its place of the line in both halves."""
    for item in catalogue.items.all():
        item.key = f"{'noon' if item.position < 20 else 'dusk'}/thing-{item.position % 20}.jpg"
        item.save()
    path = tmp_path / "things.csv"
    path.write_text("ref,a,b,votes_a,votes_b\nthing-0,thing-3,thing-9,5,0\nthing-9,thing-0,thing-7,1,4\n")
    table = measure(path, tmp_path, space="line")
    assert table["lights"] == ["dusk", "noon"]
    assert table["rows"][0]["agreement"] == 1


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("ref,a,b\n", {}, "needs the columns"),
        ("ref,a,b,votes_a,votes_b\nx,y,z,1,1\n", {}, "3 of 3 judged items are not in the catalogue: x, y, z"),
        ("", {"space": "gone"}, "needs the columns"),
        (f"ref,a,b,votes_a,votes_b\n{key(0)},{key(1)},{key(2)},2,1\n", {"space": "gone"}, "no space named"),
        (f"ref,a,b,votes_a,votes_b\n{key(0)},{key(1)},{key(2)},1,0\n", {}, "ask some of them twice"),
        (f"ref,a,b,votes_a,votes_b\n{key(0)},{key(1)},{key(2)},1,1\n", {}, "No question has a majority"),
    ],
)
def test_what_cannot_be_compared_is_told(catalogue, tmp_path, text, options, told):
    path = tmp_path / "judgements.csv"
    path.write_text(text)
    with pytest.raises(CommandError, match=told):
        measure(path, tmp_path, **options)


def test_a_catalogue_that_is_not_there_is_told(db, tmp_path):
    with pytest.raises(CommandError, match="no such catalogue"):
        measure(tmp_path / "none.csv", tmp_path)


def test_a_person_and_two_people_are_held_against_the_same_questions(catalogue, tmp_path):
    """What one person alone was asked says nothing about how two agree, and so nothing beside it."""
    path = tmp_path / "judgements.csv"
    rows = [f"{key(ref)},{key(near)},{key(far)},4,1" for ref, near, far in draw_questions(100)]
    rows += [f"{key(ref)},{key(far)},{key(near)},1,0" for ref, near, far in draw_questions(100, seed=1)]
    path.write_text("\n".join(["ref,a,b,votes_a,votes_b", *rows]))
    [line] = measure(path, tmp_path, space="line")["rows"]
    assert line["person"] == pytest.approx(0.8, abs=0.01)
    assert line["agreement"] < 0.6


def test_who_cannot_tell_is_right_by_half_in_every_figure(catalogue, tmp_path):
    draws = np.random.default_rng(1)
    rows = ["ref,a,b,person,choice"]
    for ref, near, far in draw_questions(60):  # what people chose always stands first
        rows += [f"{key(ref)},{key(near)},{key(far)},{who},{'ab'[draws.random() > 0.9]}" for who in "uvwx"]
    path = tmp_path / "answers.csv"
    path.write_text("\n".join(rows))
    [row] = measure(path, tmp_path, space="line/none")["rows"]
    assert (row["agreement"], row["person"], row["by_people"]["estimate"]) == (0.5, 0.5, 0.5)
    assert row["stand_in"]["wins"] == 0


def test_files_that_are_lost_while_it_measures_are_told(catalogue, judgements):
    space = EmbeddingSpace.objects.get(encoder="line")
    (artifacts.space_folder(space) / "items.safetensors").unlink()
    with pytest.raises(ArtifactDamaged, match="are gone: build the contenders again"):
        measure_agreement(catalogue=catalogue, path=judgements, space="line", say=lambda *done: None)
