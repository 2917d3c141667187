"""Colours are named as people would, whatever the thing stands on."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from search.engine.colours import COLOURS, dominant_colour, to_lab


def thing(colour: str, ground: str = "white", *, size: int = 200) -> Image.Image:
    """A disc a third of the picture wide."""
    picture = Image.new("RGB", (size, size), ground)
    ImageDraw.Draw(picture).ellipse((size / 3, size / 3, 2 * size / 3, 2 * size / 3), colour)
    return picture


NAMED = [
    ("#111111", "black"), ("#f7f7f5", "white"), ("#8c8c8c", "grey"), ("#c1272d", "red"),
    ("#f28c28", "orange"), ("#f7d417", "yellow"), ("#2e8b57", "green"), ("#4b5320", "green"),
    ("#0d7f7a", "teal"), ("#2a52be", "blue"), ("#1b2a49", "blue"), ("#6a3d9a", "purple"),
    ("#f4a6c1", "pink"), ("#6f4e37", "brown"), ("#d8c3a5", "beige"),
]  # fmt: skip


@pytest.mark.parametrize(("colour", "word"), NAMED)
@pytest.mark.parametrize("ground", ["white", "#dcdcdc"])
def test_the_thing_is_named_not_its_ground(colour: str, word: str, ground: str) -> None:
    assert dominant_colour(thing(colour, ground)) == word


def test_there_are_thirteen_words() -> None:
    assert len(COLOURS) == len(set(COLOURS)) == 13
    assert {word for _, word in NAMED} == set(COLOURS)


def test_a_white_thing_on_white_is_white() -> None:
    assert dominant_colour(Image.new("RGB", (50, 80), "white")) == "white"
    assert dominant_colour(thing("#fbfbfb")) == "white"


def test_a_white_hole_in_the_thing_does_not_open_the_ground() -> None:
    """Only what is connected with the border is ground: the white label of a red box is part of the box."""
    picture = Image.new("RGB", (200, 200), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((60, 60, 140, 140), "#c1272d")
    draw.rectangle((75, 75, 125, 125), "white")
    assert dominant_colour(picture) in ("white", "red")
    draw.rectangle((90, 90, 110, 110), "#c1272d")
    assert dominant_colour(picture) == "red"


def test_a_cluttered_ground_counts_less_than_the_centre() -> None:
    clutter = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    picture = Image.fromarray(clutter)
    ImageDraw.Draw(picture).ellipse((50, 50, 150, 150), "#2a52be")
    assert dominant_colour(picture) == "blue"


def test_stripes_are_not_mixed_into_a_colour_that_is_not_there() -> None:
    picture = thing("#f7d417")
    pixels = np.array(picture)
    pixels[::3][(pixels[::3] != 255).any(axis=2)] = (42, 82, 190)
    assert dominant_colour(Image.fromarray(pixels)) == "yellow"


def test_lab_values_are_the_published_ones() -> None:
    # Lindbloom's calculator, sRGB, D65
    found = to_lab(np.array([[255.0, 0, 0], [0, 0, 255], [255, 255, 255], [119, 119, 119]]))
    expected = [[53.24, 80.09, 67.20], [32.30, 79.19, -107.86], [100, 0, 0], [50.03, 0, 0]]
    np.testing.assert_allclose(found, expected, atol=0.02)
