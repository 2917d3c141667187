"""The picture of masks: where cells stand, what is framed, what a screen reader hears."""

import re
from xml.etree import ElementTree

import pytest

from search.mask_chart import draw_masks
from search.selectors.masks import Masks, read_masks

TWO = {"aspects": [{"name": "kind"}, {"name": "<colour>"}], "masks": [[0.9, 0.1, 0.0], [0.0, 0.2, 0.8]]}


def masks(card: dict[str, object] = TWO) -> Masks:
    return read_masks(card)


def elements(svg: str, name: str) -> list[ElementTree.Element]:
    return [found for found in ElementTree.fromstring(svg).iter() if found.get("class") == name]


def cells(svg: str) -> dict[tuple[float, float], float]:
    """How strong the cell is that begins at each place."""
    return {
        (float(x), float(y)): float(path.get("fill-opacity", "nan"))
        for path in elements(svg, "cells")
        for x, y in re.findall(r"M([\d.]+) ([\d.]+)h", path.get("d", ""))
    }


@pytest.mark.parametrize("beside", [True, False])
def test_a_cell_is_as_strong_as_its_weight_and_nothing_leaves_the_drawing(beside: bool) -> None:
    svg = draw_masks(masks(), width=300, labels_beside=beside)
    found = cells(svg)
    rows = sorted({y for _, y in found})
    upper, lower = ([found[place] for place in sorted(found) if place[1] == y] for y in rows)
    assert upper == [1.0, 0.1] and lower == [1.0, 0.2]
    assert [element.text for element in elements(svg, "title")] == ["kind", "<colour>"]
    assert [element.text for element in elements(svg, "note")] == ["half in 1", "half in 1"]
    width, height = map(float, (ElementTree.fromstring(svg).get("viewBox") or "").split()[2:])
    for frame in [*elements(svg, "own"), *elements(svg, "ground")]:
        x, y, w, h = (float(frame.get(side, "nan")) for side in ("x", "y", "width", "height"))
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height


def test_the_frames_stand_around_each_masks_own_dimensions() -> None:
    first, second = elements(draw_masks(masks(), width=300, labels_beside=False), "own")
    assert float(first.get("x", 0)) + float(first.get("width", 0)) == pytest.approx(
        float(second.get("x", 0)), abs=0.2
    )
    assert float(second.get("width", 0)) == pytest.approx(2 * float(first.get("width", 0)), abs=0.2)


def test_a_long_name_is_cut_before_it_reaches_the_cells() -> None:
    card = {"aspects": [{"name": "fastening at the back of it" * 9}], "masks": [[1.0]]}
    (title,) = elements(draw_masks(masks(card), width=960, labels_beside=True), "title")
    assert (title.text or "").endswith("…") and len(title.text or "") < 25


def test_screen_readers_hear_how_narrow_each_mask_is() -> None:
    label = ElementTree.fromstring(draw_masks(masks(), width=300, labels_beside=True)).get("aria-label") or ""
    assert "Masks over 3 dimensions" in label
    assert "kind in 1, <colour> in 1" in label and "table below" in label
