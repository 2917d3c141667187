"""What no published data set may do: lead out of its folder, or stop an import by one bad text."""

from pathlib import Path

import pytest

from search.catalogues.registry import open_importer
from search.catalogues.rows import CatalogueUnreadable, ImportOptions
from tests.catalogues.sources import RED, read, write

HEADER = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName\n"


def table(*ids: str) -> str:
    return HEADER + "".join(f"{key},Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Shirt\n" for key in ids)


def test_names_that_lead_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"secret.png": RED})
    root = write(tmp_path / "set", {"images/1.png": RED})
    write(
        root, {"styles.csv": table("1", "../secret", str(tmp_path / "secret"), "1\0", "C:/secret", "x" * 600)}
    )
    rows, rejected = read("styles", root)
    assert [row.key for row in rows] == ["1"]
    assert [one.code for one in rejected] == [
        "coverage",
        "malformed",  # the NUL
        "outside-folder",
        "outside-folder",
        "outside-folder",
        "bad-name",
    ]


def test_links_that_lead_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere", {"2.png": RED, "styles.csv": table("1")})
    root = write(tmp_path / "set", {"images/1.png": RED, "styles.csv": table("1", "2")})
    (root / "images" / "2.png").symlink_to(elsewhere / "2.png")
    rows, rejected = read("styles", root)
    assert [row.key for row in rows] == ["1"]
    assert [one.code for one in rejected] == ["coverage", "outside-folder"]
    (root / "styles.csv").unlink()
    (root / "styles.csv").symlink_to(elsewhere / "styles.csv")
    with pytest.raises(CatalogueUnreadable, match=r"styles\.csv: It is a link that leads out of the folder"):
        read("styles", root)


def test_a_file_that_is_damaged_throughout_is_not_reported_line_by_line_for_ever(tmp_path: Path) -> None:
    lines = "".join(f"women/{number}\n" for number in range(3000))
    good = "women/dresses/mini/7/7_0.jpeg\t0.5\tred dress\n"
    write(tmp_path, {"labels/dress_train_detect_all.txt": lines + good, "women/dresses/mini/7/7_0.jpeg": RED})
    rows, rejected = read("fashion200k", tmp_path)
    assert len(rows) == 1 and len(rejected) == 1001
    assert rejected[-1].code == "more" and "more remarks" in rejected[-1].message


def test_the_total_is_what_is_given_and_the_fingerprint_tells_changes(tmp_path: Path) -> None:
    root = write(tmp_path, {"images/1.png": RED, "images/2.png": RED, "styles.csv": table("1", "2", "3", "")})
    importer = open_importer("styles", root, ImportOptions())
    assert importer.total == len(list(importer.rows())) == 5
    before = importer.fingerprint()
    assert open_importer("styles", root, ImportOptions()).fingerprint() == before
    write(root, {"images/3.png": RED})
    assert open_importer("styles", root, ImportOptions()).fingerprint() != before


def test_a_sample_of_a_published_data_set(tmp_path: Path) -> None:
    root = write(tmp_path, {f"images/{number}.png": RED for number in range(20)})
    write(root, {"styles.csv": table(*map(str, range(20)))})
    rows, _ = read("styles", root, items=5)
    assert len(rows) == 5


@pytest.mark.parametrize(
    "format",
    [
        "deepfashion",
        "deepfashion-inshop",
        "zappos",
        "osr",
        "fashion200k",
        "fashioniq",
        "imaterialist",
        "styles",
    ],
)
def test_what_is_no_data_set_says_which_file_is_missing(tmp_path: Path, format: str) -> None:
    with pytest.raises(CatalogueUnreadable, match=r"holds no .*(Unpack|Give)"):
        read(format, write(tmp_path / "empty", {"other.txt": ""}))
    with pytest.raises(CatalogueUnreadable, match="is not a folder"):
        read(format, tmp_path / "empty" / "other.txt")
