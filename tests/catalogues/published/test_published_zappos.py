"""UT-Zappos50K: dashes and dots, brands spelt in three ways, several values in a cell."""

from pathlib import Path

import pytest

from search.catalogues.published.zappos import item_key
from search.catalogues.rows import CatalogueUnreadable
from tests.catalogues.sources import aspects, picture, read, write

HEADER = "CID,Category,SubCategory,HeelHeight,Insole,Closure,Gender,Material,ToeStyle\n"
LINES = [
    "900001-72,Shoes,Oxfords,,,Lace up,Men,Leather,Capped Toe\n",
    "900001-183,Shoes,Oxfords,,,Lace up,Men,Leather;Suede,\n",
    "900002-3,Boots,Knee High,1in - 1 3/4in,Padded,Zipper;Zipper,Women,,Round Toe\n",
    "900003-4,Sandals,Flat,Flat,,Slip-On,Boys;Girls,Rubber,\n",
    "900004-5,Shoes,Heels,,,,Women,,\n",
]
ROUND = {  # one edition leaves out a full stop at the end of a brand
    "Shoes/Oxfords/Bostwick/900001.72.jpg": 0,
    "Shoes/Oxfords/Bostwick/900001.183.jpg": 1,
    "Boots/Knee High/W.A.G/900002.3.jpg": 2,
    "Sandals/Flat/Levi's&#174; Kids/900003.4.jpg": 3,
    "Shoes/Heels/Neil M/900004.5.jpg": 4,
}
SQUARE = {  # the other writes it as %2E, and no &#174;
    "Shoes/Oxfords/Bostwick/900001.72.jpg": 0,
    "Shoes/Oxfords/Bostwick/900001.183.jpg": 1,
    "Boots/Knee High/W.A.G%2E/900002.3.jpg": 2,
    "Sandals/Flat/Levi's Kids/900003.4.jpg": 3,
    "Shoes/Heels/Neil M%2E/900004.5.jpg": 4,
}
KEYS = [
    "Shoes/Oxfords/Bostwick/900001.72.jpg",
    "Shoes/Oxfords/Bostwick/900001.183.jpg",
    "Boots/Knee High/W.A.G/900002.3.jpg",
    "Sandals/Flat/Levi's Kids/900003.4.jpg",
    "Shoes/Heels/Neil M/900004.5.jpg",
]


def files(
    edition: dict[str, int] = ROUND, folder: str = "ut-zap50k-images", table: str = HEADER + "".join(LINES)
) -> dict[str, bytes | str]:
    return {
        "ut-zap50k-data/meta-data.csv": table,
        **{f"{folder}/{name}": picture(number) for name, number in edition.items()},
    }


def test_a_dash_of_the_table_is_a_dot_of_the_file(tmp_path: Path) -> None:
    rows, rejected = read("zappos", write(tmp_path, files()))
    assert [row.key for row in rows] == KEYS and rejected == []
    assert [row.image() for row in rows] == [picture(number) for number in range(5)]
    assert [row.category for row in rows] == ["Shoes", "Shoes", "Boots", "Sandals", "Shoes"]


@pytest.mark.parametrize("folder", ["ut-zap50k-images", "images"])
def test_both_editions_give_the_same_items(tmp_path: Path, folder: str) -> None:
    first, _ = read("zappos", write(tmp_path / "round", files(ROUND, folder)))
    second, rejected = read("zappos", write(tmp_path / "square", files(SQUARE, "ut-zap50k-images-square")))
    assert rejected == []
    assert [(row.key, row.labels, row.group) for row in first] == [
        (row.key, row.labels, row.group) for row in second
    ]
    assert [row.labels["Brand"] for row in second] == [
        "Bostwick",
        "Bostwick",
        "W.A.G",
        "Levi's Kids",
        "Neil M",
    ]


@pytest.mark.parametrize(
    "spelling",
    ["Boots/Knee High/W.A.G./9.3.jpg", "Boots/Knee High/W.A.G%2E/9.3.jpg", "Boots/Knee High/W.A.G/9.3.jpg"],
)
def test_lists_of_names_find_an_item_in_any_spelling(spelling: str) -> None:
    assert item_key(spelling) == "Boots/Knee High/W.A.G/9.3.jpg"


def test_cells_hold_several_values_or_none(tmp_path: Path) -> None:
    rows, _ = read("zappos", write(tmp_path, files()))
    assert rows[1].labels == {
        "Category": "Shoes",
        "SubCategory": "Oxfords",
        "Closure": "Lace up",
        "Gender": "Men",
        "Brand": "Bostwick",
    }
    assert rows[1].texts == {"Material (several)": "Leather;Suede"}
    assert rows[2].labels["Closure"] == "Zipper", "the same twice is one"
    assert aspects("zappos", tmp_path) == {
        "Category": "category",
        **dict.fromkeys(["SubCategory", "HeelHeight", "Insole", "Closure", "Gender"], "label"),
        "Gender (several)": "text",
        "Material": "label",
        "Material (several)": "text",
        "ToeStyle": "label",
        "Brand": "label",
    }


def test_colours_of_one_shoe_are_a_group(tmp_path: Path) -> None:
    rows, _ = read("zappos", write(tmp_path, files()))
    assert [row.group for row in rows] == ["900001", "900001", "900002", "900003", "900004"]


def test_what_is_missing_or_wrong_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    table = HEADER + LINES[0] + "900009-9,Shoes,Oxfords,,,,,,\n" + "900002-3,Boots\n" + LINES[3] + LINES[0]
    given = files(table=table)
    given["ut-zap50k-images/Sandals/Other/900003.4.jpg"] = picture(9)
    rows, rejected = read("zappos", write(tmp_path, given))
    assert [row.key for row in rows] == KEYS[:1]
    assert [(one.number, one.key, one.code) for one in rejected] == [
        (0, "", "coverage"),
        (3, "900009-9", "unknown-image"),
        (4, "900002-3", "ragged"),
        (5, KEYS[3], "ambiguous-image"),
        (6, KEYS[0], "duplicate-key"),
        (0, KEYS[4], "unlisted"),
        (0, KEYS[1], "unlisted"),
    ]


def test_a_table_with_other_columns(tmp_path: Path) -> None:
    write(tmp_path, files(table="CID,Category\n900001-72,Shoes\n"))
    rows, rejected = read("zappos", tmp_path)
    assert rows[0].labels == {"Category": "Shoes", "Brand": "Bostwick"}
    assert "no column SubCategory, HeelHeight" in next(
        one.message for one in rejected if one.code == "missing-column"
    )
    write(tmp_path, {"ut-zap50k-data/meta-data.csv": "id,kind\n1,2\n"})
    with pytest.raises(CatalogueUnreadable, match="no column CID"):
        read("zappos", tmp_path)
