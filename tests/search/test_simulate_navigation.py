"""The command that has policies play the same games: its table, its file, and what it refuses."""

import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from search.engine.navigation.bounds import fewest_slates
from search.models import BuildState, Index, Label
from search.services import builds
from search.services.navigation_terrain import NoSuchSpace, open_space, open_terrain
from tests.factories import make_catalogue
from tests.lessons import label, make_aspect
from tests.search.spaces import make_space

pytestmark = pytest.mark.django_db(transaction=True)
CHEAP = ("colour-histogram", "random-control")


@pytest.fixture(autouse=True)
def cheap_encoders(monkeypatch):
    every = builds.list_all_encoders()
    monkeypatch.setattr(builds, "list_all_encoders", lambda: [e for e in every if e.name in CHEAP])


@pytest.fixture
def catalogue():
    """60 items that all look different, with a conditional space of two masks beside what is built."""
    catalogue = make_catalogue(items=60)
    for encoder, mask in (("pupil", ""), ("pupil.colour", "colour"), ("pupil.shape", "shape")):
        make_space(catalogue, encoder, mask, rows=60)
    return catalogue


def simulate(**options):
    defaults = {"catalogue": "demo", "space": "pupil", "episodes": 12, "policies": "nearest,information"}
    call_command("simulate_navigation", **(defaults | options))


def test_the_table_and_its_file_say_the_same(catalogue, tmp_path, capsys):
    simulate(json=tmp_path / "file.json", seed=3)
    printed = capsys.readouterr().out
    table = json.loads((tmp_path / "file.json").read_text())
    assert (table["n"], table["slate"], table["user"], table["episodes"]) == (60, 4, "exact", 12)
    assert table["bound"] == fewest_slates(59, 4)
    assert table["different"] == 60
    assert set(table["versions"]["spaces"]) == {"pupil", "pupil.colour", "pupil.shape"}
    assert [row["policy"] for row in table["rows"]] == ["nearest", "information"]
    for row in table["rows"]:
        assert table["bound"] * 0.5 < row["low"] <= row["mean"] <= row["high"] <= 50
        [line] = [line for line in printed.splitlines() if line.strip().startswith(f"{row['policy']} ")]
        assert f"{row['mean']:.2f}" in line and f"{row['low']:.1f} to {row['high']:.1f}" in line
        assert 0 < row["ms_p50"] <= row["ms_p95"]
    [ratio] = table["ratios"]
    assert (ratio["policy"], ratio["against"]) == ("information", "nearest")
    means = [row["mean"] for row in table["rows"]]
    assert ratio["ratio"] == pytest.approx(means[1] / means[0])
    assert f"{ratio['ratio']:.3f}" in printed


def test_how_far_picks_follow_links_of_the_inventory_is_told(catalogue, tmp_path, capsys):
    aspect = make_aspect(catalogue, "shade", ("light", "dark"))
    items = list(catalogue.items.all())
    Label.objects.filter(item__catalogue=catalogue).delete()
    for linked, labelled in ((None, []), (1.0, items)):
        for item in labelled:
            label(item, aspect["light"])
        simulate(json=tmp_path / "file", policies="nearest")
        [row] = json.loads((tmp_path / "file").read_text())["rows"]
        assert row["linked"] == linked and (row["apart"] is None) is (linked is None)
    assert "100%" in capsys.readouterr().out
    Label.objects.filter(item__in=items[::2]).update(attribute=aspect["dark"])
    simulate(json=tmp_path / "file", policies="nearest")
    [row] = json.loads((tmp_path / "file").read_text())["rows"]
    assert 0.2 < row["linked"] < 0.8 and row["apart"] > 0


def test_the_same_question_has_the_same_answer(catalogue, tmp_path):
    told = []
    for number in range(2):
        simulate(json=tmp_path / str(number), user="noisy:0.79", policies="information-multi")
        [row] = json.loads((tmp_path / str(number)).read_text())["rows"]
        told.append({name: row[name] for name in row if not name.startswith("ms")})
    assert told[0] == told[1]


