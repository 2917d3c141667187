"""The curves of trainings: where points stand, how axes are labelled, what a screen reader hears."""

from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from search.curve_chart import Curve, draw_curve, list_log_ticks, list_ticks

figures = st.floats(-1e6, 1e6) | st.floats(1e-9, 1e3)
curves = st.builds(
    lambda title, steps, values, best: Curve(
        title, list(zip(sorted(steps), values, strict=False)), best_step=best
    ),
    st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=40),
    st.sets(st.integers(0, 10_000_000), min_size=1, max_size=30),
    st.lists(figures, min_size=30, max_size=30),
    st.none() | st.integers(0, 10_000_000),
)


def places(svg: str) -> list[tuple[float, float]]:
    (line,) = (e for e in ElementTree.fromstring(svg).iter() if e.get("class") == "curve")
    return [tuple(map(float, pair.split(","))) for pair in line.get("points", "").split()]  # type: ignore[misc]


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter() if element.text]


@given(curves)
@example(Curve("smaller than a power of ten can be", [(0, 5e-324), (1, 1e-310), (2, 1.0)]))
@example(Curve("equal but for the last bit", [(0, 1.0), (1, 1.0000000000000002)]))
@example(Curve("equal but for a subnormal", [(0, 0.0), (1, 5e-324)]))
@example(Curve("vast and alike", [(0, -1e6), (1, -1e6 + 1e-9)]))
def test_whatever_the_figures_every_point_stands_inside_the_drawing(curve: Curve) -> None:
    drawn = places(draw_curve(curve, width=300, height=200))
    assert len(drawn) == len(curve.points)
    assert all(0 <= x <= 300 and 0 <= y <= 200 for x, y in drawn)


def test_later_is_farther_right_and_more_is_higher_up() -> None:
    (x1, y1), (x2, y2) = places(draw_curve(Curve("Loss", [(1, 0.5), (9, 0.7)]), width=300, height=200))
    assert x1 < x2 and y1 > y2


def test_figures_far_apart_have_a_logarithmic_axis_where_equal_factors_are_equal_steps() -> None:
    curve = Curve("Loss", [(1, 100.0), (2, 10.0), (3, 1.0)])
    svg = draw_curve(curve, width=300, height=200)
    heights = [y for _, y in places(svg)]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.2)
    assert {"1", "10", "100"} <= set(texts(svg))
    assert not Curve("Loss", [(1, 2.0), (2, 1.0)]).is_logarithmic
    assert not Curve("Loss", [(1, 2.0), (2, 0.0)]).is_logarithmic, "nought has no place on it"


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.42, 0.78, [0.4, 0.5, 0.6, 0.7, 0.8]),
        (0, 1500, [0, 500, 1000, 1500]),
        (0.5, 0.5, [0.4, 0.6]),
        (0, 0, [0, 0.5]),
    ],
)
def test_axes_are_labelled_with_round_figures(low: float, high: float, ticks: list[float]) -> None:
    found = list_ticks(low, high, 4)
    assert found[0] <= low and found[-1] >= high
    if len(ticks) > 2:
        assert found == pytest.approx(ticks)


@given(st.floats(1e-9, 1e6), st.floats(20.5, 1e9))
def test_logarithmic_labels_stand_around_the_figures(low: float, factor: float) -> None:
    ticks = list_log_ticks(low, low * factor, 4)
    assert ticks == sorted(ticks)
    assert len(ticks) >= 2
    assert ticks[0] <= low * 1.000001 and ticks[-1] * 1.000001 >= low * factor


def test_the_best_step_is_marked_and_named() -> None:
    svg = draw_curve(Curve("Accuracy", [(10, 0.5), (2000, 0.75)], best_step=2000), width=300, height=200)
    assert "best step 2\u202f000: 0.750" in texts(svg)
    ring = next(e for e in ElementTree.fromstring(svg).iter() if e.get("class") == "ring")
    assert (float(ring.get("cx", "nan")), float(ring.get("cy", "nan"))) == places(svg)[1]


def test_screen_readers_hear_how_it_went_and_where_the_figures_are() -> None:
    curve = Curve("Loss", [(10, 4.0), (20, 0.1)], best_step=20)
    label = ElementTree.fromstring(draw_curve(curve, width=300, height=200)).get("aria-label") or ""
    assert "Loss by step on a logarithmic axis: 4 at step 10, 0.1 at step 20." in label
    assert "Best step: 20." in label and "table below" in label
