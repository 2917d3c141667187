"""DeepFashion, in-shop retrieval: items are groups, and names of pictures say what they show."""

import json
from pathlib import Path

import pytest

from search.catalogues.rows import CatalogueUnreadable
from tests.catalogues.sources import aspects, picture, read, write

NAMES = [
    "img/WOMEN/Dresses/id_00000902/02_1_front.jpg",
    "img/WOMEN/Dresses/id_00000902/02_3_back.jpg",
    "img/MEN/Sweatshirts_Hoodies/id_00000907/01_6_flat.jpg",
]
PARTITION = f"""3
image_name item_id evaluation_status
{NAMES[0]}                   id_00000902     train
{NAMES[1]}                    id_00000902     query
{NAMES[2]}   id_00000907 gallery
"""
BOXES = f"""3
image_name  clothes_type  pose_type  x_1  y_1  x_2  y_2
{NAMES[0]}  3  1  050 049 208 203
{NAMES[1]}  3  3  001 002 020 021
{NAMES[2]}  1  6  001 002 020 021
"""
DESCRIPTIONS = [
    {"item": "id_00000902", "color": "Sand", "description": ["Falls to the knee.", "Two pockets"]},
    {"item": "id_00000902", "color": "Navy", "description": ["Also in navy."]},
    {"colour": "nobody's"},
]


def files() -> dict[str, bytes | str]:
    return {
        "Eval/list_eval_partition.txt": PARTITION,
        "Anno/list_bbox_inshop.txt": BOXES,
        "Anno/list_description_inshop.json": json.dumps(DESCRIPTIONS),
        **{f"Img/{name}": picture(number, side=256) for number, name in enumerate(NAMES)},
    }


def test_items_are_groups_and_everything_said_is_kept(tmp_path: Path) -> None:
    rows, rejected = read("deepfashion-inshop", write(tmp_path, files()))
    assert [row.key for row in rows] == NAMES
    assert [row.group for row in rows] == ["id_00000902", "id_00000902", "id_00000907"]
    assert [row.category for row in rows] == ["Dresses", "Dresses", "Sweatshirts_Hoodies"]
    assert rows[1].labels == {
        "category": "Dresses",
        "gender": "WOMEN",
        "clothes type": "full-body",
        "pose": "back",
        "published split": "query",
    }
    assert rows[0].box == (50.0, 49.0, 208.0, 203.0)
    assert rows[0].texts == {
        "description": "Falls to the knee.\nTwo pockets\nAlso in navy.",
        "described colours": "Sand;Navy",
    }
    assert rows[2].texts == {} and rows[2].labels["pose"] == "stand-alone"
    assert [(one.number, one.code) for one in rejected] == [(3, "malformed")]


def test_colours_of_a_description_are_no_label(tmp_path: Path) -> None:
    """A description is of an item in all its colours, so the colour of a picture is still measured."""
    assert aspects("deepfashion-inshop", write(tmp_path, files()))["described colours"] == "text"


def test_lists_that_are_missing_cost_only_what_they_say(tmp_path: Path) -> None:
    given = files()
    del given["Anno/list_bbox_inshop.txt"], given["Anno/list_description_inshop.json"]
    rows, rejected = read("deepfashion-inshop", write(tmp_path, given))
    assert [row.box for row in rows] == [None] * 3 and "pose" not in rows[0].labels
    assert [one.code for one in rejected] == ["missing-file", "missing-file"]
    assert "taken whole" in rejected[0].message and "no description" in rejected[1].message


def test_descriptions_that_are_no_json_are_noted(tmp_path: Path) -> None:
    write(tmp_path, {**files(), "Anno/list_description_inshop.json": '[{"item": '})
    rows, rejected = read("deepfashion-inshop", tmp_path)
    assert len(rows) == 3 and [one.code for one in rejected] == ["missing-file"]
    assert "is not JSON" in rejected[0].message


def test_lines_and_boxes_that_are_wrong_cost_their_rows(tmp_path: Path) -> None:
    given = files()
    given["Eval/list_eval_partition.txt"] = PARTITION.replace("img/MEN/", "").replace("query", "")
    given["Anno/list_bbox_inshop.txt"] = BOXES.replace("049", "-")
    with pytest.raises(CatalogueUnreadable, match=r"Not one of the 0"):
        read("deepfashion-inshop", write(tmp_path, given))
    given["Eval/list_eval_partition.txt"] = PARTITION
    rows, rejected = read("deepfashion-inshop", write(tmp_path, given))
    assert [row.key for row in rows] == NAMES[1:]
    assert [(one.number, one.code) for one in rejected] == [(3, "malformed"), (3, "bad-box")]


def test_pictures_of_the_other_size_are_not_used(tmp_path: Path) -> None:
    """Boxes are in pixels of img.zip: cut out of img_highres they would show something else."""
    given = {name.replace("Img/img/", "Img/img_highres/"): data for name, data in files().items()}
    with pytest.raises(CatalogueUnreadable, match=r"Unpack img\.zip"):
        read("deepfashion-inshop", write(tmp_path, given))
