"""Folders of triplet files: which conditions are whole, and what is missing."""

from pathlib import Path

import pytest

from search.engine.errors import TripletsRejected
from search.engine.triplet_files import SPLITS, find_triplet_files


def fill(folder: Path, *conditions: str) -> Path:
    folder.mkdir(parents=True)
    for condition in conditions:
        for split in SPLITS:
            (folder / f"{condition}_tripletlist_{split}.txt").write_text("0 1 2\n")
    return folder


def fault(folder: Path, *conditions: str) -> str:
    with pytest.raises(TripletsRejected) as rejected:
        find_triplet_files(folder, conditions)
    return str(rejected.value)


@pytest.mark.parametrize("place", ["data", "data/tripletlists"])
def test_the_list_of_pictures_lies_beside_the_lists_or_above_them(tmp_path: Path, place: str) -> None:
    lists = fill(tmp_path / "data" / "tripletlists", "heel", "class", "sole")
    (lists / "sole_tripletlist_val.txt").unlink()
    (tmp_path / place / "filenames.json").write_text("a.jpg\nb.jpg\nc.jpg\n")

    files = find_triplet_files(lists)

    assert files.filenames == tmp_path / place / "filenames.json"
    assert files.conditions == ("class", "heel"), "those whose three files are there"
    assert [(part.condition, part.split) for part in files.read()] == [
        (condition, split) for condition in ("class", "heel") for split in SPLITS
    ]
    assert find_triplet_files(lists, ["heel", "class", "heel"]).conditions == ("heel", "class")


def test_its_checksum_is_that_of_what_is_used(tmp_path: Path) -> None:
    lists = fill(tmp_path / "lists", "class", "heel")
    (lists / "filenames.json").write_text("a.jpg\nb.jpg\nc.jpg\n")
    before, one = find_triplet_files(lists).sha256(), find_triplet_files(lists, ["class"]).sha256()
    (lists / "heel_tripletlist_test.txt").write_text("0 2 1\n")
    assert find_triplet_files(lists).sha256() != before
    assert find_triplet_files(lists, ["class"]).sha256() == one
    (lists / "filenames.json").write_text("a.jpg\nc.jpg\nb.jpg\n")
    assert find_triplet_files(lists, ["class"]).sha256() != one


def test_what_is_missing_is_named_with_the_remedy(tmp_path: Path) -> None:
    assert f"{tmp_path / 'gone'} is no folder. Name the one with" in fault(tmp_path / "gone")
    lists = fill(tmp_path / "data" / "tripletlists")
    words = fault(lists)
    assert f"No condition has its three files in {lists}" in words and "Unpack the triplets there" in words
    (lists / "class_tripletlist_train.txt").write_text("0 1 2\n")
    assert "No condition has its three files" in fault(lists)
    words = fault(lists, "class")
    assert f"{lists / 'class_tripletlist_val.txt'} is missing" in words and "none is whole" in words
    fill(tmp_path / "more" / "tripletlists", "class", "gender")
    words = fault(tmp_path / "more" / "tripletlists", "heel")
    assert "heel_tripletlist_train.txt is missing" in words and "other conditions: class, gender" in words
    words = fault(tmp_path / "more" / "tripletlists")
    assert "filenames.json is missing" in words and f"into {tmp_path / 'more'}." in words
