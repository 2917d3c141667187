"""DeepFashion, category and attribute prediction: its lists, and what is odd about them."""

from pathlib import Path

import pytest

from search.catalogues.rows import CatalogueUnreadable
from tests.catalogues.sources import aspects, picture, read, write

NAMES = ["img/Red_Linen_Blouse/img_00000001.jpg", "img/Red_Linen_Blouse/img_00000002.jpg"]
NAMES += ["img/Wide_Jeans/img_00000001.jpg"]
CATEGORIES = ["Parka          1", "Culottes       2", "Kaftan         3"]
ATTRIBUTES = ["dotted line print                 1", "linen   2", "a-line   3", "v-neck   4", "wide   3"]


def counted(header: str, lines: list[str]) -> str:
    return "\n".join([str(len(lines)), header, *lines, ""])


def lists(anno: str = "Anno") -> dict[str, bytes | str]:
    values = ["1  1  1 -1  1", "-1  0 -1 -1 -1", "-1 -1  1 -1  1"]
    labels = [f"{name}    {label}" for name, label in zip(NAMES, "311", strict=True)]
    boxes = [
        f"{name}  {box}"
        for name, box in zip(NAMES, ["002 003 020 022", "000 000 024 024", "1 1 9 9"], strict=True)
    ]
    partition = [f"{name}    {side}" for name, side in zip(NAMES, ["train", "val", "test"], strict=True)]
    return {
        f"{anno}/list_category_cloth.txt": counted("category_name  category_type", CATEGORIES),
        f"{anno}/list_category_img.txt": counted("image_name  category_label", labels),
        f"{anno}/list_bbox.txt": counted("image_name  x_1  y_1  x_2  y_2", boxes),
        f"{anno}/list_attr_cloth.txt": counted("attribute_name  attribute_type", ATTRIBUTES),
        f"{anno}/list_attr_img.txt": counted(
            "image_name  attribute_labels",
            [f"{name}   {row}" for name, row in zip(NAMES, values, strict=True)],
        ),
        "Eval/list_eval_partition.txt": counted("image_name  evaluation_status", partition),
    }


def pictures(base: str = "") -> dict[str, bytes | str]:
    return {f"{base}{name}": picture(number) for number, name in enumerate(NAMES)}


def test_every_list_says_its_part(tmp_path: Path) -> None:
    write(tmp_path, {**lists(), **pictures()})
    rows, rejected = read("deepfashion", tmp_path)
    assert rejected == []
    assert [row.key for row in rows] == NAMES and [row.number for row in rows] == [3, 4, 5]
    assert [row.category for row in rows] == ["Kaftan", "Parka", "Parka"]
    assert rows[0].labels == {
        "category": "Kaftan",
        "clothes type": "full-body",
        "texture": "dotted line print",
        "fabric": "linen",
        "published split": "train",
    }
    assert rows[0].box == (2.0, 3.0, 20.0, 22.0)
    assert [row.labels["published split"] for row in rows] == ["train", "val", "test"]
    assert rows[2].image() == picture(2)


def test_several_attributes_of_one_type_are_a_text(tmp_path: Path) -> None:
    write(tmp_path, {**lists(), **pictures()})
    rows, _ = read("deepfashion", tmp_path)
    assert rows[0].texts == {"shape (several)": "a-line;wide"} and "shape" not in rows[0].labels
    assert aspects("deepfashion", tmp_path) == {
        "category": "category",
        "clothes type": "label",
        "texture": "label",
        "fabric": "label",
        "shape (several)": "text",
        "published split": "label",
    }


def test_an_attribute_that_nobody_knows_is_none(tmp_path: Path) -> None:
    write(tmp_path, {**lists(), **pictures()})
    rows, _ = read("deepfashion", tmp_path)
    assert set(rows[1].labels) == {"category", "clothes type", "published split"} and rows[1].texts == {}


@pytest.mark.parametrize("anno", ["Anno", "Anno_coarse", "anno"])
@pytest.mark.parametrize("base", ["", "Img/", "img/"])
def test_folders_as_people_unpack_them(tmp_path: Path, anno: str, base: str) -> None:
    write(tmp_path, {**lists(anno), **pictures(base)})
    rows, rejected = read("deepfashion", tmp_path)
    assert [row.key for row in rows] == NAMES and rejected == []
    assert [row.image() for row in rows] == [picture(number) for number in range(3)]


def test_the_coarse_lists_go_before_the_fine_ones_and_are_not_mixed(tmp_path: Path) -> None:
    fine = {"Anno_fine/list_attr_cloth.txt": counted("attribute_name  attribute_type", ["floral 1"])}
    write(tmp_path, {**lists("Anno_coarse"), **fine, **pictures()})
    assert read("deepfashion", tmp_path)[0][0].labels["texture"] == "dotted line print"


def test_the_category_and_the_group_may_be_another_label(tmp_path: Path) -> None:
    write(tmp_path, {**lists(), **pictures()})
    rows, _ = read("deepfashion", tmp_path, category="clothes type", group="category")
    assert [(row.category, row.group) for row in rows] == [
        ("full-body", "Kaftan"),
        ("upper-body", "Parka"),
        ("upper-body", "Parka"),
    ]
    with pytest.raises(CatalogueUnreadable, match=r"no label 'size'.*category, clothes type, texture"):
        read("deepfashion", tmp_path, category="size")


