"""Fashion200K: captions letter by letter, products as groups, boxes that are not applied again."""

from pathlib import Path

from tests.catalogues.sources import aspects, picture, read, write

DRESS = "women/dresses/casual_and_day_dresses/90037632"
TOP = "women/tops/red_blouses/90040000"
TRAIN = f"{DRESS}/90037632_0.jpeg\t-1.78\tred wrap dress\n{DRESS}/90037632_1.jpeg\t0.5\tred wrap dress\n"
TEST = f"{TOP}/90040000_0.jpeg\t1.25\tblouse no. 5 & bow?* in 100% silk \n"
ALL = [
    f"labels/{kind}_{side}_detect_all.txt"
    for kind in ("dress", "jacket", "pants", "skirt", "top")
    for side in ("train", "test")
]


def files() -> dict[str, bytes | str]:
    labels = {
        **dict.fromkeys(ALL, ""),
        "labels/dress_train_detect_all.txt": TRAIN,
        "labels/top_test_detect_all.txt": TEST,
    }
    names = [f"{DRESS}/90037632_0.jpeg", f"{DRESS}/90037632_1.jpeg", f"{TOP}/90040000_0.jpeg"]
    return {**labels, **{name: picture(number) for number, name in enumerate(names)}}


def test_captions_categories_and_products(tmp_path: Path) -> None:
    rows, rejected = read("fashion200k", write(tmp_path, files()))
    assert rejected == []
    assert [row.key.rpartition("/")[2] for row in rows] == [
        "90037632_0.jpeg",
        "90037632_1.jpeg",
        "90040000_0.jpeg",
    ]
    assert [(row.category, row.group) for row in rows] == [
        ("dress", "90037632"),
        ("dress", "90037632"),
        ("top", "90040000"),
    ]
    assert rows[0].labels == {
        "category": "dress",
        "subcategory": "casual_and_day_dresses",
        "published split": "train",
    }
    assert rows[0].texts == {"caption": "red wrap dress", "detection score": "-1.78"}
    assert rows[2].labels["published split"] == "test"
    assert aspects("fashion200k", tmp_path)["caption"] == "text"


def test_marks_in_captions_stay_what_they_are(tmp_path: Path) -> None:
    """A later feature may write dotmark for a full stop; the catalogue keeps what was published."""
    rows, _ = read("fashion200k", write(tmp_path, files()))
    assert rows[2].texts["caption"] == "blouse no. 5 & bow?* in 100% silk "


def test_boxes_of_the_detector_are_not_applied_a_second_time(tmp_path: Path) -> None:
    detection = f"{DRESS}/90037632_0.jpeg\tdress_-1.78_0.23_0.74_0.20_0.86\n"
    write(tmp_path, {**files(), "detection/dress_train_detect_all.txt": detection})
    assert [row.box for row in read("fashion200k", tmp_path)[0]] == [None, None, None]


def test_what_is_missing_or_wrong_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    given = files()
    del given["labels/skirt_test_detect_all.txt"], given[f"{DRESS}/90037632_1.jpeg"]
    given["labels/top_train_detect_all.txt"] = (
        f"no tabs here\nwomen/short.jpeg\t1\tx\n{DRESS}/90037632_0.jpeg\t1\tagain\n"
    )
    rows, rejected = read("fashion200k", write(tmp_path, given))
    assert len(rows) == 2
    assert [(one.number, one.key.rpartition("/")[2], one.code) for one in rejected] == [
        (0, "", "coverage"),
        (0, "skirt_test_detect_all.txt", "missing-file"),
        (1, "top_train_detect_all.txt", "malformed"),
        (2, "90037632_1.jpeg", "unknown-image"),
        (2, "short.jpeg", "malformed"),
        (3, "90037632_0.jpeg", "duplicate-key"),
    ]
    assert "train 2 of 3, test 1 of 1" in rejected[0].message
