"""The leaderboard's chart: where dots stand, what is escaped, what a screen reader hears."""

from dataclasses import dataclass
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.board_chart import draw_board, draw_interval, family_hues


@dataclass(frozen=True)
class Standing:
    title: str = "Thimble x L2"
    approval: float | None = 0.5
    low: float | None = 0.4
    high: float | None = 0.6
    votes: int = 100
    provisional: bool = False
    family: str = "thimble"
    metric: str = "l2"


texts = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=60)
shares = st.floats(0, 1)
standings = st.builds(
    lambda title, family, metric, three, provisional: Standing(
        title, sorted(three)[1], min(three), max(three), 10, provisional, family, metric
    ),
    texts,
    texts,
    st.sampled_from(["l1", "l2", "hamming", "other"]),
    st.tuples(shares, shares, shares),
    st.booleans(),
)


@given(st.lists(standings, max_size=8), st.booleans())
def test_whatever_the_titles_the_drawing_is_well_formed_and_has_a_row_each(
    rows: list[Standing], labels_beside: bool
) -> None:
    root = ElementTree.fromstring(draw_board(rows, width=700, labels_beside=labels_beside))
    marks = [element for element in root.iter() if element.get("class") == "mark"]
    assert len(marks) == len(rows)


def interval_ends(svg: str) -> tuple[float, float]:
    (line,) = (e for e in ElementTree.fromstring(svg).iter() if e.get("class") == "interval")
    return float(line.get("x1", "nan")), float(line.get("x2", "nan"))


def test_a_wider_interval_is_drawn_wider_and_in_place() -> None:
    narrow = interval_ends(draw_board([Standing(low=0.45, high=0.55)], width=700, labels_beside=True))
    wide = interval_ends(draw_board([Standing(low=0.3, high=0.7)], width=700, labels_beside=True))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert (wide[0] + wide[1]) == pytest.approx(narrow[0] + narrow[1], abs=0.3)


def test_without_votes_there_is_a_row_but_no_dot() -> None:
    svg = draw_board([Standing(approval=None, low=None, high=None)], width=700, labels_beside=True)
    assert "no votes" in svg and 'class="mark"' not in svg


def test_screen_readers_hear_who_leads_and_where_the_figures_are() -> None:
    label = ElementTree.fromstring(
        draw_board([Standing(), Standing(title="B", approval=0.2)], width=700, labels_beside=True)
    ).get("aria-label")
    assert label is not None and "Thimble x L2, 50%" in label and "table below" in label


def test_a_family_keeps_its_colour_when_ranks_change() -> None:
    rows = [Standing(family=name) for name in ("vgg", "classical", "thimble")]
    assert family_hues(rows) == family_hues(rows[::-1])


def test_the_summary_bar_keeps_the_order_of_its_three_figures() -> None:
    root = ElementTree.fromstring(draw_interval(0.5, 0.2, 0.9))
    span = next(e for e in root.iter() if e.get("class") == "span")
    dot = next(e for e in root.iter() if e.get("class") == "dot")
    start = float(span.get("x", "nan"))
    assert start < float(dot.get("x", "nan")) < start + float(span.get("width", "nan"))
