"""The one split, and near duplicates."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from search.catalogues.duplicates import near_duplicates, near_pairs
from search.catalogues.split import EVALUATION_SHARE, cut_share, evaluation_units, unit_of
from search.engine.images import normalise
from tests.engine.pictures import decode, encode

UNITS = st.lists(st.integers(0, 20).map(lambda n: unit_of("", f"g{n}")), min_size=1, max_size=30)


def test_three_in_ten_are_evaluation_only() -> None:
    sides = evaluation_units([unit_of(f"item-{n}", "") for n in range(20_000)], [])
    assert sum(sides) / len(sides) == pytest.approx(EVALUATION_SHARE, abs=0.01)


def test_the_sides_are_these_for_ever() -> None:
    """Changing the salt or the hash would put items that were trained on to the test."""
    sides = evaluation_units([unit_of(f"item-{n}", "") for n in range(12)], [])
    assert "".join("e" if side else "t" for side in sides) == "tttteettetee"


@settings(deadline=None)
@given(units=UNITS, data=st.data())
def test_the_split_follows_groups_and_copies_and_not_the_order(units: list[str], data: st.DataObject) -> None:
    places = st.integers(0, len(units) - 1)
    joined = data.draw(st.lists(st.tuples(places, places), max_size=10))
    sides = evaluation_units(units, joined)
    for one, other in joined:
        assert sides[one] == sides[other]
    by_unit: dict[str, bool] = {}
    for unit, side in zip(units, sides, strict=True):
        assert by_unit.setdefault(unit, side) == side
    order = data.draw(st.permutations(range(len(units))))
    moved = {old: new for new, old in enumerate(order)}
    again = evaluation_units([units[old] for old in order], [(moved[a], moved[b]) for a, b in joined])
    assert [again[moved[place]] for place in range(len(units))] == sides


@settings(deadline=None)
@given(units=UNITS, data=st.data())
def test_a_side_once_given_stays_and_newcomers_follow_it(units: list[str], data: st.DataObject) -> None:
    before = evaluation_units(units, [])
    fixed = dict(enumerate(before))
    twin = data.draw(st.integers(0, len(units) - 1))
    sides = evaluation_units([*units, unit_of("newcomer", "")], [(len(units), twin)], fixed)
    assert sides[:-1] == before and sides[-1] == before[twin]


def sizes_of(units: list[str], joined: list[tuple[int, int]]) -> list[set[int]]:
    """The items that must stand together, worked out by colouring."""
    together = [{place for place, other in enumerate(units) if other == unit} for unit in units]
    is_growing = True
    while is_growing:
        is_growing = False
        for one, other in [*joined, *((a, b) for a in range(len(units)) for b in together[a])]:
            both = together[one] | together[other]
            is_growing |= both != together[one] or both != together[other]
            together[one] = together[other] = both
    return together


SHARES = st.floats(0.01, 0.5)


@settings(deadline=None)
@given(units=UNITS, data=st.data(), share=SHARES, salt=st.text(max_size=5))
def test_a_share_is_cut_off_by_whole_units_and_is_not_exceeded(
    units: list[str], data: st.DataObject, share: float, salt: str
) -> None:
    places = st.integers(0, len(units) - 1)
    joined = data.draw(st.lists(st.tuples(places, places), max_size=10))
    taken = cut_share(units, joined, share=share, salt=salt)
    together = sizes_of(units, joined)
    for item, others in enumerate(together):
        assert {taken[other] for other in others} == {taken[item]}
    smallest = min(map(len, together))
    assert 0 < sum(taken) <= max(share * len(units), smallest)
    # What was left out would have been too much.
    left_out = [len(others) for item, others in enumerate(together) if not taken[item]]
    assert all(sum(taken) + size > share * len(units) for size in left_out)

    order = data.draw(st.permutations(range(len(units))))
    moved = {old: new for new, old in enumerate(order)}
    again = cut_share(
        [units[old] for old in order], [(moved[a], moved[b]) for a, b in joined], share=share, salt=salt
    )
    assert [again[moved[place]] for place in range(len(units))] == taken


def test_a_share_of_many_small_units_is_met_and_depends_on_the_salt() -> None:
    units = [unit_of("", f"g{n // 3}") for n in range(6000)]
    one, other = (cut_share(units, [], share=0.12, salt=salt) for salt in ("a", "b"))
    assert sum(one) / 6000 == sum(other) / 6000 == pytest.approx(0.12, abs=0.001)
    both = sum(a and b for a, b in zip(one, other, strict=True)) / 6000
    assert both == pytest.approx(0.12**2, abs=0.005), "two salts are two independent cuts"


def test_one_large_unit_does_not_take_half_of_the_items_along() -> None:
    units = [unit_of("", "a person with many photos")] * 500 + [unit_of(f"i{n}", "") for n in range(500)]
    taken = cut_share(units, [], share=0.1, salt="")
    assert not any(taken[:500]) and sum(taken) == 100
    assert cut_share([], [], share=0.1, salt="") == []
    assert cut_share(["only"] * 7, [], share=0.1, salt="") == [True] * 7


def test_a_group_and_a_key_of_the_same_name_are_two_units() -> None:
    assert unit_of("a", "") != unit_of("b", "a")


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40), st.integers(0, 64))
def test_near_pairs_are_those_of_the_definition(hashes: list[int], distance: int) -> None:
    expected = [
        (i, j)
        for i in range(len(hashes))
        for j in range(i + 1, len(hashes))
        if ((hashes[i] ^ hashes[j]) & (2**64 - 1)).bit_count() <= distance
    ]
    assert list(near_pairs(hashes, distance)) == expected


def test_blocks_hide_no_pair() -> None:
    rng = random.Random(3)
    hashes = [rng.getrandbits(64) for _ in range(6000)]
    hashes[5400] = hashes[3] ^ 0b101
    hashes[1400] = hashes[1300] ^ 1
    assert list(near_pairs(hashes)) == [(3, 5400), (1300, 1400)]


def test_a_copy_is_found_and_another_colour_is_none() -> None:
    rng = np.random.default_rng(5)
    noise = Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8))
    photo = noise.resize((320, 320), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(4))
    red, _, blue = photo.split()
    swapped = Image.merge("RGB", (red.point(lambda v: min(255, v + 60)), photo.split()[1], blue))
    variants = [
        encode(photo),
        encode(photo.resize((200, 200)), "JPEG", quality=60),
        encode(swapped),
        encode(photo.rotate(90)),
    ]
    stored = [normalise(variant) for variant in variants]
    pixels = [np.asarray(decode(one.data).convert("RGB")) for one in stored]
    assert near_duplicates([one.perceptual_hash for one in stored], lambda at: pixels[at]) == [(0, 1)]
