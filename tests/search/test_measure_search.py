"""The command that counts what a search tells people."""

import json

import pytest
from django.core.management import CommandError, call_command

from search.models import Calibration, Job, JobState, Training
from search.services import asked_photos
from tests.factories import NOW, make_catalogue, make_image, store_image
from tests.search.ranked import make_ranked

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = {"aspects_of": "", "searches": 0}
SHARES = ("top1", "family", "wrong_accept", "absent_accepted", "other_accepted", "accept", "denied")


@pytest.fixture
def few_are_enough(monkeypatch):
    monkeypatch.setattr("search.services.calibration_queries.LEAST_QUERIES", 1)


def measure(tmp_path, **options):
    path = tmp_path / "figures.json"
    call_command("measure_search", encoder="colour-histogram", json=path, **{**QUICK, **options})
    return json.loads(path.read_text())


@pytest.fixture
def photographed(few_are_enough):
    """Of 60 items, each of which also has a photo that looks like another one."""
    catalogue = make_catalogue(items=60)
    for item in catalogue.items.all():
        item.lifestyle_sha256 = store_image(make_image(item.position + 7 * (item.position % 3 == 0)))
        item.save()
    return catalogue


def test_photos_are_asked_twice_and_what_is_told_is_counted(tmp_path, capsys, photographed):
    figures = measure(tmp_path, catalogue=photographed.slug, queries=20)
    assert (figures["items"], figures["encoder"]) == (60, "colour-histogram")
    total = figures["total"]
    assert total["queries"] == 20
    assert all(0 <= total[share] <= 1 for share in SHARES)
    assert 0.3 < total["top1"] < 0.9, "two of three photos are of their item, to the last pixel"
    for key in ("top1", "wrong_accept", "wrong_accept_se", "accept"):
        assert figures[key] == total[key]
    assert total["wrong_accept"] == max(total["absent_accepted"], total["other_accepted"])
    assert sum(row["queries"] for row in figures["rows"]) == 20
    assert "absent" in capsys.readouterr().out
    again = measure(tmp_path, catalogue=photographed.slug, queries=20)
    assert figures == again, "everything is found, and the figures are the same"
    assert Job.objects.filter(kind="calibrate", state=JobState.DONE).count() == 1


@pytest.mark.usefixtures("few_are_enough")
def test_what_looking_at_the_query_gains_stands_beside_every_way_that_does_not(tmp_path, capsys):
    catalogue = make_ranked()
    for item in catalogue.items.all():
        item.image_sha256 = item.lifestyle_sha256 = store_image(make_image(item.position))
        item.save()
    figures = measure(tmp_path, catalogue=catalogue.slug, queries=20, aspects_of="pupil")
    told = figures["aspects"]
    assert figures["aspect_gain"] == told["gain"]["mean"]
    assert told["gain"]["low"] <= told["gain"]["mean"] <= told["gain"]["high"]
    assert {"embedding only", "uniform", "best fixed", "untrained rule", "learned"} == set(told["rates"])
    assert (told["encoder"], told["beaten"] in told["rates"]) == ("pupil", True)
    assert f"above “{told['beaten']}”" in " ".join(capsys.readouterr().out.split())


def test_without_aspects_there_is_no_gain_and_it_says_why(tmp_path, photographed):
    figures = measure(tmp_path, catalogue=photographed.slug, queries=5, aspects_of="colour-histogram")
    assert figures["aspect_gain"] is None
    assert "no space of 'colour-histogram' that knows aspects" in figures["aspects"]["missing"]
    assert figures["latency_p95_ms"] is None


def test_what_was_measured_is_kept_where_nobody_could_search(
    tmp_path, photographed, monkeypatch, capsys, settings
):
    settings.STATIC_ROOT = tmp_path / "static"
    monkeypatch.setenv("DOPEORNOPE_HOME", str(tmp_path / "served"))
    monkeypatch.setenv("DOPEORNOPE_DATABASE", "no database")
    figures = measure(tmp_path, catalogue=photographed.slug, queries=5, searches=1)
    assert figures["total"]["queries"] == 5
    assert figures["latency_p95_ms"] is None
    assert "web process did not start" in figures["latency"]["missing"]
    assert "How long people wait is not measured" in capsys.readouterr().out


