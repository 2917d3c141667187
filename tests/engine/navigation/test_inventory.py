"""The inventory graph: items that share an attribute are linked, as far apart as each mask says."""

import numpy as np
import pytest

from search.engine.navigation.inventory import Inventory, Link, list_shared
from tests.engine.navigation.grounds import draw_terrain

TERRAIN = draw_terrain(40)
KNOWN = {
    0: {"kind": "shoe", "colour": "red"},
    1: {"kind": "shoe", "colour": "blue"},
    2: {"kind": "hat", "colour": "blue", "brim": "wide"},
    3: {"brim": "narrow"},
}
INVENTORY = Inventory(TERRAIN, KNOWN)


def test_items_that_share_an_attribute_are_linked_with_a_weight_by_each_mask():
    link = INVENTORY.link(0, 1)
    assert link is not None and link.aspects == ("kind",)
    for weight, mask in zip(link.weights, TERRAIN.masks, strict=True):
        apart = np.sqrt(mask.between(np.array([0]), np.array([1]))[0, 0])
        assert weight == pytest.approx(apart) and weight > 0


@pytest.mark.parametrize("pair", [(0, 2), (2, 3), (0, 3), (0, 9)])
def test_items_that_share_nothing_are_not(pair):
    assert INVENTORY.link(*pair) is None


def test_a_path_is_followed_from_item_to_item():
    first, second, third = INVENTORY.follow([0, 1, 2, 3])
    assert isinstance(first, Link) and isinstance(second, Link) and third is None
    assert (first.aspects, second.aspects) == (("kind",), ("colour",))
    assert INVENTORY.follow([0]) == []


def test_the_same_value_of_another_aspect_is_not_shared():
    assert list_shared({"sole": "red", "colour": "blue"}, {"colour": "red", "sole": "red"}) == ("sole",)
