"""Tables that say by a box which part of a picture is the item."""

from pathlib import Path

import pytest

from tests.catalogues.sources import aspects, read, shop


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("x,y,w,h", "10,20,30,40"),
        ("x,y,width,height", "10,20,30.0,40"),
        ("x_1,y_1,x_2,y_2", "010,020,040,060"),
        ("xmin,ymin,xmax,ymax", "10,20,40,60"),
        ("bbox", '"[10, 20, 30, 40]"'),
        ("bbox", "10 20 30 40"),
    ],
)
def test_boxes_are_read_in_the_usual_spellings(tmp_path: Path, header: str, cells: str) -> None:
    blank = "," * header.count(",")
    shop(tmp_path, f"image,kind,{header}\na,x,{cells}\na,x,{cells}\nb,y,{blank}\n")
    rows, _ = read("table", tmp_path)
    assert [(row.key, row.box) for row in rows] == [
        ("a", (10, 20, 40, 60)),
        ("a#2", (10, 20, 40, 60)),
        ("b", None),
    ]
    assert [row.group for row in rows] == ["a", "a", "b"], "crops of one picture stand on one side"
    assert set(aspects("table", tmp_path)) == {"kind"}


def test_a_box_that_is_no_box_costs_only_its_row(tmp_path: Path) -> None:
    shop(tmp_path, "image,x,y,w,h\na,1,2,3,4\nb,1,2,wide,4\nc,1,2,3,4\nd,1,2,3,4\n")
    rows, rejected = read("table", tmp_path)
    assert [row.key for row in rows] == ["a"]
    assert [one.code for one in rejected] == ["bad-box", "unknown-image", "unknown-image"]
