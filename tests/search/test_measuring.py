"""The accuracy table: reproducible, honest about chance, never flattered by identical images."""

import json

import pytest
from django.core.management import CommandError, call_command

from search.models import Catalogue, Index
from search.services import builds, jobs, measuring
from tests.factories import NOW, make_catalogue

pytestmark = pytest.mark.django_db(transaction=True)
CHEAP = ("colour-histogram", "random-control")


@pytest.fixture(autouse=True)
def cheap_encoders(monkeypatch):
    every = builds.list_all_encoders()
    monkeypatch.setattr(builds, "list_all_encoders", lambda: [e for e in every if e.name in CHEAP])


def test_the_table_and_its_file_say_the_same_and_come_out_the_same_twice(tmp_path, capsys):
    make_catalogue(items=60, slug="demo")
    Catalogue.objects.update(options={"generator": "wardrobe 7"})
    arguments = {"catalogue": "demo", "queries": 20, "gallery": 50, "seed": 3}
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    call_command("measure_matches", **arguments, json=first)
    printed = capsys.readouterr().out
    call_command("measure_matches", **arguments, json=second)
    assert first.read_bytes() == second.read_bytes()
    table = json.loads(first.read_text())
    assert (table["catalogue"], table["seed"], table["queries"], table["gallery"]) == ("demo", 3, 20, 50)
    assert {row["metric"] for row in table["rows"]} == {"l1", "l2", "hamming"}
    for row in table["rows"]:
        assert 0 <= row["low"] <= row["match_rate"] <= row["high"] <= 1
        assert f"{row['match_rate']:.1%}" in printed
    assert "wardrobe 7" in printed
    assert table["versions"]["options"] == {"generator": "wardrobe 7"}
    assert 0 < table["random"] < 1
    assert len(table["random_control"]) == 1


def test_an_identical_image_never_answers():
    # 120 items of 60 images: every item has a twin of another category, which would be the nearest of all.
    catalogue = make_catalogue(items=120, categories=7)
    builds.request_contenders(catalogue=catalogue, now=NOW)
    for job in builds.iterate_builds(catalogue=catalogue):
        jobs.run_in_foreground(job=job, report=lambda row: None)
    table = measuring.measure_matches(catalogue=catalogue, queries=1000, gallery=20_000, seed=0)
    assert table.queries == 60
    images = dict(catalogue.items.values_list("position", "image_sha256"))
    categories = dict(catalogue.items.values_list("position", "category_id"))
    index = Index.objects.select_related("space").get(space__encoder="colour-histogram", metric="l2")
    asked, found = measuring.artifacts.read_neighbours(index)
    matches = 0
    for position, nearest in zip(asked.tolist(), found.positions[:, 0].tolist(), strict=True):
        assert images[position] != images[nearest]
        if position % 2 == 0:  # the evaluation-only items of this catalogue
            matches += categories[position] == categories[nearest]
    rates = {(row.encoder, row.metric): row.share for row in table.rows}
    assert rates["colour-histogram", "l2"].count == matches


def test_a_catalogue_without_categories_is_refused_with_the_remedy():
    make_catalogue(items=12, categories=0, slug="bare")
    with pytest.raises(CommandError, match="--category"):
        call_command("measure_matches", catalogue="bare")
