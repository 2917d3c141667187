"""A contender's history as a drawing: where nights stand, what is missing, what a screen reader hears."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from evaluation.history_chart import HistoryPoint, draw_history

NIGHT = datetime(2026, 3, 1, 2, tzinfo=UTC)
shares = st.floats(0, 1)
points = st.builds(
    lambda share, three, told: HistoryPoint(
        NIGHT, share, *(sorted([*three])[n] if told else None for n in (1, 0, 2))
    ),
    st.none() | shares,
    st.tuples(shares, shares, shares),
    st.booleans(),
)


@given(st.lists(points, max_size=5), st.integers(0, 90))
def test_whatever_is_known_every_figure_stands_inside_the_drawing(
    nights: list[HistoryPoint], days: int
) -> None:
    dated = [
        HistoryPoint(NIGHT + timedelta(days=days * n), one.share, one.approval, one.low, one.high)
        for n, one in enumerate(nights)
    ]
    drawn = draw_history(dated, width=320, height=220)
    if not any(one.figures for one in nights):
        assert drawn == ""
        return
    root = ElementTree.fromstring(drawn)
    marks = [element for element in root if element.tag == "circle"]
    assert len(marks) == sum((one.share is not None) + (one.approval is not None) for one in nights)
    for mark in marks:
        assert 0 <= float(mark.get("cx", "nan")) <= 320
        assert 0 <= float(mark.get("cy", "nan")) <= 220


def test_a_later_night_stands_further_right_and_a_better_one_higher() -> None:
    nights = [HistoryPoint(NIGHT + timedelta(days=n), 0.5 + n / 10, None, None, None) for n in range(3)]
    root = ElementTree.fromstring(draw_history(nights, width=960, height=280))
    places = [(float(e.get("cx", "0")), float(e.get("cy", "0"))) for e in root if e.tag == "circle"]
    assert places == sorted(places, key=lambda place: (place[0], -place[1]))
    label = root.get("aria-label", "")
    assert "50\u00a0% on 1 Mar 2026" in label and "70\u00a0% on 3 Mar 2026" in label
