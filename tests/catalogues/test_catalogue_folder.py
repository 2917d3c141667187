"""A folder of pictures: keys, categories, and what is in a folder that should not be."""

import os
from pathlib import Path

import pytest

from search.catalogues.registry import detect_format, open_importer
from search.catalogues.rows import CatalogueUnreadable, ImportOptions
from search.engine.errors import ImageRejected
from tests.catalogues.sources import RED, aspects, picture, read, write


def test_sub_folders_are_the_category_and_paths_the_keys(tmp_path: Path) -> None:
    write(tmp_path, {"shirt/b.png": RED, "shirt/a.JPG": RED, "boot/low/c.webp": RED, "top.png": RED})
    rows, rejected = read("folder", tmp_path)
    assert [(row.key, row.category) for row in rows] == [
        ("boot/low/c.webp", "boot"),
        ("shirt/a.JPG", "shirt"),
        ("shirt/b.png", "shirt"),
        ("top.png", None),
    ]
    assert rejected == []
    assert aspects("folder", tmp_path) == {"category": "category"}
    assert rows[1].image() == RED


def test_pictures_are_known_by_content_where_the_name_says_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"photo": RED, "photo.bak": RED, "notes.txt": "hello", "LICENSE": "MIT", "empty": b""})
    assert [row.key for row in read("folder", tmp_path)[0]] == ["photo", "photo.bak"]


def test_hidden_files_and_folders_are_skipped(tmp_path: Path) -> None:
    write(tmp_path, {"a.png": RED, ".b.png": RED, ".thumbs/c.png": RED, "x/._d.png": RED})
    assert [row.key for row in read("folder", tmp_path)[0]] == ["a.png"]


def test_27_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    secret = write(tmp_path / "elsewhere", {"secret.png": RED}) / "secret.png"
    base = write(tmp_path / "base", {"a.png": RED, "real/b.png": RED})
    (base / "out.png").symlink_to(secret)
    (base / "outside").symlink_to(secret.parent)
    (base / "inside.png").symlink_to(base / "a.png")
    (base / "again").symlink_to(base / "real")
    (base / "dangling.png").symlink_to(base / "nothing")
    rows, rejected = read("folder", base)
    assert [row.key for row in rows] == ["a.png", "inside.png", "real/b.png"]
    assert {one.key: one.code for one in rejected} == {
        "out.png": "outside-folder",
        "outside": "outside-folder",
        "again": "linked-folder",
        "dangling.png": "unreadable",
    }
    assert all("." in one.message for one in rejected)


def test_27_a_file_that_becomes_a_link_after_the_listing_is_refused(tmp_path: Path) -> None:
    secret = write(tmp_path / "elsewhere", {"secret.png": RED}) / "secret.png"
    base = write(tmp_path / "base", {"a.png": RED})
    (row,) = read("folder", base)[0]
    (base / "a.png").unlink()
    (base / "a.png").symlink_to(secret)
    with pytest.raises(ImageRejected) as caught:
        row.image()
    assert caught.value.code == "outside-folder"


@pytest.mark.parametrize("swap", ["longer", "same length", "pipe"])
def test_27_a_file_that_changes_after_the_listing_is_refused(tmp_path: Path, swap: str) -> None:
    write(tmp_path, {"a.png": RED})
    (row,) = read("folder", tmp_path)[0]
    before = (tmp_path / "a.png").stat()
    if swap == "pipe":
        (tmp_path / "a.png").unlink()
        os.mkfifo(tmp_path / "a.png")  # reading it would wait for ever
    else:
        (tmp_path / "a.png").write_bytes(RED + b"x" if swap == "longer" else bytes(len(RED)))
        os.utime(tmp_path / "a.png", ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    with pytest.raises(ImageRejected) as caught:
        row.image()
    assert caught.value.code == "changed"
    assert "Import again" in caught.value.message


def test_pipes_and_names_that_are_not_text_are_reported(tmp_path: Path) -> None:
    write(tmp_path, {"a.png": RED})
    os.mkfifo(tmp_path / "pipe.png")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.png")).write_bytes(RED)
    (tmp_path / "new\nline.png").write_bytes(RED)
    rows, rejected = read("folder", tmp_path)
    assert [row.key for row in rows] == ["a.png"]
    assert sorted(one.code for one in rejected) == ["bad-name", "bad-name", "not-a-file"]
    assert all(one.key.isprintable() for one in rejected)


def test_an_svg_is_tried_so_that_the_report_names_it(tmp_path: Path) -> None:
    write(tmp_path, {"a.png": RED, "b.svg": "<svg/>"})
    assert [row.key for row in read("folder", tmp_path)[0]] == ["a.png", "b.svg"]


def test_a_folder_without_pictures_says_what_to_give(tmp_path: Path) -> None:
    write(tmp_path, {"notes.txt": "hello"})
    with pytest.raises(CatalogueUnreadable, match="holds no picture"):
        read("folder", tmp_path)
    with pytest.raises(CatalogueUnreadable, match="not found"):
        read("folder", tmp_path / "nowhere")
    with pytest.raises(CatalogueUnreadable, match="no column 'kind'"):
        read("folder", write(tmp_path, {"a.png": RED}), category="kind")


def test_a_folder_may_be_grouped_by_its_category(tmp_path: Path) -> None:
    write(tmp_path, {"ann/1.png": RED, "bob/2.png": RED})
    assert [row.group for row in read("folder", tmp_path, group="category")[0]] == ["ann", "bob"]


def test_the_fingerprint_changes_with_the_files_and_only_then(tmp_path: Path) -> None:
    def fingerprint() -> str:
        return open_importer("folder", tmp_path, ImportOptions()).fingerprint()

    write(tmp_path, {"a.png": RED})
    first = fingerprint()
    assert fingerprint() == first
    write(tmp_path, {"b.png": RED})
    assert fingerprint() != first


def test_a_sample_is_spread_over_the_folder_and_grows(tmp_path: Path) -> None:
    write(tmp_path, {f"{kind}/{n}.png": picture(n) for kind in "abcd" for n in range(20)})
    ten = [row.key for row in read("folder", tmp_path, items=10)[0]]
    twenty = [row.key for row in read("folder", tmp_path, items=20)[0]]
    other = [row.key for row in read("folder", tmp_path, items=10, seed=1)[0]]
    assert len(ten) == 10 and set(ten) < set(twenty) and set(other) != set(ten)
    assert ten == sorted(ten) and len({key[0] for key in twenty}) == 4


def test_what_lies_at_a_path_is_found_out(tmp_path: Path) -> None:
    write(tmp_path / "photos", {"a.png": RED})
    write(tmp_path / "shop", {"items.csv": "image\na", "images/a.png": RED})
    assert detect_format(tmp_path / "photos") == "folder"
    assert detect_format(tmp_path / "shop") == "table"
    assert detect_format(tmp_path / "shop" / "items.csv") == "table"
    with pytest.raises(CatalogueUnreadable, match="as CSV"):
        detect_format(write(tmp_path, {"sheet.xlsx": b"PK\3\4"}) / "sheet.xlsx")
    with pytest.raises(CatalogueUnreadable, match="not found"):
        detect_format(tmp_path / "nowhere")
    with pytest.raises(CatalogueUnreadable, match=r"folder .*table .*zip .*wardrobe"):
        read("tarball", tmp_path)
