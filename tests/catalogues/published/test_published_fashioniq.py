"""FashionIQ: pictures that are often missing, and captions from which nothing may be lost."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.catalogues.sources import RED, aspects, picture, read, write

PARTS = [(kind, side) for kind in ("dress", "shirt", "toptee") for side in ("train", "val", "test")]
SPLITS: dict[tuple[str, str], list[Any]] = {
    ("dress", "train"): ["B0INVENT01", "B0INVENT02"],
    ("dress", "test"): ["B0INVENT03"],
    ("shirt", "train"): ["B0INVENT04"],
    ("shirt", "val"): ["B0INVENT05"],
    ("toptee", "train"): ["B0INVENT05", "B0INVENT06"],
}
CAPTIONS: dict[tuple[str, str], list[Any]] = {
    ("dress", "train"): [
        {
            "target": "B0INVENT01",
            "candidate": "B0INVENT02",
            "captions": ["is shorter", " has dots, not stripes"],
        },
        {"target": "B0INVENT01", "candidate": "B0INVENT02", "captions": ["is “darker”", "is darker"]},
    ],
    ("dress", "test"): [{"candidate": "B0INVENT03", "captions": ["is longer", "in wool"]}],
    ("toptee", "train"): [
        {"target": "B0INVENT05", "candidate": "B0INVENT06", "captions": ["v-neck", "looser"]}
    ],
}
TAGS: dict[tuple[str, str], dict[str, Any]] = {
    ("dress", "train"): {"B0INVENT01": [["skipped"], ["dotted"], [], ["mini", "a-line"]]},
}


def files(**change: Any) -> dict[str, bytes | str]:
    made: dict[str, bytes | str] = {}
    for kind, side in PARTS:
        made[f"image_splits/split.{kind}.{side}.json"] = json.dumps(SPLITS.get((kind, side), []))
        made[f"captions/cap.{kind}.{side}.json"] = json.dumps(CAPTIONS.get((kind, side), []))
        made[f"tags/asin2attr.{kind}.{side}.json"] = json.dumps(TAGS.get((kind, side), {}))
    for number in range(1, 7):
        made[f"images/B0INVENT0{number}.{'png' if number % 2 else 'jpg'}"] = picture(number)
    return {**made, **change}


def test_every_picture_is_one_item(tmp_path: Path) -> None:
    rows, rejected = read("fashioniq", write(tmp_path, files()))
    assert rejected == []
    assert [row.key for row in rows] == [f"B0INVENT0{number}" for number in range(1, 7)]
    assert rows[0].labels == {"category": "dress", "published split": "dress train"}
    assert rows[2].labels == {"category": "dress", "published split": "dress test"}
    assert rows[0].category == "dress" and rows[0].image() == picture(1)


def test_a_picture_of_two_categories_is_one_item_with_both(tmp_path: Path) -> None:
    rows, _ = read("fashioniq", write(tmp_path, files()))
    assert rows[4].key == "B0INVENT05" and rows[4].labels == {} and rows[4].category is None
    assert rows[4].texts["category (several)"] == "shirt;toptee"
    assert rows[4].texts["published split (several)"] == "shirt val;toptee train"


def test_relative_captions_are_read_back_as_they_were(tmp_path: Path) -> None:
    rows, _ = read("fashioniq", write(tmp_path, files()))
    assert read_back(rows) == {part: CAPTIONS.get(part, []) for part in PARTS}
    assert aspects("fashioniq", tmp_path)["relative_captions"] == "text"


def read_back(rows: list[Any]) -> dict[tuple[str, str], list[Any]]:
    """The caption files again, from the texts of the rows; in order by target."""
    captions: dict[tuple[str, str], list[Any]] = {part: [] for part in PARTS}
    for row in rows:
        for told in json.loads(row.texts.get("relative_captions", "[]")):
            part = (told.pop("category"), told.pop("split"))
            captions[part].append({"target": row.key, **told})
        for told in json.loads(row.texts.get("relative_captions_without_target", "[]")):
            part = (told.pop("category"), told.pop("split"))
            captions[part].append({"candidate": row.key, **told})
    return captions


def test_tags_stay_in_their_groups(tmp_path: Path) -> None:
    rows, _ = read("fashioniq", write(tmp_path, files()))
    assert json.loads(rows[0].texts["tags"]) == [["skipped"], ["dotted"], [], ["mini", "a-line"]]
    assert "tags" not in rows[1].texts


@pytest.mark.parametrize("folder", ["images/{}", "resized_images/{}", "resized_images", "{}"])
def test_pictures_by_category_or_all_together(tmp_path: Path, folder: str) -> None:
    given = {name: data for name, data in files().items() if not name.startswith("images/")}
    for (kind, _), asins in SPLITS.items():
        given |= {f"{folder.format(kind)}/{asin}.jpg": picture(int(asin[-1])) for asin in asins}
    rows, rejected = read("fashioniq", write(tmp_path, given))
    assert len(rows) == 6 and rejected == []


def test_missing_pictures_are_told_as_a_whole_and_one_by_one(tmp_path: Path) -> None:
    given = files()
    del given["images/B0INVENT02.jpg"], given["images/B0INVENT05.png"]
    rows, rejected = read("fashioniq", write(tmp_path, given))
    assert len(rows) == 4
    assert [(one.number, one.key, one.code) for one in rejected] == [
        (0, "", "coverage"),
        (0, "", "incomplete"),
        (2, "B0INVENT02", "unknown-image"),
        (1, "B0INVENT05", "unknown-image"),
    ]
    assert (
        "dress train 1 of 2, dress test 1 of 1, shirt train 1 of 1, shirt val 0 of 1" in rejected[0].message
    )
    assert "Of 3 relative captions with a target, 0 have both" in rejected[1].message


def test_what_is_missing_or_wrong_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    captions = [7, {"candidate": "B0INVENT02", "captions": "x"}, *CAPTIONS["dress", "train"]]
    captions.append({"target": "B0NOWHERE1", "candidate": "B0INVENT02", "captions": ["a", "b"]})
    change = {
        "captions/cap.dress.train.json": json.dumps(captions),
        "captions/cap.dress.test.json": "[",
        "image_splits/split.shirt.train.json": json.dumps(["B0INVENT04", None]),
        "tags/asin2attr.dress.val.json": json.dumps({"B0INVENT02": "dotted"}),
    }
    given = files(**change)
    del given["captions/cap.shirt.val.json"], given["tags/asin2attr.shirt.train.json"]
    rows, rejected = read("fashioniq", write(tmp_path, given))
    assert len(rows) == 6 and len(json.loads(rows[0].texts["relative_captions"])) == 2
    assert [(one.number, one.code) for one in rejected] == [
        (2, "malformed"),  # an ASIN that is none
        (1, "malformed"),
        (2, "malformed"),
        (5, "unknown-item"),
        (0, "unreadable"),
        (0, "missing-file"),
        (0, "malformed"),
        (0, "missing-file"),
    ]
    assert all(one.message.endswith(".") for one in rejected)


def test_texts_that_a_database_refuses_are_kept_all_the_same(tmp_path: Path) -> None:
    told = [{"target": "B0INVENT01", "candidate": "B0INVENT02", "captions": ["nul \0", "half \ud800"]}]
    write(tmp_path, files(**{"captions/cap.dress.train.json": json.dumps(told)}))
    text = read("fashioniq", tmp_path)[0][0].texts["relative_captions"]
    assert text.isascii() and "\0" not in text
    assert json.loads(text)[0]["captions"] == ["nul \0", "half \ud800"]


@pytest.mark.data
def test_the_published_captions_and_splits(data_folder: Path, tmp_path: Path) -> None:
    """All of them, with a picture for every twentieth ASIN, as a copy after years may be."""
    published = data_folder / "fashioniq"
    for folder in ("captions", "image_splits"):
        write(
            tmp_path, {f"{folder}/{path.name}": path.read_bytes() for path in (published / folder).iterdir()}
        )
    splits = {
        part: json.loads((published / "image_splits" / "split.{}.{}.json".format(*part)).read_text())
        for part in PARTS
    }
    captions = {
        part: json.loads((published / "captions" / "cap.{}.{}.json".format(*part)).read_text())
        for part in PARTS
    }
    asins = list(dict.fromkeys(asin for listed in splits.values() for asin in listed))
    there = set(asins[::20])
    write(tmp_path, {f"images/{asin}.png": RED for asin in there})
    rows, rejected = read("fashioniq", tmp_path)
    assert {row.key for row in rows} == there
    assert sum(one.code == "unknown-image" for one in rejected) == len(asins) - len(there)
    assert {one.code for one in rejected} == {"coverage", "incomplete", "missing-file", "unknown-image"}
    wanted = {
        part: [one for one in told if one.get("target", one["candidate"]) in there]
        for part, told in captions.items()
    }
    found = read_back(rows)
    assert {part: sorted(map(repr, told)) for part, told in found.items()} == {
        part: sorted(map(repr, told)) for part, told in wanted.items()
    }
