"""What is seen of a query, aspect by aspect: the same words for masks and for heads that tell values."""

import numpy as np
import pytest

from tests.engine.aspect_grounds import make_heads, make_masks, make_table, make_vectors, masked

TABLE = make_table()
VECTORS = make_vectors(TABLE)


def layers_of(vector):
    return {"": vector, **{aspect: masked(vector[None], aspect)[0] for aspect in ("colour", "shape")}}


@pytest.fixture(params=[make_masks, make_heads])
def ground(request):
    return request.param(VECTORS)


def test_items_of_the_same_value_are_alike_by_its_aspect_and_others_are_not(ground):
    view = ground.look_at(0)
    for column in (0, 1):
        same = TABLE[:, column] == TABLE[0, column]
        alike = view.similarities[:, 1 + column]
        assert alike[same].min() > alike[~same].max()
        assert (alike >= 0).all() and (alike <= 1).all()


def test_a_photo_of_an_item_is_seen_as_the_item_is(ground):
    photo, item = ground.look(layers_of(VECTORS[7])), ground.look_at(7)
    for part in ("embedding", "certainty", "spread", "rarity", "similarities"):
        np.testing.assert_allclose(getattr(photo, part), getattr(item, part), atol=1e-5)
    assert photo.aspects == item.aspects == ("colour", "shape") and photo.values == item.values


def test_what_few_items_show_is_rare(ground):
    common, rare = (int(np.flatnonzero(TABLE[:, 0] == value)[0]) for value in (0, 2))
    assert ground.look_at(rare).rarity[0] > ground.look_at(common).rarity[0] + 0.2
    assert all(0 <= part <= 1 for part in ground.look_at(rare).rarity)


def test_heads_tell_the_value_and_how_certain_it_is():
    ground = make_heads(VECTORS)
    row = int(np.flatnonzero(TABLE[:, 0] == 2)[0])
    sure, unsure = ground.look_at(row), ground.look({"": np.zeros(9, np.float32)})
    assert sure.values[0] == "b" and sure.certainty[0] > 0.8 > 0.3 > unsure.certainty[0]
    assert unsure.spread[0] == pytest.approx(1) and sure.spread[0] < 0.5


def test_a_mask_is_uncertain_of_what_nothing_is_near_to():
    ground = make_masks(VECTORS)
    strange = ground.look(layers_of(np.full(9, 4, np.float32)))
    assert (strange.certainty < 0.01).all() and (ground.look_at(0).certainty > 0.5).all()
    assert strange.values == ("", "")


@pytest.mark.parametrize("make", [make_masks, make_heads])
def test_items_that_all_look_the_same_are_nothing_to_fall_over(make):
    view = make(np.ones((3, 9), np.float32)).look_at(0)
    for part in (view.certainty, view.spread, view.rarity, view.similarities):
        assert np.isfinite(part).all()
