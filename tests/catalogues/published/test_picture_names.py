"""Names in published lists mean items, however lists and catalogues spell them."""

import pytest

from search.catalogues.published.picture_names import match_names

KEYS = ["Boots/Knee High/W.A.G/900002.3.jpg", "Sandals/Flat/Levi's Kids/900003.4.jpg", "a/1.jpg", "b/1.jpg"]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Boots/Knee High/W.A.G/900002.3.jpg", KEYS[0]),
        ("Boots/Knee High/W.A.G%2E/900002.3.jpg", KEYS[0]),
        ("Boots/Knee High/W.A.G./900002.3.jpg", KEYS[0]),
        ("Sandals/Flat/Levi's&#174; Kids/900003.4.jpg", KEYS[1]),
        ("ut-zap50k-images/Boots/Knee High/W.A.G%2E/900002.3.jpg", KEYS[0]),
        ("./Boots/Knee High/W.A.G/900002.3.jpg", KEYS[0]),
        ("W.A.G%2E/900002.3.jpg", KEYS[0]),
        ("900002.3.jpg", KEYS[0]),
        ("b/1.jpg", KEYS[3]),
        ("c/b/1.jpg", KEYS[3]),
        ("1.jpg", None),  # of several
        ("2.3.jpg", None),  # the end of a key, but not from a slash on
        ("c/1.jpg", None),
        ("Boots/900002.3.jpg", None),
        ("", None),
    ],
)
def test_a_name_means_the_item_with_its_end(name: str, key: str | None) -> None:
    assert match_names([name], KEYS) == [None if key is None else KEYS.index(key)]


def test_keys_as_the_disk_spells_them_are_found_too() -> None:
    keys = ["images/W.A.G%2E/1.jpg", "images/Levi's&#174; Kids/2.jpg"]
    assert match_names(["W.A.G/1.jpg", "Levi's Kids/2.jpg"], keys) == [0, 1]


def test_where_two_keys_are_spelt_alike_the_one_that_is_just_so_is_meant() -> None:
    assert match_names(["W.A.G%2E/1.jpg", "W.A.G./1.jpg"], ["W.A.G%2E/1.jpg", "W.A.G/1.jpg"]) == [0, None]


def test_an_item_that_several_names_end_in_is_none_of_them() -> None:
    assert match_names(["a/1.jpg", "b/1.jpg", "b/2.jpg"], ["1.jpg", "2.jpg"]) == [None, None, 1]
    assert match_names(["1.jpg", "b/1.jpg"], ["1.jpg"]) == [0, None], "one name is the key itself"
    assert match_names(["b/1.jpg", "b/1.jpg"], ["1.jpg"]) == [0, 0], "one name twice is one name"
