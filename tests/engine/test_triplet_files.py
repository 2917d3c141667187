"""Triplet files as Conditional Similarity Networks published them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.engine.errors import EngineError, TripletsRejected
from search.engine.triplet_files import CONDITIONS, SPLITS, read_names, read_triplet_files, read_triplets

NAMES = [f"Shoes/Oxfords/Bostwick/90000{number}.72.jpg" for number in range(5)]


def list_of(folder: Path, text: str | bytes) -> Path:
    path = folder / "class_tripletlist_train.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_every_condition_and_split_with_the_close_one_second(tmp_path: Path) -> None:
    (tmp_path / "filenames.json").write_text("\n".join(NAMES) + "\n")
    for at, condition in enumerate(CONDITIONS):
        for split in SPLITS:
            (tmp_path / f"{condition}_tripletlist_{split}.txt").write_text(f"{at} 4 {3 if at != 3 else 2}\n")
    read = list(read_triplet_files(tmp_path, filenames=tmp_path / "filenames.json"))
    assert [(one.condition, one.split) for one in read] == [(c, s) for c in CONDITIONS for s in SPLITS]
    assert all(one.names == tuple(NAMES) for one in read)
    assert read[0].triplets.tolist() == [[0, 3, 4]], "a line is anchor, far, close"
    assert read[0].triplets.dtype == np.int64 and read[0].triplets.flags.c_contiguous


TRIPLET = st.lists(st.integers(0, 4999), min_size=3, max_size=3, unique=True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    triplets=st.lists(TRIPLET, max_size=30),
    end=st.sampled_from(["\n", "\r\n"]),
    gap=st.sampled_from([" ", "\t", "  "]),
)
def test_what_is_written_is_read_back(tmp_path: Path, triplets: list[list[int]], end: str, gap: str) -> None:
    text = "".join(f"{anchor}{gap}{far}{gap}{close}{end}" for anchor, close, far in triplets)
    read = read_triplets(list_of(tmp_path, text), 5000)
    assert read.shape == (len(triplets), 3) and read.tolist() == triplets


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("0 1", "is not three whole numbers"),
        ("0 1 2 3", "is not three whole numbers"),
        ("", "is not three whole numbers"),
        ("0 1 x", "is not three whole numbers"),
        ("0 1 2.0", "is not three whole numbers"),
        ("0 1 -2", "is not three whole numbers"),
        ("0 1 " + "9" * 18, "means picture 9+, but there are 5"),
        ("0 1 " + "9" * 30, "is not three whole numbers of at most 18 digits"),
        ("0 1 " + "9" * 5000, "is not three whole numbers of at most 18 digits"),
        ("0 1 5", "means picture 5, but there are 5, counted from 0"),
        ("1 1 2", "names a picture twice"),
        ("1 2 1", "names a picture twice"),
        ("1 2 2", "names a picture twice"),
    ],
)
def test_a_bad_line_is_named_with_its_file_and_the_remedy(tmp_path: Path, line: str, fault: str) -> None:
    path = list_of(tmp_path, f"0 1 2\n{line}\n3 4 0\n")
    with pytest.raises(
        TripletsRejected, match=rf"class_tripletlist_train\.txt, line 2 {fault}.*Correct the line"
    ):
        read_triplets(path, 5)
    assert issubclass(TripletsRejected, EngineError)


def test_two_hundred_thousand_lines(tmp_path: Path) -> None:
    numbers = np.arange(600_000).reshape(-1, 3)
    text = "\n".join(" ".join(map(str, row)) for row in numbers.tolist())
    read = read_triplets(list_of(tmp_path, text), 600_000)
    assert np.array_equal(read, numbers[:, [0, 2, 1]])


def test_a_blank_name_would_shift_all_that_follow(tmp_path: Path) -> None:
    path = tmp_path / "filenames.json"
    path.write_text("a.jpg\n\nb.jpg\n")
    with pytest.raises(TripletsRejected, match=r"filenames\.json, line 2 is blank"):
        read_names(path)


@pytest.mark.parametrize(
    ("data", "message"), [(b'["a.jpg", "b.jpg"]', "is JSON"), (b"a.jpg\n\xff\n", "is not UTF-8")]
)
def test_names_in_another_form_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "filenames.json"
    path.write_bytes(data)
    with pytest.raises(TripletsRejected, match=message):
        read_names(path)
