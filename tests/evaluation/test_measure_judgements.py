"""Learning a user from people: the table of folds, the learned space, and what cannot be learned from."""

import json
from functools import partial

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from evaluation.services import judgements as measuring
from search import artifacts
from search.engine.training.judgements import JudgementSettings, learn_places
from search.models import EmbeddingSpace
from search.services.jobs import run_in_foreground
from search.services.judged_users import learn_user, list_lessons, open_lesson
from search.services.judgements import open_judged
from search.services.navigation_terrain import NoSuchSpace, open_terrain
from search.services.training_wishes import TrainingRefused
from tests.evaluation.test_measure_agreement import ITEMS, key, one_encoder  # noqa: F401
from tests.factories import NOW, make_catalogue
from tests.search.spaces import make_space

pytestmark = pytest.mark.django_db(transaction=True)
QUICK = JudgementSettings(widths=(0.5,), strengths=(0.001,), dimensions=2)


@pytest.fixture
def catalogue():
    """40 items; the space "whole" sees three traits of theirs, and people look at the first alone."""
    catalogue = make_catalogue(items=ITEMS)
    make_space(catalogue, "whole", vectors=traits())
    return catalogue


def traits():
    return np.random.default_rng(0).uniform(-1, 1, size=(ITEMS, 3))


@pytest.fixture
def path(tmp_path):
    draws, seen = np.random.default_rng(1), traits()[:, 0]
    rows = ["ref,a,b,votes_a,votes_b"]
    for _ in range(1500):
        ref, a, b = draws.choice(ITEMS, 3, replace=False).tolist()
        apart = np.abs(seen[[a, b]] - seen[ref]) ** 4
        of_a = draws.binomial(5, apart[1] / apart.sum())
        rows.append(f"{key(ref)},{key(a)},{key(b)},{of_a},{5 - of_a}")
    path = tmp_path / "judgements.csv"
    path.write_text("\n".join(rows))
    return path


def test_the_learned_user_is_above_sight_that_learned_nothing_and_memory_is_found_out(
    catalogue, path, tmp_path, capsys, monkeypatch
):
    quick = partial(measuring.measure_judgements, settings=QUICK)
    monkeypatch.setattr("evaluation.management.commands.measure_judgements.measure_judgements", quick)
    call_command("measure_judgements", judgements=path, catalogue="demo", json=tmp_path / "file.json")
    printed = capsys.readouterr().out
    table = json.loads((tmp_path / "file.json").read_text())
    assert [row["space"] for row in table["rows"]] == ["learned", "memory", "whole"]  # and no control
    learned, memory, whole = table["rows"]
    assert learned["low"] > whole["high"] > memory["high"]
    assert memory["seen"] > 0.8 > memory["agreement"] + 0.1
    assert learned["seen"] > 0.8 and whole["seen"] is None
    assert learned["all_unseen"] > whole["all_unseen"]
    [against_memory, against_whole] = table["differences"]
    assert against_whole["against"] == "whole"
    assert against_whole["mean"] == pytest.approx(learned["agreement"] - whole["agreement"])
    assert 0 < against_whole["low"] < against_memory["low"]
    for row in table["rows"]:
        assert f"{row['agreement']:.1%}" in printed
        assert 0 < row["all_unseen_low"] <= row["all_unseen"] <= row["all_unseen_high"] <= 1
    assert 0 < table["decided_all_unseen"] < table["decided"] / 5
    assert (table["folds"], table["seed"], len(table["chosen"])) == (5, 0, 5)


def test_what_was_learned_is_a_space_of_the_catalogue(catalogue, path, tmp_path):
    judged = open_judged(catalogue=catalogue, path=path)
    user = learn_user(judged, name="people", seed=0, now=NOW, how=QUICK)
    assert user.spaces == ("whole",)
    for job in user.jobs:
        run_in_foreground(job=job, report=lambda row: None)
    terrain = open_terrain(catalogue=catalogue, space="people").terrain
    assert terrain.whole.vectors.shape == (ITEMS, 2)
    call_command(
        "measure_agreement", judgements=path, catalogue="demo", space="people", json=tmp_path / "file"
    )
    assert json.loads((tmp_path / "file").read_text())["rows"][0]["agreement"] > 0.85
    # It is not learned from again, and learned once more it is the same space.
    assert list(list_lessons(judged)) == ["whole"]
    learn_user(judged, name="people", seed=0, now=NOW, how=QUICK)
    assert EmbeddingSpace.objects.filter(encoder="people").count() == 1
    assert list(settings.TRAINING_FOLDER.glob("judgements*")) == []


