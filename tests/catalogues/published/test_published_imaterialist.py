"""iMaterialist Fashion 2018: two spellings of its keys, numbers that begin anew, a table of labels."""

import json
from pathlib import Path
from typing import Any

import pytest

from search.catalogues.rows import CatalogueUnreadable
from tests.catalogues.sources import aspects, picture, read, write

MAP = "labelId,taskId,labelName,taskName\n1,6,Zigzag,pattern\n2,5,Kimono,category\n"
MAP += "3,6,Tartan,pattern\n4,1,Ochre,color\n"


def side(spelling: str, labels: dict[int, list[int]], more: list[Any] | None = None) -> str:
    image, label = ("image_id", "label_id") if spelling == "snake" else ("imageId", "labelId")
    kind = int if spelling == "snake" else str
    images = [{image: kind(number), "url": ["https://shop.invalid/a.jpg"]} for number in labels]
    annotations = [
        {label: [kind(one) for one in some], image: kind(number)} for number, some in labels.items()
    ]
    return json.dumps(
        {"info": {"year": 2018}, "images": images, "annotations": [*annotations, *(more or [])]}
    )


def files(spelling: str = "snake") -> dict[str, bytes | str]:
    test = (
        json.dumps({"images": [{"image_id": 1}]})
        if spelling == "snake"
        else json.dumps({"images": [{"imageId": "1"}]})
    )
    return {
        "train.json": side(spelling, {1: [1, 2, 3], 2: [4, 2]}),
        "validation.json": side(spelling, {1: [1]}),
        "test.json": test,
        "iMat_fashion_2018_label_map_228.csv": MAP,
        **{
            f"{name}.jpg": picture(number)
            for number, name in enumerate(["train/1", "train/2", "validation/1", "test/1"])
        },
    }


@pytest.mark.parametrize("spelling", ["snake", "camel"])
def test_both_spellings_give_the_same_items(tmp_path: Path, spelling: str) -> None:
    rows, rejected = read("imaterialist", write(tmp_path, files(spelling)))
    assert rejected == []
    assert [(row.key, row.category) for row in rows] == [
        ("train/1", "Kimono"),
        ("train/2", "Kimono"),
        ("validation/1", None),
        ("test/1", None),
    ]
    assert rows[0].texts == {"pattern (several)": "Zigzag;Tartan"}
    assert rows[1].labels == {"category": "Kimono", "color": "Ochre", "published split": "train"}
    assert rows[3].labels == {"published split": "test"}
    assert [row.image() for row in rows] == [picture(number) for number in range(4)]
    assert aspects("imaterialist", tmp_path)["category"] == "category"


def test_numbers_begin_anew_so_one_folder_for_all_is_not_taken(tmp_path: Path) -> None:
    given = {name: data for name, data in files().items() if not name.endswith(".jpg")}
    write(tmp_path, {**given, "images/1.jpg": picture(1), "images/2.jpg": picture(2)})
    with pytest.raises(CatalogueUnreadable, match=r"Put them into train/, validation/ and test/"):
        read("imaterialist", tmp_path)
    (tmp_path / "validation.json").unlink()
    (tmp_path / "test.json").unlink()
    assert [row.key for row in read("imaterialist", tmp_path)[0]] == ["train/1", "train/2"]


@pytest.mark.parametrize("folder", ["images/validation", "val", "validation_images"])
def test_folders_and_files_as_people_call_them(tmp_path: Path, folder: str) -> None:
    given = files()
    given["val.json"] = given.pop("validation.json")
    given[f"{folder}/1.jpg"] = given.pop("validation/1.jpg")
    rows, rejected = read("imaterialist", write(tmp_path, given))
    assert [row.key for row in rows][2] == "validation/1" and rejected == []


def test_without_a_table_labels_stay_numbers(tmp_path: Path) -> None:
    given = files()
    del given["iMat_fashion_2018_label_map_228.csv"]
    given["other.csv"] = "a,b\n1,2\n"
    rows, rejected = read("imaterialist", write(tmp_path, given))
    assert rows[0].texts == {"label numbers": "1;2;3"} and rows[0].category is None
    assert [one.code for one in rejected] == ["missing-file"]


def test_what_is_missing_or_wrong_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    given = files()
    given["train.json"] = side("snake", {1: [1, 99], 2: [2]}, [{"image_id": 3}, "x", {"label_id": [1]}])
    given["iMat_fashion_2018_label_map_228.csv"] = MAP + "5,,,\n"
    del given["test.json"], given["train/2.jpg"]
    rows, rejected = read("imaterialist", write(tmp_path, given))
    assert [(row.key, row.texts) for row in rows] == [
        ("train/1", {"label numbers": "99"}),
        ("validation/1", {}),
    ]
    assert [(one.number, one.key, one.code) for one in rejected] == [
        (0, "", "coverage"),
        (6, "iMat_fashion_2018_label_map_228.csv", "malformed"),
        (5, "train.json", "malformed"),
        (6, "train.json", "malformed"),
        (7, "train.json", "malformed"),
        (0, "test.json", "missing-file"),
        (1, "train/1", "unknown-label"),
        (2, "train/2", "unknown-image"),
    ]
    assert "train 1 of 2, validation 1 of 1" in rejected[0].message


def test_a_file_that_was_cut_off_gives_what_stands_before(tmp_path: Path) -> None:
    given = files()
    text = str(given["train.json"])
    given["train.json"] = text[: text.index('"annotations"') + 60]
    rows, rejected = read("imaterialist", write(tmp_path, given))
    assert [row.key for row in rows] == ["train/1", "train/2", "validation/1", "test/1"]
    assert [one.code for one in rejected] == ["malformed"] and "is damaged" in rejected[0].message


@pytest.mark.parametrize("spaces", [0, 70_000])
def test_a_file_that_is_read_in_many_parts(tmp_path: Path, spaces: int) -> None:
    given = files()
    labels = {number: [1 + number % 4] for number in range(1, 6000)}
    given["train.json"] = side("camel", labels).replace("], ", "]" + " " * spaces + ", ", 1)
    rows, rejected = read("imaterialist", write(tmp_path, given))
    assert sum(one.code == "unknown-image" for one in rejected) == 5997
    assert [row.key for row in rows] == ["train/1", "train/2", "validation/1", "test/1"]
    assert rows[0].labels["category"] == "Kimono"


def test_an_element_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    given = files()
    given["validation.json"] = '{"images": [{"image_id": 1}, {"url": "' + "x" * 3_000_000
    rows, rejected = read("imaterialist", write(tmp_path, given))
    assert len(rows) == 4 and [one.code for one in rejected] == ["malformed"]