def test_what_was_measured_is_kept_where_the_rest_fails(tmp_path, photographed):
    with pytest.raises(CommandError, match="no encoder “nobody”"):
        measure(tmp_path, catalogue=photographed.slug, queries=5, aspects_of="nobody")
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["total"]["queries"] == 5
    assert figures["aspects"]["missing"] == figures["latency"]["missing"] == "It was stopped before."


def test_photos_that_were_looked_at_before_it_was_stopped_are_not_looked_at_again(
    tmp_path, photographed, monkeypatch
):
    looks = []
    encode = asked_photos.encode_pictures

    def stop_after_ten(spaces, queries, *, start, report):
        looks.append(start)
        for batch in encode(spaces, queries, start=start, report=report):
            if start:
                yield batch
                continue
            yield {name: rows[:10] for name, rows in batch.items()}
            raise KeyboardInterrupt

    monkeypatch.setattr(asked_photos, "encode_pictures", stop_after_ten)
    monkeypatch.setattr(asked_photos, "KEPT_EVERY", 1)
    with pytest.raises(CommandError, match="goes on from here"):
        measure(tmp_path, catalogue=photographed.slug, queries=40)
    gone_on = measure(tmp_path, catalogue=photographed.slug, queries=40)
    assert looks == [0, 10]
    monkeypatch.setattr(asked_photos, "encode_pictures", encode)
    for path in (tmp_path / "home" / "measurements").iterdir():
        path.unlink()
    assert measure(tmp_path, catalogue=photographed.slug, queries=40) == gone_on, "as if never stopped"


def test_those_it_is_calibrated_with_are_not_those_it_is_measured_with(tmp_path, photographed):
    figures = measure(tmp_path, catalogue=photographed.slug, queries=1000)
    calibration = Calibration.objects.get(index__metric="l2")
    assert calibration.queries == photographed.items.evaluation_only().count() == figures["calibrated_on"]
    assert figures["total"]["queries"] == 60 - calibration.queries


def test_an_encoder_is_not_measured_on_what_it_learned_from(tmp_path, photographed):
    Training.objects.create(name="colour-histogram", kind="siamese", catalogue=photographed, created_at=NOW)
    with pytest.raises(CommandError, match="learned from this catalogue"):
        measure(tmp_path, catalogue=photographed.slug, queries=5)


@pytest.mark.usefixtures("few_are_enough")
def test_a_wardrobe_is_drawn_where_no_catalogue_is_named(tmp_path, capsys):
    figures = measure(tmp_path, items=24, seed=3, undone=8)
    assert figures["items"] == 24
    assert figures["catalogue"] == "search-24-3"
    assert figures["undone"]["queries"] == 8
    assert figures["undone"]["top1"] >= 7 / 8, "what pose and scene hide is all that makes it hard"
    assert "Pose and scene undone" in capsys.readouterr().out


@pytest.mark.usefixtures("few_are_enough")
def test_only_of_a_drawn_wardrobe_pose_and_scene_can_be_undone(photographed):
    with pytest.raises(CommandError, match="measure a wardrobe"):
        call_command(
            "measure_search",
            catalogue=photographed.slug,
            encoder="colour-histogram",
            queries=5,
            undone=5,
            **QUICK,
        )


def test_a_catalogue_without_photos_of_items_in_use_is_refused():
    catalogue = make_catalogue(items=40)
    with pytest.raises(CommandError, match="photos of items in use"):
        call_command("measure_search", catalogue=catalogue.slug, encoder="colour-histogram")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": 1000}, "learned from seed 1000"),
        ({"queries": 0}, "one photo"),
        ({"searches": -1}, "cannot search"),
        ({"latency_items": 0}, "cannot search"),
        ({"catalogue": "none"}, "no such catalogue"),
    ],
)
def test_what_cannot_be_measured_is_said(options, words):
    with pytest.raises(CommandError, match=words):
        call_command("measure_search", **options)


def test_an_encoder_that_cannot_run_is_named():
    catalogue = make_catalogue(items=10)
    with pytest.raises(CommandError, match="no encoder “nobody”"):
        call_command("measure_search", catalogue=catalogue.slug, encoder="nobody")