@pytest.mark.parametrize("user", ["other:colour-histogram", "other:pupil/shape", "other:weights"])
def test_users_may_see_otherwise_than_the_policy_believes(catalogue, tmp_path, user):
    simulate(json=tmp_path / "file", user=user, policies="posterior-sampling", keep=True, unsure=1.05)
    table = json.loads((tmp_path / "file").read_text())
    assert (table["user"], table["keeps"], table["unsure"]) == (user, True, 1.05)
    assert table["bound"] == fewest_slates(59, 4, answers=6)
    simulate(json=tmp_path / "exact", policies="posterior-sampling", keep=True, unsure=1.05)
    exact = json.loads((tmp_path / "exact").read_text())
    assert table["rows"][0]["mean"] > exact["rows"][0]["mean"]  # it finds sooner who sees as is believed


def test_a_terrain_has_the_masks_of_its_space_and_one_mask_has_none(catalogue):
    opened = open_terrain(catalogue=catalogue, space="pupil")
    assert [mask.name for mask in opened.terrain.masks] == ["pupil.colour", "pupil.shape"]
    assert opened.items.tolist() == list(range(60))
    assert len(set(opened.terrain.identity.tolist())) == 60
    alone = open_terrain(catalogue=catalogue, space="pupil/shape").terrain
    assert (alone.whole.name, alone.masks) == ("pupil.shape", ())
    np.testing.assert_array_equal(alone.whole.vectors, opened.terrain.masks[1].vectors)


def test_masks_of_another_version_and_of_other_encoders_are_left_out(catalogue):
    """Spaces of older versions stay, without an index that is ready."""
    Index.objects.filter(space__encoder="pupil.shape").update(state=BuildState.RETIRED)
    for encoder, mask in (("pupil", ""), ("pupil.colour", "colour"), ("Pupil.shape", "shape")):
        make_space(catalogue, encoder, mask, rows=60, version="2")
    opened = open_terrain(catalogue=catalogue, space="pupil")
    assert [mask.name for mask in opened.terrain.masks] == ["pupil.colour"]
    assert {text.split()[0] for text in opened.versions.values()} == {"2"}


def test_a_name_with_a_dot_or_a_stroke_is_a_name(catalogue):
    make_space(catalogue, "their/own.model", rows=60)
    assert open_terrain(catalogue=catalogue, space="their/own.model").terrain.masks == ()


def test_items_with_one_image_look_the_same(catalogue):
    catalogue.items.filter(position=7).update(image_sha256=catalogue.items.get(position=3).image_sha256)
    identity = open_terrain(catalogue=catalogue, space="pupil").terrain.identity
    assert identity[7] == identity[3]
    assert len(set(identity.tolist())) == 59


def test_a_space_without_a_vector_for_every_item_cannot_stand_beside(catalogue):
    make_space(catalogue, "half", rows=30)
    items = open_terrain(catalogue=catalogue, space="half").items
    assert len(open_space(catalogue=catalogue, space="pupil", items=items).vectors) == 30
    with pytest.raises(NoSuchSpace, match="Not every item has a vector in half"):
        open_space(catalogue=catalogue, space="half", items=np.arange(60))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"space": "pupi"}, "has no space named 'pupi'. There are: .*pupil, pupil/colour, pupil/shape"),
        ({"space": "pupil/size"}, "no space named 'pupil/size'"),
        ({"catalogue": "gone"}, "There is no such catalogue; there are: demo"),
        ({"policies": "magic"}, "no policy named 'magic'. There are: nearest, nearest-per-mask"),
        ({"user": "clever"}, "no simulated user 'clever'. There are: exact, noisy:AGREEMENT, other:SPACE"),
        ({"user": "noisy:much"}, "noisy:AGREEMENT needs a share such as noisy:0.79"),
        ({"user": "noisy:0.1"}, "it must be above 1 in 4"),
        ({"user": "other:gone"}, "no space named 'gone'"),
        ({"user": "other:weights", "space": "colour-histogram"}, "colour-histogram has none"),
        ({"slate": 60}, "The catalogue has 60 different items, and 61 are needed"),
        ({"seed": -1}, "whole number from 0"),
        ({"policies": ","}, "Name at least one policy"),
        ({"unsure": 0.5}, "a margin from 1 to 1000, not 0.5"),
        ({"unsure": float("nan")}, "a margin from 1 to 1000, not nan"),
        ({"slate": 1}, "At least two items on a slate"),
        ({"episodes": 0}, "one episode"),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_what_cannot_be_simulated_is_told(catalogue, options, told):
    with pytest.raises(CommandError, match=told):
        simulate(**options)