def test_what_is_missing_or_wrong_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    files = {**lists(), **pictures()}
    del files[NAMES[1]]
    files["Anno/list_category_img.txt"] = counted(
        "image_name  category_label",
        [f"{NAMES[0]}  9", f"{NAMES[1]}  1", "alone", f"{NAMES[2]}  1", f"{NAMES[2]}  1"],
    )
    files["Anno/list_bbox.txt"] = counted("image_name  x_1  y_1  x_2  y_2", [f"{NAMES[0]} 1 1 9 9"])
    files["Eval/list_eval_partition.txt"] = counted("image_name  evaluation_status", [])
    rows, rejected = read("deepfashion", write(tmp_path, files))
    assert [(row.key, row.category) for row in rows] == [(NAMES[0], None), (NAMES[2], "Parka")]
    assert [(one.number, one.key.rpartition("/")[2], one.code) for one in rejected] == [
        (0, "", "coverage"),
        (5, "list_category_img.txt", "malformed"),
        (0, "list_bbox.txt", "incomplete"),
        (0, "list_eval_partition.txt", "incomplete"),
        (3, "img_00000001.jpg", "unknown-label"),
        (4, "img_00000002.jpg", "unknown-image"),
        (7, "img_00000001.jpg", "duplicate-key"),
    ]
    assert "all 3 of 4" in rejected[0].message
    assert all(one.message.endswith(".") for one in rejected)


@pytest.mark.parametrize("box", ["1 1 x 9", "1 1 9.5 9", "1 1 9 " + "9" * 5000])
def test_a_box_that_is_none_costs_its_row(tmp_path: Path, box: str) -> None:
    files = {**lists(), **pictures()}
    files["Anno/list_bbox.txt"] = counted(
        "image_name  x_1  y_1  x_2  y_2", [f"{NAMES[0]} {box}", *(f"{name} 1 1 9 9" for name in NAMES[1:])]
    )
    rows, rejected = read("deepfashion", write(tmp_path, files))
    assert [row.key for row in rows] == NAMES[1:]
    assert [(one.number, one.code) for one in rejected] == [(3, "bad-box")]


def test_attributes_that_cannot_be_read_cost_only_themselves(tmp_path: Path) -> None:
    files = {**lists(), **pictures()}
    files["Anno/list_attr_cloth.txt"] = counted(
        "attribute_name  attribute_type", [*ATTRIBUTES[:-1], "wide  7"]
    )
    rows = [f"{NAMES[0]} 1 1 1 -1 1", f"{NAMES[1]} 1 1 1", f"{NAMES[2]} -1 -1 1 2 1"]
    files["Anno/list_attr_img.txt"] = counted("image_name  attribute_labels", rows)
    given, rejected = read("deepfashion", write(tmp_path, files))
    assert [set(row.labels) & {"texture", "shape"} for row in given] == [{"texture", "shape"}, set(), set()]
    assert [(one.number, one.code) for one in rejected] == [
        (7, "malformed"),
        (4, "malformed"),
        (5, "malformed"),
        (0, "incomplete"),
    ]


@pytest.mark.parametrize("gone", ["list_bbox.txt", "list_attr_cloth.txt", "list_attr_img.txt"])
def test_a_list_that_is_not_there_is_noted(tmp_path: Path, gone: str) -> None:
    files = {**lists(), **pictures()}
    del files[f"Anno/{gone}"]
    rows, rejected = read("deepfashion", write(tmp_path, files))
    assert len(rows) == 3
    assert [(one.key, one.code) for one in rejected] == [(f"Anno/{gone}", "missing-file")]
    assert "Unpack" in rejected[0].message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"Anno/list_category_img.txt": None},
            r"holds no Anno/list_category_img\.txt or Anno_coarse/.*Unpack",
        ),
        ({"Anno/list_category_cloth.txt": None}, r"holds no Anno/list_category_cloth\.txt"),
        ({"Anno/list_category_img.txt": "image_name  category_label\n"}, "does not begin with the number"),
        ({"Anno/list_category_img.txt": "9" * 5000}, "does not begin with the number"),
        (dict.fromkeys(NAMES), r"Not one of the 3 pictures .* is there\. Unpack img\.zip"),
    ],
)
def test_what_nothing_can_be_imported_without(
    tmp_path: Path, change: dict[str, str | None], message: str
) -> None:
    files = {**lists(), **pictures(), **change}
    write(tmp_path, {name: data for name, data in files.items() if data is not None})
    with pytest.raises(CatalogueUnreadable, match=message):
        read("deepfashion", tmp_path)


def test_a_list_that_was_cut_off_is_noted(tmp_path: Path) -> None:
    files = {**lists(), **pictures()}
    files["Anno/list_category_img.txt"] = str(files["Anno/list_category_img.txt"]).replace("3", "289222", 1)
    rows, rejected = read("deepfashion", write(tmp_path, files))
    assert len(rows) == 3 and [one.code for one in rejected] == ["incomplete"]
    assert "289,222 rows and has 3" in rejected[0].message
