"""Whether a picture shows an item alone or in a scene, told by its border."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from search.catalogues.wardrobe import draw_item
from search.engine.lifestyle import judge_score, tell_view


def paint(ground, *, side=90):
    """A dark item in the middle of an even ground."""
    picture = np.empty((side, side, 3), np.uint8)
    picture[:] = ground
    picture[20:-20, 25:-25] = 30
    return picture


@pytest.mark.parametrize("ground", [(255, 255, 255), (248, 244, 242), (200, 60, 60), (17, 17, 17)])
def test_an_item_alone_on_even_ground_is_a_catalogue_picture(ground):
    view = tell_view(paint(ground))
    assert view.verdict == "catalogue" and view.score > 0.95


def test_a_scene_is_a_lifestyle_photo():
    scene = default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    view = tell_view(scene)
    assert view.verdict == "lifestyle" and view.score < 0.1


def test_half_a_scene_is_uncertain():
    picture = paint((255, 255, 255))
    picture[:35] = default_rng(0).integers(0, 200, (35, 90, 3))
    assert tell_view(picture).verdict == "uncertain"


def test_the_wardrobes_views_are_told_apart():
    """Most lifestyle drawings are told, and none of the catalogue's is taken for one."""
    drawn = [draw_item(7, number) for number in range(40)]
    catalogue, lifestyle = (
        [tell_view(np.asarray(view.convert("RGB"))).verdict for view in views]
        for views in ([item.catalogue_view() for item in drawn], [item.lifestyle_view() for item in drawn])
    )
    assert set(catalogue) == {"catalogue"}
    assert lifestyle.count("lifestyle") >= 32 and lifestyle.count("catalogue") <= 2


@given(st.integers(1, 40), st.integers(1, 40))
def test_pictures_of_any_size_are_judged(height, width):
    view = tell_view(np.full((height, width, 3), 255, np.uint8))
    assert (view.verdict, view.score) == ("catalogue", 1.0)


def test_scores_between_the_two_mean_nothing():
    assert [judge_score(score) for score in (0.0, 0.55, 0.6, 0.74, 0.75, 1.0)] == [
        "lifestyle", "lifestyle", "uncertain", "uncertain", "catalogue", "catalogue",
    ]  # fmt: skip
