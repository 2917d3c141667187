"""The fewest slates that any policy can do with."""

import pytest

from search.engine.navigation.bounds import fewest_slates


@pytest.mark.parametrize(
    ("items", "k", "slates"),
    [
        (1000, 2, 8.00), (1000, 4, 4.55), (1000, 8, 3.34), (1000, 9, 3.08),
        (5000, 2, 10.37), (5000, 4, 5.64), (5000, 8, 3.93), (5000, 9, 3.82),
        (50_000, 2, 13.69), (50_000, 4, 7.42), (50_000, 8, 5.14), (50_000, 9, 4.83),
    ],
)  # fmt: skip
def test_the_bound_is_the_known_one(items, k, slates):
    assert fewest_slates(items, k) == pytest.approx(slates, abs=0.006)


@pytest.mark.parametrize(
    ("items", "k", "answers", "slates"),
    [
        (4, 4, 4, 1),  # all on the first slate
        (5, 4, 4, (4 * 1 + 1 * 2) / 5),
        (21, 4, 4, (4 * 1 + 16 * 2 + 1 * 3) / 21),
        (25, 4, 5, (4 * 1 + 20 * 2 + 1 * 3) / 25),  # a fifth answer: the current pick stays
        (6, 1, 1, (1 + 2 + 3 + 4 + 5 + 6) / 6),  # one at a time tells nothing
    ],
)
def test_the_bound_counts_what_can_have_been_shown(items, k, answers, slates):
    assert fewest_slates(items, k, answers=answers) == pytest.approx(slates)


@pytest.mark.parametrize(("items", "k"), [(0, 4), (4, 0)])
def test_nothing_to_show_is_refused(items, k):
    with pytest.raises(ValueError, match="at least one"):
        fewest_slates(items, k)
