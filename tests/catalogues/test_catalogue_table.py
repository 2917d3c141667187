"""Tables as people save them: which column is what, and what happens to rows that cannot be taken."""

import csv
import errno
import io
import json
import os
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from search.catalogues.files import FolderTree
from search.catalogues.rows import CatalogueUnreadable
from tests.catalogues.sources import RED, TWO, aspects, picture, read, shop, write


def test_pictures_are_found_beside_the_table_and_in_images_with_or_without_extension(tmp_path: Path) -> None:
    files = {"a.png": RED, "images/b.jpg": RED, "images/sub/c.webp": RED, "sub/d.png": RED}
    shop(tmp_path, "sku,image\n1,a\n2,b.jpg\n3,sub/c\n4,./sub/d.png\n5,images/b\n", files)
    rows, rejected = read("table", tmp_path)
    assert [row.key for row in rows] == ["a", "b.jpg", "sub/c", "./sub/d.png", "images/b"]
    assert rejected == [] and [row.image() for row in rows] == [RED] * 5
    assert [row.number for row in rows] == [2, 3, 4, 5, 6]


def test_every_other_column_is_an_aspect_or_a_text(tmp_path: Path) -> None:
    files = {f"images/{n}.png": RED for n in range(30)}
    lines = [f"{n},{'shirt' if n % 2 else 'boot'},nice item number {n},NA," for n in range(30)]
    shop(tmp_path, "id,label,title,season,nothing\n" + "\n".join(lines), files)
    assert aspects("table", tmp_path) == {"label": "category", "title": "text", "season": "label"}
    row = read("table", tmp_path)[0][0]
    assert (row.labels, row.texts, row.category) == (
        {"label": "boot", "season": "NA"},
        {"title": "nice item number 0"},
        "boot",
    )


def test_blank_is_no_label_and_na_is_one(tmp_path: Path) -> None:
    shop(tmp_path, "image,kind,heel\na,shirt,NA\nb, ,\n")
    assert [(row.labels, row.category) for row in read("table", tmp_path)[0]] == [
        ({"kind": "shirt", "heel": "NA"}, "shirt"),
        ({}, None),
    ]


def test_the_category_and_the_group_are_columns_of_ones_choice(tmp_path: Path) -> None:
    shop(tmp_path, "image,kind,maker,sender\na,shirt,x,7\nb,boot,y,8\n")
    assert aspects("table", tmp_path, category="Maker")["maker"] == "category"
    rows, _ = read("table", tmp_path, category="maker", group="sender")
    assert [(row.category, row.group) for row in rows] == [("x", "7"), ("y", "8")]
    with pytest.raises(CatalogueUnreadable, match=r"no column 'size'.*image, kind, maker, sender"):
        read("table", tmp_path, category="size")
    with pytest.raises(CatalogueUnreadable, match="take as group"):
        read("table", tmp_path, group="size")


def test_several_values_in_a_cell_stay_one_label(tmp_path: Path) -> None:
    shop(tmp_path, "image,tags\na,red|warm\nb,red|warm\n")
    assert [row.labels for row in read("table", tmp_path)[0]] == [{"tags": "red|warm"}] * 2


@pytest.mark.parametrize(
    "table",
    [
        "image,kind\na,Schürze\nb,boot\n".encode("utf-8-sig"),
        "image,kind\r\na,Schürze\r\nb,boot\r\n".encode("utf-16"),
        "image,kind\na,Schürze\nb,boot\n".encode("utf-16-le"),
        "image,kind\na,Schürze\nb,boot\n".encode("utf-16-be"),
        "image;kind\na;Schürze\nb;boot\n".encode("cp1252"),
        "image\tkind\na\tSchürze\nb\tboot".encode(),
        '\n\n"image","kind",,\n"a","Schürze"\n\nb,boot,,\n'.encode(),
    ],
    ids=["bom", "utf-16", "utf-16-le", "utf-16-be", "windows and semicolons", "tabs", "blank lines"],
)
def test_24_encodings_and_separators(tmp_path: Path, table: bytes) -> None:
    shop(tmp_path, table)
    rows, rejected = read("table", tmp_path)
    assert [(row.key, row.category) for row in rows] == [("a", "Schürze"), ("b", "boot")]
    assert rejected == []


