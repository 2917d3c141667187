"""Distances of items: in one unit, whatever the space, and right where it matters."""

import numpy as np
import pytest

from search.engine.navigation import reckoning
from search.engine.navigation.terrain import Blend, Space
from tests.engine.navigation.grounds import draw_terrain

TERRAIN = draw_terrain()


def test_the_mean_squared_distance_is_one():
    every = np.arange(len(TERRAIN))
    for space in (TERRAIN.whole, *TERRAIN.masks, Space("large", 1000 * TERRAIN.whole.vectors)):
        assert space.to_all(every).mean() == pytest.approx(1, rel=1e-3)


def test_a_few_and_all_are_as_far_apart():
    ones, others = np.array([3, 8]), np.arange(len(TERRAIN))
    exact = TERRAIN.whole.between(ones, others[:50])
    assert exact == pytest.approx(TERRAIN.whole.to_all(ones)[:, :50], abs=1e-5)
    assert TERRAIN.whole.between(np.arange(100), others) == pytest.approx(
        TERRAIN.whole.to_all(np.arange(100)), abs=1e-6
    )


def test_where_a_space_lies_changes_nothing():
    moved = Space("moved", TERRAIN.whole.vectors + 1000)
    ones = np.array([3, 8])
    assert moved.to_all(ones) == pytest.approx(TERRAIN.whole.to_all(ones), abs=1e-3)
    assert moved.to_all(ones)[[0, 1], ones] == pytest.approx([0, 0], abs=1e-4)


@pytest.mark.parametrize("value", [0, 0.1, 1000])
def test_items_in_one_place_are_at_no_distance(value):
    space = Space("point", np.full((9, 3), value, np.float32))
    assert space.to_all(np.array([2])).tolist() == [[0] * 9]
    assert space.between(np.array([2]), np.array([3])) == 0


def test_a_blend_weighs_its_spaces():
    blend = Blend(((TERRAIN.masks[0], 0.25), (TERRAIN.masks[2], 0.75)))
    ones, others = np.array([1, 2]), np.array([5, 6, 7])
    first, third = (TERRAIN.masks[place].between(ones, others) for place in (0, 2))
    assert blend.between(ones, others) == pytest.approx(0.25 * first + 0.75 * third)
    assert blend.to_all(ones)[:, 5:8] == pytest.approx(blend.between(ones, others), abs=1e-5)
    assert blend.name == "mask 0 + mask 2"


def test_a_photo_is_as_far_from_all_items_of_a_large_space_as_of_a_small_one(monkeypatch):
    """Off centre and in another scale, where both must be placed alike."""
    vectors = 7 * TERRAIN.whole.vectors + 3
    photos = vectors[[3, 8]] + np.float32(0.5)
    small = Space("small", vectors)
    placed, apart = small.place(photos), small.from_outside(photos)
    monkeypatch.setattr(reckoning, "LARGE", len(vectors))
    large = Space("large", vectors)
    assert large.is_large
    assert large.place(photos) == pytest.approx(placed, abs=1e-6)
    assert large.from_outside(photos) == pytest.approx(apart, abs=1e-5)
    items = np.array([3, 8])
    # An item's own picture is where the item is, but for how its place is rounded.
    assert large.from_outside(vectors[items]) == pytest.approx(large.to_all(items), abs=1e-5)
