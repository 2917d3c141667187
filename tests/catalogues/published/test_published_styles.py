"""Kaggle's styles.csv: commas that nobody quoted, NA and blank, a header that ends in commas."""

from pathlib import Path

import pytest

from search.catalogues.rows import CatalogueUnreadable
from tests.catalogues.sources import aspects, picture, read, write

HEADER = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName"
LINES = [
    "90001,Men,Apparel,Topwear,Shirts,Navy Blue,Fall,2011,Casual,Navy Check Shirt, Slim Fit",
    "90002,Women,Accessories,Bags,Handbags,NA,Summer,2012,,Bag, small, with 2 straps",
    '90003,Girls,Footwear,Shoes,Flats,Pink,,,NA,Flats of 5" and more',
]


def files(*lines: str, header: str = HEADER) -> dict[str, bytes | str]:
    text = "\n".join([header, *(lines or LINES), ""])
    return {"styles.csv": text, **{f"images/9000{number}.jpg": picture(number) for number in (1, 2, 3)}}


def test_a_name_may_hold_commas(tmp_path: Path) -> None:
    rows, rejected = read("styles", write(tmp_path, files()))
    assert rejected == [] and [row.key for row in rows] == ["90001", "90002", "90003"]
    assert [row.texts["productDisplayName"] for row in rows] == [
        "Navy Check Shirt, Slim Fit",
        "Bag, small, with 2 straps",
        'Flats of 5" and more',
    ]
    assert rows[0].labels == {
        "gender": "Men",
        "masterCategory": "Apparel",
        "subCategory": "Topwear",
        "articleType": "Shirts",
        "baseColour": "Navy Blue",
        "season": "Fall",
        "year": "2011",
        "usage": "Casual",
    }
    assert rows[0].category == "Shirts" and rows[0].image() == picture(1)


def test_na_is_a_label_and_blank_is_none(tmp_path: Path) -> None:
    rows, _ = read("styles", write(tmp_path, files()))
    assert rows[1].labels["baseColour"] == "NA" and "usage" not in rows[1].labels
    assert rows[2].labels["usage"] == "NA" and not {"season", "year"} & set(rows[2].labels)


@pytest.mark.parametrize("ends", ["", ",,"])
def test_a_header_may_end_in_commas(tmp_path: Path, ends: str) -> None:
    lines = [line + ends for line in LINES]
    rows, rejected = read("styles", write(tmp_path, files(*lines, header=HEADER + ",,")))
    assert rejected == []
    assert [row.texts["productDisplayName"] for row in rows][:2] == [
        "Navy Check Shirt, Slim Fit",
        "Bag, small, with 2 straps",
    ]


def test_a_table_that_a_program_saved_with_quotes(tmp_path: Path) -> None:
    lines = [LINES[0].replace("Navy Check Shirt, Slim Fit", '"Navy ""Check"" Shirt, Slim Fit"')]
    rows, _ = read("styles", write(tmp_path, files(*lines)))
    assert rows[0].texts == {"productDisplayName": 'Navy "Check" Shirt, Slim Fit'}


def test_the_category_may_be_a_coarser_one(tmp_path: Path) -> None:
    write(tmp_path, files())
    rows, _ = read("styles", tmp_path, category="masterCategory")
    assert [row.category for row in rows] == ["Apparel", "Accessories", "Footwear"]
    assert aspects("styles", tmp_path, category="masterCategory")["articleType"] == "label"


def test_what_is_missing_or_wrong_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    lines = [LINES[0], "90009" + LINES[1][5:], "90002,Women", LINES[1][5:], LINES[0]]
    rows, rejected = read("styles", write(tmp_path, files(*lines)))
    assert [row.key for row in rows] == ["90001"]
    assert [(one.number, one.key, one.code) for one in rejected] == [
        (0, "", "coverage"),
        (3, "90009", "unknown-image"),
        (4, "90002", "ragged"),
        (5, "", "ragged"),
        (6, "90001", "duplicate-key"),
    ]
    assert "all 2 of 3" in rejected[0].message


def test_another_table_is_told_from_it(tmp_path: Path) -> None:
    with pytest.raises(CatalogueUnreadable, match="by the format table"):
        read("styles", write(tmp_path, files(header="id,kind,image")))