def test_24_rows_that_cannot_be_taken_are_reported_one_by_one(tmp_path: Path) -> None:
    lines = ["image,kind,kind", "a,shirt,x", "b,boot", "c,boot,x,y", "nul\0,boot,x", "gone,boot,x", ",boot,x"]
    lines += ["../a.png,boot,x", "/etc/passwd,boot,x", "a,boot,again", "b,last,x"]
    shop(tmp_path, "\n".join(lines))
    rows, rejected = read("table", tmp_path)
    assert [(row.key, row.labels) for row in rows] == [
        ("a", {"kind": "shirt", "kind 2": "x"}),
        ("b", {"kind": "last", "kind 2": "x"}),
    ]
    assert [(one.number, one.code) for one in rejected] == [
        (1, "duplicate-column"),
        (3, "ragged"),
        (4, "ragged"),
        (5, "nul"),
        (6, "unknown-image"),
        (7, "no-image"),
        (8, "outside-folder"),
        (9, "outside-folder"),
        (10, "duplicate-key"),
    ]
    assert all(one.message.endswith(".") for one in rejected)


@pytest.mark.parametrize("quoted", [True, False])
def test_24_a_cell_of_ten_megabytes_costs_only_its_row(tmp_path: Path, quoted: bool) -> None:
    mark = '"' if quoted else ""
    shop(tmp_path, f"image,kind\na,{mark}{'x' * 10_000_000}{mark}\nb,boot\n")
    rows, rejected = read("table", tmp_path)
    assert [(row.key, row.category) for row in rows] == [("b", "boot")]
    assert [(one.number, one.code) for one in rejected] == [(2, "malformed")]


def test_24_a_quote_that_is_never_closed_swallows_nothing(tmp_path: Path) -> None:
    files = {f"images/{n}.png": RED for n in range(3000)}
    lines = [f"{n},{'boot' if n != 5 else chr(34) + 'boot'},{'x' * 60}" for n in range(3000)]
    shop(tmp_path, "\n".join(["id,kind,more", *lines]), files)
    rows, rejected = read("table", tmp_path)
    assert len(rows) == 2999
    assert [one.number for one in rejected] == [7]
    assert "quote" in rejected[0].message


def test_cells_may_hold_line_breaks_and_quotes(tmp_path: Path) -> None:
    shop(tmp_path, 'image,kind,size\na,"wide\nshirt",5" wide\nb,"a ""boot""",6\n')
    rows, rejected = read("table", tmp_path)
    assert [list(row.labels.values()) for row in rows] == [["wide\nshirt", '5" wide'], ['a "boot"', "6"]]
    assert rejected == []


def test_an_unquoted_separator_in_free_text_at_the_end_is_taken_as_text(tmp_path: Path) -> None:
    files = {f"images/{n}.jpg": RED for n in range(30)}
    lines = [f"{n},Navy Blue,Check shirt {n}" + (", Slim Fit" if n == 3 else "") for n in range(30)]
    shop(tmp_path, "\n".join(["id,colour,name", *lines]), files)
    rows, rejected = read("table", tmp_path)
    assert rejected == [] and rows[3].texts == {"name": "Check shirt 3, Slim Fit"}


def test_25_cells_that_look_like_formulas_are_kept_as_they_are(tmp_path: Path) -> None:
    kinds = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)"]
    files = {f"images/{n}.png": RED for n in range(4)}
    text = io.StringIO()
    csv.writer(text).writerows([["image", "kind"], *([str(n), kind] for n, kind in enumerate(kinds))])
    shop(tmp_path, text.getvalue(), files)
    assert [row.category for row in read("table", tmp_path)[0]] == kinds


def test_a_name_that_could_mean_two_pictures_is_reported(tmp_path: Path) -> None:
    shop(tmp_path, "image,kind\na,x\nc,y\n", {"a.png": RED, "a.jpg": RED, "c.png": RED})
    rows, rejected = read("table", tmp_path)
    assert [row.key for row in rows] == ["c"] and rejected[0].code == "ambiguous-image"
    assert "a.jpg and a.png" in rejected[0].message


