"""`measure_regions`: the figures of a table, the same every time, and words for what cannot be measured."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from PIL import Image, ImageDraw


def call(**options):
    out = io.StringIO()
    call_command("measure_regions", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def photos(tmp_path):
    """Two photos of one thing, and a table with its box."""
    for name in ("one", "two"):
        picture = Image.new("RGB", (300, 200), (222, 216, 200))
        ImageDraw.Draw(picture).rectangle((60, 40, 180, 160), (20, 60, 120))
        picture.save(tmp_path / f"{name}.png")
    table = tmp_path / "boxes.csv"
    table.write_text("image,left,top,right,bottom\none.png,0.2,0.2,0.6,0.8\ntwo.png,0.7,0.7,0.9,0.9\n")
    return tmp_path


def test_the_same_command_prints_the_same_figures(photos, tmp_path, capsys):
    reports = []
    for name in ("a.json", "b.json"):
        call(items=12, photos=photos, boxes=photos / "boxes.csv", json=tmp_path / name)
        reports.append(json.loads((tmp_path / name).read_text()))
    assert reports[0] == reports[1]
    report = reports[0]
    rows = {
        (row["photos"], row["boxes"], row["shown"], row["overlap"]): row["found"] for row in report["regions"]
    }
    assert rows["photos", "proposed", 6, 0.5]["count"] == 1  # one box lies where nothing is
    assert rows["wardrobe", "proposed", 6, 0.5]["total"] == 12
    assert {row["what"]: row["left_out"]["total"] for row in report["sight"]} == {
        "its item": 8,
        "the place alone": 2,
        "another item": 2,
    }
    assert "Is the thing among the regions?" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("image,left,top\none.png,0,0\n", "no table of boxes"),
        ("image,left,top,right,bottom\none.png,a,0,1,1\n", "no table of boxes"),
        ("image,left,top,right,bottom\nthree.png,0,0,1,1\n", "check the paths"),
    ],
)
def test_boxes_that_cannot_be_read_are_named(photos, lines, words):
    (photos / "boxes.csv").write_text(lines)
    with pytest.raises(CommandError, match=words):
        call(items=2, photos=photos, boxes=photos / "boxes.csv")


def test_photos_without_boxes_are_refused(photos):
    with pytest.raises(CommandError, match="--photos together with --boxes"):
        call(items=2, photos=photos)
