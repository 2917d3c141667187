"""How masks share the dimensions: told in figures, and ordered so that it can be seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.selectors.card_parts import read_part
from search.selectors.masks import MOST_COLUMNS, Masks, read_masks


def read(*masks: list[float]) -> Masks:
    names = "abcdefgh"[: len(masks)]
    return read_masks({"aspects": [{"name": name} for name in names], "masks": list(masks)})


def test_dimensions_stand_by_the_aspect_that_weighs_them_most_the_heaviest_first() -> None:
    first, second = read([0.1, 0.6, 0.0, 0.3], [0.5, 0.0, 0.5, 0.0]).rows
    assert first.cells == pytest.approx([1, 0.5, 1 / 6, 0])
    assert second.cells == pytest.approx([0, 0, 1, 1])
    assert (first.own, second.own) == ((0, 2), (2, 4))
    assert (first.weighs_most, second.weighs_most) == (2, 2)


def test_masks_are_compared_as_shares_whatever_they_sum_to() -> None:
    small, large = read([0.001, 0.003], [5e307, 4e307]).rows
    assert (small.weighs_most, large.weighs_most) == (1, 1)


def test_half_of_a_mask_is_counted_from_its_heaviest_dimension() -> None:
    narrow, level, one = read([0.1, 0.7, 0.1, 0.1], [0.25] * 4, [0, 0, 0, 2]).rows
    assert [mask.holds_half for mask in (narrow, level, one)] == [1, 2, 1]


def test_what_two_masks_have_in_common() -> None:
    first, second, third = read([0.5, 0.5, 0], [0, 0.5, 0.5], [2, 2, 0]).rows
    assert first.overlaps == pytest.approx([None, 0.5, 1])
    assert second.overlaps == pytest.approx([0.5, None, 0.5])
    assert third.overlaps[2] is None


def test_a_mask_that_weighs_nothing_has_nothing_in_common_and_no_dimension() -> None:
    some, none = read([0.2, 0.8, 0], [0, 0, 0]).rows
    assert (none.holds_half, none.weighs_most, list(none.overlaps)) == (0, 0, [None, None])
    assert some.own == (0, 2), "the dimension that no one weighs stands last, and is nobody's"


def test_more_dimensions_than_can_be_told_apart_share_columns() -> None:
    found = read([1.0] * 300 + [0.0] * 300, [0.0] * 300 + [1.0] * 300)
    assert (found.dimensions, found.dimensions_per_column) == (600, 5)
    assert [len(mask.cells) for mask in found.rows] == [120, 120]
    assert found.rows[0].cells == [1.0] * 60 + [0.0] * 60
    assert found.rows[1].own == (60, 120)


weights = st.floats(0, 1e308) | st.just(0.0)


@given(st.integers(1, 5), st.integers(1, 300), st.data())
def test_whatever_the_weights_the_figures_are_shares(aspects: int, width: int, data: st.DataObject) -> None:
    masks = [data.draw(st.lists(weights, min_size=width, max_size=width)) for _ in range(aspects)]
    found = read(*masks)
    assert sum(mask.weighs_most for mask in found.rows) <= width
    for mask in found.rows:
        assert len(mask.cells) <= MOST_COLUMNS
        assert all(0 <= cell <= 1 for cell in mask.cells)
        assert mask.holds_half <= (width + 1) // 2
        assert all(share is None or 0 <= share <= 1 + 1e-9 for share in mask.overlaps)


NAMES = [{"name": "kind"}]


@pytest.mark.parametrize(
    "card",
    [
        {},
        {"masks": [[1.0]]},
        {"aspects": NAMES, "masks": []},
        {"aspects": NAMES, "masks": [[]]},
        {"aspects": NAMES, "masks": [[1.0], [1.0]]},
        {"aspects": [*NAMES, *NAMES], "masks": [[1.0], [1.0, 2.0]]},
        {"aspects": NAMES, "masks": [[1.0, None]]},
        {"aspects": NAMES, "masks": [[1.0, -1.0]]},
        {"aspects": NAMES, "masks": [[10**400]]},
        {"aspects": NAMES, "masks": "masks"},
        {"aspects": "kind", "masks": [[1.0]]},
        {"aspects": [{"name": "\ud800"}], "masks": [[1.0]]},
    ],
)
def test_masks_that_are_none_are_not_read(card: dict[str, object]) -> None:
    assert read_part(read_masks, card) is None
