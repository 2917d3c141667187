"""Regions proposed in photos: where a thing is, nothing where there is none, and crops that are refused."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

from search.engine.errors import ImageRejected
from search.engine.regions import OVERLAP, Region, crop_region, overlaps, propose_regions, suppress


def paint_thing(box, size=(400, 300), *, ground=(214, 206, 190), colour=(30, 90, 160)):
    """One thing on a carpet: fractions of a picture in pixels of ``size``."""
    grain = np.random.default_rng(4).normal(0, 6, (size[1], size[0], 3))
    picture = Image.new("RGB", size, ground)
    edges = tuple(part * size[place % 2] for place, part in enumerate(box))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle(edges, 12, colour, (10, 20, 40), 3)
    return Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))


def box_of(region: Region):
    return np.array([region.left, region.top, region.left + region.width, region.top + region.height])


@pytest.mark.parametrize("box", [(0.1, 0.15, 0.45, 0.7), (0.5, 0.35, 0.9, 0.85), (0.3, 0.2, 0.7, 0.9)])
@pytest.mark.parametrize("size", [(400, 300), (200, 1024)])
def test_the_likeliest_region_is_the_thing_wherever_it_lies(box, size):
    first = propose_regions(paint_thing(box, size))[0]
    assert overlaps(box_of(first)[None], np.array(box))[0] > 0.6


def draw_nothing(name, side):
    draws = np.random.default_rng(7)
    if name == "one colour":
        return Image.new("RGB", (side, side), (120, 160, 90))
    if name == "colour noise":
        return Image.fromarray(draws.integers(0, 256, (side, side, 3), dtype=np.uint8))
    if name == "grain":
        return Image.fromarray(draws.normal(128, 4, (side, side, 3)).astype(np.uint8))
    return Image.linear_gradient("L").resize((side, side))


@pytest.mark.parametrize("name", ["one colour", "colour noise", "grain", "falling light"])
@pytest.mark.parametrize("side", [1, 60, 64, 150, 500, 1024])
def test_a_photo_of_nothing_has_no_regions(name, side):
    assert propose_regions(draw_nothing(name, side)) == []


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_pictures_of_any_mode_are_looked_at(mode):
    assert propose_regions(paint_thing((0.2, 0.2, 0.6, 0.7)).convert(mode))


PICTURES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3)))


@settings(max_examples=40, deadline=None)
@given(pixels=PICTURES, limit=st.integers(0, 9))
def test_regions_lie_within_the_picture_are_sorted_and_do_not_repeat_each_other(pixels, limit):
    picture = Image.fromarray(pixels).resize((120, 90), Image.Resampling.BICUBIC)
    regions = propose_regions(picture, limit=limit)
    assert len(regions) <= limit
    assert regions == propose_regions(picture, limit=limit)
    scores = [region.score for region in regions]
    assert scores == sorted(scores, reverse=True) and all(0 <= score <= 1 for score in scores)
    for place, region in enumerate(regions):
        left, top, right, end = box_of(region)
        assert 0 <= left < right <= 1 and 0 <= top < end <= 1
        assert region.width * region.height < 0.95
        others = np.array([box_of(other) for other in regions[:place]]).reshape(-1, 4)
        assert (overlaps(others, box_of(region)) <= OVERLAP + 1e-6).all()


BOXES = st.lists(st.tuples(*[st.floats(0, 1, width=32)] * 5), max_size=30)


@settings(max_examples=60, deadline=None)
@given(drawn=BOXES, overlap=st.floats(0, 1))
def test_what_is_suppressed_overlaps_a_better_box_that_stays(drawn, overlap):
    table = np.array(drawn, np.float32).reshape(-1, 5)
    boxes = np.concatenate(
        [np.minimum(table[:, :2], table[:, 2:4]), np.maximum(table[:, :2], table[:, 2:4])], 1
    )
    scores = table[:, 4]
    kept = suppress(boxes, scores, overlap=overlap, limit=len(boxes))
    assert (np.diff(scores[kept]) <= 0).all()
    for place in range(len(boxes)):
        covering = [one for one in kept if overlaps(boxes[place][None], boxes[one])[0] > overlap]
        if place in kept:
            assert all(scores[one] <= scores[place] for one in covering if one != place)
        else:
            assert any(scores[one] >= scores[place] for one in covering)


def test_a_crop_is_the_marked_part_in_whole_pixels():
    picture = paint_thing((0.25, 0.5, 0.75, 1.0), (400, 200))
    crop = crop_region(picture, left=0.25, top=0.5, width=0.5, height=0.5)
    assert crop.size == (200, 100)
    assert crop.tobytes() == picture.crop((100, 100, 300, 200)).tobytes()


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((0.2, 0.2, 0.0, 0.5), "no size"),
        ((0.2, 0.2, 0.3, -0.1), "no size"),
        ((0.2, float("nan"), 0.3, 0.1), "no size"),
        ((float("inf"), 0.2, 0.3, 0.1), "no size"),
        ((0.8, 0.2, 0.3, 0.4), "beyond the photo"),
        ((-0.1, 0.2, 0.3, 0.4), "beyond the photo"),
        ((1.5, 0.2, 0.3, 0.4), "beyond the photo"),
        ((0.5, 0.5, 0.01, 0.4), "4 x 120 pixels; at least 24 x 24"),
    ],
)
def test_a_crop_of_nothing_says_what_is_wrong_and_what_to_do(box, words):
    left, top, width, height = box
    with pytest.raises(ImageRejected, match=words) as refused:
        crop_region(paint_thing((0.2, 0.2, 0.6, 0.7)), left=left, top=top, width=width, height=height)
    assert refused.value.code == "bad-box"


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 0.7), st.floats(0, 0.7), st.floats(0.1, 1), st.floats(0.1, 1))
def test_a_crop_within_a_large_photo_has_the_size_that_was_marked(left, top, width, height):
    width, height = min(width, 1 - left), min(height, 1 - top)
    crop = crop_region(Image.new("RGB", (800, 600)), left=left, top=top, width=width, height=height)
    assert abs(crop.width - 800 * width) <= 1 and abs(crop.height - 600 * height) <= 1


def test_what_is_proposed_can_be_cropped():
    picture = paint_thing((0.1, 0.15, 0.45, 0.7))
    for region in propose_regions(picture):
        crop_region(picture, left=region.left, top=region.top, width=region.width, height=region.height)


def test_proposing_needs_no_torch():
    code = "import sys; import search.engine.regions; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