def test_what_is_measured_is_what_is_published(catalogue, path):
    """Over a catalogue of which some items alone were judged, and far away ones that were not."""
    far = traits()
    far[30:] *= 40
    make_space(catalogue, "far", vectors=far)
    lines = [
        line for line in path.read_text().split() if not any(key(one) in line for one in range(30, ITEMS))
    ]
    path.write_text("\n".join(lines))
    judged = open_judged(catalogue=catalogue, path=path)
    learned = learn_places(open_lesson(judged).lesson, QUICK, seed=0)
    user = learn_user(judged, name="people", seed=0, now=NOW, how=QUICK)
    np.testing.assert_allclose(user.learned.places, learned.places)
    rows = artifacts.open_vectors(EmbeddingSpace.objects.get(encoder="people")).rows
    assert len(rows) == ITEMS
    np.testing.assert_allclose(rows[judged.items[:, 0]], learned.places, rtol=1e-3, atol=1e-4)


def test_a_lesson_holds_the_judged_alone_however_large_the_catalogue_is(catalogue, tmp_path):
    rows = ["ref,a,b,votes_a,votes_b"]
    rows += [f"{key(n)},{key((n + 1) % 20)},{key((n + 5) % 20)},4,1" for n in range(20)]
    path = tmp_path / "some.csv"
    path.write_text("\n".join(rows))
    judged = open_judged(catalogue=catalogue, path=path)
    opened = open_lesson(judged)
    assert opened.lesson.squared.shape == (1, 20, 20)
    assert sorted(opened.items[:, 0].tolist()) == list(range(ITEMS))
    learn_user(judged, name="people", seed=0, now=NOW, how=QUICK)
    assert EmbeddingSpace.objects.get(encoder="people").items == ITEMS


def test_copies_of_one_thing_are_never_taught_and_asked(catalogue, path):
    """Same picture, near duplicates and one group: chained through an item that nobody judged."""
    items = {item.position: item for item in catalogue.items.all()}
    for position, item in items.items():
        item.image_sha256, item.group = f"{position:064x}", ""
    items[3].image_sha256 = items[7].image_sha256
    items[5].near_duplicate_of = items[7]
    items[9].group = items[39].group = "one design"
    items[39].image_sha256 = items[11].image_sha256
    for item in items.values():
        item.save()
    lines = [line for line in path.read_text().split() if key(39) not in line]
    path.write_text("\n".join(lines))
    judged = open_judged(catalogue=catalogue, path=path)
    units = open_lesson(judged).lesson.units
    unit = dict(zip(judged.items[:, 0].tolist(), units.tolist(), strict=True))
    assert unit[3] == unit[5] == unit[7] and unit[9] == unit[11] != unit[3]
    assert len(set(units.tolist())) == ITEMS - 1 - 3


@pytest.mark.parametrize("name", ["../x", "a/b", "", "x" * 200, "random-control"])
def test_a_name_that_cannot_be_is_refused_before_anything_is_written(catalogue, path, name):
    judged = open_judged(catalogue=catalogue, path=path)
    before = sorted(settings.HOME.rglob("*"))
    with pytest.raises(TrainingRefused, match="name"):
        learn_user(judged, name=name, seed=0, now=NOW, how=QUICK)
    assert sorted(settings.HOME.rglob("*")) == before


def test_versions_are_those_that_were_learned_from(catalogue, path, tmp_path, monkeypatch):
    """A space that is built anew while a user learns is not said to be what it learned from."""
    seen = EmbeddingSpace.objects.get(encoder="whole").encoder_version

    def learn(lesson, how, *, seed):
        EmbeddingSpace.objects.filter(encoder="whole").update(encoder_version="later")
        return learn_places(lesson, QUICK, seed=seed)

    monkeypatch.setattr(measuring, "learn_places", learn)
    call_command("measure_judgements", judgements=path, catalogue="demo", json=tmp_path / "file.json")
    table = json.loads((tmp_path / "file.json").read_text())
    assert table["versions"]["spaces"]["whole"].split()[0] == seen
    assert "seeds 0 and 1" in table["settled"]


def test_what_cannot_be_learned_from_is_told(catalogue, tmp_path):
    path = tmp_path / "few.csv"
    path.write_text(f"ref,a,b,votes_a,votes_b\n{key(0)},{key(1)},{key(2)},3,1\n")
    with pytest.raises(CommandError, match="3 different items were judged, and 15 are needed"):
        call_command("measure_judgements", judgements=path, catalogue="demo")
    with pytest.raises(CommandError, match="At least two folds"):
        call_command("measure_judgements", judgements=path, catalogue="demo", folds=1)
    EmbeddingSpace.objects.filter(encoder="whole").update(is_control=True)
    with pytest.raises(NoSuchSpace, match="build its contenders"):
        open_lesson(open_judged(catalogue=catalogue, path=path))
