"""Outdoor Scene Recognition: a MATLAB file with names, classes and ranks of classes."""

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from search.catalogues.rows import CatalogueUnreadable
from tests.catalogues.sources import aspects, picture, read, write

FOLDER = "spatial_envelope_256x256_static_8outdoorcategories"
NAMES = ["coast_art9001.jpg", "coast_nat9002.jpg", "forest_art9003.jpg", "street_urb9004.jpg"]
CLASSES = [1, 1, 2, 3]
RANKS = np.array(
    [[3, 2, 1], [1, 1, 2], [1, 2, 3], [2, 2, 2], [3, 1, 2], [1, 3, 2]]
)  # six attributes x classes


def mat(packed: bool = True, **change: object) -> bytes:
    names = np.empty((len(NAMES), 1), dtype=object)
    names[:, 0] = NAMES
    arrays = {
        "im_names": names,
        "class_labels": np.array(CLASSES, dtype=float)[:, None],
        "used_for_training": np.array([[1], [0], [1], [0]], dtype=np.uint8),
        "relative_ordering": RANKS.astype(float),
        "feat": np.zeros((4, 8)),
        **change,
    }
    data = io.BytesIO()
    savemat(data, {name: value for name, value in arrays.items() if value is not None}, do_compression=packed)
    return data.getvalue()


def files(data: bytes | None = None) -> dict[str, bytes | str]:
    shown = {f"{FOLDER}/{name}": picture(number) for number, name in enumerate(NAMES)}
    return {"data.mat": mat() if data is None else data, **shown}


@pytest.mark.parametrize("packed", [True, False])
def test_ranks_of_the_class_are_labels(tmp_path: Path, packed: bool) -> None:
    rows, rejected = read("osr", write(tmp_path, files(mat(packed))))
    assert [row.key for row in rows] == NAMES and rejected == []
    assert [row.category for row in rows] == ["coast", "coast", "forest", "street"]
    assert rows[0].labels == {
        "class": "coast",
        "natural": "3",
        "open": "1",
        "perspective": "1",
        "size-large": "2",
        "diagonal-plane": "3",
        "depth-close": "1",
        "published split": "train",
    }
    assert [row.labels["natural"] for row in rows] == ["3", "3", "2", "1"], "classes are counted from 1"
    assert rows[1].labels["published split"] == "test" and rows[1].image() == picture(1)
    assert set(aspects("osr", tmp_path).values()) == {"category", "label"}


def test_a_class_whose_pictures_are_not_called_alike_has_a_number(tmp_path: Path) -> None:
    rows, _ = read("osr", write(tmp_path, files(mat(class_labels=np.array([1.0, 1, 1, 2])[:, None]))))
    assert [row.category for row in rows] == ["class 1", "class 1", "class 1", "street"]


@pytest.mark.parametrize("ranks", [None, np.zeros((2, 3)), np.array([["x"] * 3] * 6)])
def test_without_ranks_and_sides_the_rest_goes_on(tmp_path: Path, ranks: object) -> None:
    rows, rejected = read("osr", write(tmp_path, files(mat(relative_ordering=ranks, used_for_training=None))))
    assert [row.labels for row in rows][2:] == [{"class": "forest"}, {"class": "street"}]
    assert [one.code for one in rejected] == ["incomplete", "incomplete"]


def test_a_missing_picture_is_reported(tmp_path: Path) -> None:
    given = files()
    del given[f"{FOLDER}/{NAMES[1]}"]
    rows, rejected = read("osr", write(tmp_path, given))
    assert [row.number for row in rows] == [1, 3, 4]
    assert [(one.number, one.key, one.code) for one in rejected] == [
        (0, "", "coverage"),
        (2, NAMES[1], "unknown-image"),
    ]
    assert "train 2 of 2, test 1 of 2" in rejected[0].message


def bomb() -> bytes:
    """A file of some KB in which 64 MB are packed."""
    packed = zlib.compress(bytes(64 * 2**20))
    return mat(packed=False)[:128] + np.array([15, len(packed)], "<u4").tobytes() + packed


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a MATLAB file"),
        (b"MATLAB 5.0 MAT-file" + bytes(200), "not a MATLAB file"),
        (mat()[:300], "not a MATLAB file"),
        (mat()[:160] + b"\xff" * 40 + mat()[200:], "not a MATLAB file"),
        (bomb(), "more than 32 MiB are packed in it"),
        (mat(im_names=np.zeros((1100, 1000), np.uint8)), "im_names has more than 1,000,000 values"),
        (mat(im_names=None), "holds no im_names"),
        (mat(class_labels=np.array([[1.0], [np.nan], [2.0], [3.0]])), "names 4 pictures and gives 0 classes"),
        (mat(class_labels=np.array([[1.0, 2.0]])), "names 4 pictures and gives 2 classes"),
    ],
)
def test_a_file_that_is_damaged_or_made_to_harm_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(CatalogueUnreadable, match=message):
        read("osr", write(tmp_path, files(data)))