def test_a_linked_picture_outside_the_folder_is_reported_with_its_row(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", {"s.png": RED})
    base = shop(tmp_path / "base", "image,kind\na,x\ns,y\n")
    (base / "images" / "s.png").symlink_to(tmp_path / "elsewhere" / "s.png")
    rows, rejected = read("table", base)
    assert [row.key for row in rows] == ["a"] and (rejected[0].number, rejected[0].code) == (
        3,
        "outside-folder",
    )


@pytest.mark.parametrize("table", ["", "\n\n", "kind,size\nshirt,5\n", "image,kind\ngone,shirt\n"])
def test_a_table_that_names_no_picture_says_what_was_looked_for(tmp_path: Path, table: str) -> None:
    shop(tmp_path, table)
    with pytest.raises(CatalogueUnreadable, match=r"empty|names a picture that is there"):
        read("table", tmp_path)


def test_a_folder_must_hold_one_table(tmp_path: Path) -> None:
    shop(tmp_path, "image,kind\na,x\n")
    write(tmp_path, {"other.csv": "image\na\n"})
    with pytest.raises(CatalogueUnreadable, match=r"items\.csv, other\.csv"):
        read("table", tmp_path)
    assert len(read("table", tmp_path / "items.csv")[0]) == 1


def test_jsonl(tmp_path: Path) -> None:
    lines = [json.dumps({"file": "a", "kind": "shirt", "size": 5.0, "sold": True, "tags": ["x", "y"]})]
    lines += [
        "",
        "{broken",
        "[1]",
        json.dumps({"file": "b", "size": None}),
        '{"file": "\\ud800"}',
        "[" * 99_999,
    ]
    write(tmp_path, {"items.jsonl": "\n".join(lines), **TWO})
    rows, rejected = read("table", tmp_path)
    assert [(row.number, row.key, row.labels) for row in rows] == [
        (1, "a", {"kind": "shirt", "size": "5", "sold": "true", "tags": "x|y"}),
        (5, "b", {}),
    ]
    expected = [(3, "malformed"), (4, "malformed"), (6, "unknown-image"), (7, "malformed")]
    assert [(one.number, one.code) for one in rejected] == expected


def test_parquet_that_names_pictures_or_holds_them(tmp_path: Path) -> None:
    named = write(tmp_path / "named", TWO)
    parquet.write_table(pa.table({"image": ["a", "b"], "kind": ["shirt", None]}), named / "t.parquet")
    assert [(row.key, row.category, row.image()) for row in read("table", named)[0]] == [
        ("a", "shirt", RED),
        ("b", None, RED),
    ]
    holding = tmp_path / "holding"
    holding.mkdir()
    cells = [{"bytes": picture(1), "path": "one.png"}, {"bytes": picture(2), "path": None}]
    parquet.write_table(pa.table({"image": cells, "label": ["x", "y"]}), holding / "t.parquet")
    rows, _ = read("table", holding)
    assert [(row.key, row.image()) for row in rows] == [("one.png", picture(1)), ("row-2", picture(2))]


def test_a_damaged_parquet_table_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"t.parquet": b"PAR1 nonsense PAR1", **TWO})
    with pytest.raises(CatalogueUnreadable, match="Parquet"):
        read("table", tmp_path)


CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs", "Cc")), max_size=12).map(
    str.strip
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(CELL, min_size=1, max_size=8), separator=st.sampled_from(",;\t"))
def test_whatever_a_csv_writer_writes_is_read_back(tmp_path: Path, cells: list[str], separator: str) -> None:
    files: dict[str, bytes | str] = {f"images/p{n}.png": RED for n in range(len(cells))}
    text = io.StringIO()
    rows = [["image", "kind", "end"], *([f"p{n}", cell, "."] for n, cell in enumerate(cells))]
    csv.writer(text, delimiter=separator).writerows(rows)
    given_rows, rejected = read("table", shop(tmp_path, text.getvalue(), files))
    assert rejected == []
    assert [row.labels.get("kind", "") for row in given_rows] == cells


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=200))
def test_no_bytes_break_the_reading_of_a_table(tmp_path: Path, noise: bytes) -> None:
    shop(tmp_path, b"image,kind\na,shirt\n" + noise + b"\nb,boot\n")
    try:
        rows, _ = read("table", tmp_path)
    except CatalogueUnreadable:
        return
    assert {row.key for row in rows} <= {"a", "b"}


def test_columns_without_a_name_that_can_be_stored_get_one(tmp_path: Path) -> None:
    line = '{"image": "a", "half \\ud800": "x", "nul \\u0000": "y", "": "z"}\n'
    write(tmp_path, {"items.jsonl": line, **TWO})
    names = list(aspects("table", tmp_path))
    assert names == ["half \\xd800", "nul \\x00", "column 3"]
    assert all(name.isprintable() for name in names)
    assert list(read("table", tmp_path)[0][0].labels.values()) == ["x", "y", "z"]


def test_a_source_that_may_not_be_read_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(tmp_path, "image\na\nb\n")

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(FolderTree, "_opened", refuse)
    with pytest.raises(CatalogueUnreadable, match=r"Permission denied\. Allow it"):
        read("table", tmp_path)
