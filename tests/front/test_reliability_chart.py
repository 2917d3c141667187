"""Reliability diagrams: who is right as often as they say stands on the diagonal."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.calibration import Bin, calibration_error
from search.reliability_chart import draw_reliability
from search.selectors.reliability import Reliability

shares = st.floats(0, 1)
bins = st.lists(st.builds(Bin, st.integers(1, 10**9), shares, shares), max_size=15)


def draw(found: list[Bin], aspect: str = "colour") -> ElementTree.Element:
    total = sum(part.count for part in found)
    part = Reliability(aspect, found, total, calibration_error(found), 1.0)
    return ElementTree.fromstring(draw_reliability(part, width=300, height=280))


def dots(svg: ElementTree.Element) -> list[tuple[float, float, float]]:
    return [
        tuple(float(dot.get(side, "nan")) for side in ("cx", "cy", "r"))  # type: ignore[misc]
        for dot in svg.iter()
        if dot.get("class") == "dot"
    ]


def diagonal(svg: ElementTree.Element) -> tuple[float, float, float, float]:
    (line,) = (found for found in svg.iter() if found.get("class") == "diagonal")
    return tuple(float(line.get(side, "nan")) for side in ("x1", "y1", "x2", "y2"))  # type: ignore[return-value]


def above(svg: ElementTree.Element, x: float, y: float) -> float:
    x1, y1, x2, y2 = diagonal(svg)
    return y1 + (y2 - y1) * (x - x1) / (x2 - x1) - y


@given(bins)
def test_there_is_a_dot_for_each_bin_inside_the_drawing(found: list[Bin]) -> None:
    drawn = dots(draw(found))
    assert len(drawn) == len(found)
    assert all(r <= x <= 300 - r and r <= y <= 280 - r for x, y, r in drawn)


def test_on_the_diagonal_it_is_as_right_as_it_is_sure_and_below_too_sure() -> None:
    svg = draw([Bin(9, 0.3, 0.3), Bin(8, 0.8, 0.6), Bin(7, 0.5, 0.9)])
    heights = [above(svg, x, y) for x, y, _ in dots(svg)]
    assert heights[0] == pytest.approx(0, abs=0.2)
    assert heights[1] < -10 and heights[2] > 10


def test_the_area_of_a_dot_tells_what_it_stands_for_and_small_ones_lie_on_top() -> None:
    (_, _, large), (_, _, small) = dots(draw([Bin(100, 0.5, 0.5), Bin(400, 0.9, 0.9)]))
    assert large == pytest.approx(2 * small)


def test_screen_readers_hear_the_error_and_where_the_figures_are() -> None:
    label = draw([Bin(100, 0.9, 0.8)], aspect="<colour>").get("aria-label") or ""
    assert label.startswith("<colour>: accuracy by confidence, over 100 predictions.")
    assert "Expected calibration error 10.0%" in label and "table below" in label
