"""Measures against published and hand-computed numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.measures import match_rate, random_match_rate, rank_views, recall_at, share


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3 (score, no continuity correction)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_are_the_published_ones(count: int, total: int, low: float, high: float) -> None:
    found = share(count, total)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.rate == count / total


@given(total=st.integers(1, 5000), part=st.floats(0, 1))
def test_an_interval_holds_its_rate_and_stays_between_0_and_1(total: int, part: float) -> None:
    found = share(round(part * total), total)
    assert 0 <= found.low <= found.rate <= found.high <= 1
    mirrored = share(total - found.count, total)
    assert mirrored.low == pytest.approx(1 - found.high, abs=1e-12)


def test_no_cases_say_nothing_and_impossible_ones_are_refused() -> None:
    assert (share(0, 0).low, share(0, 0).high) == (0, 1)
    with pytest.raises(ValueError, match="3 of 2"):
        share(3, 2)


def test_match_rate_counts_the_nearest_candidates_of_the_same_category() -> None:
    found = match_rate(["shirt", "shoe", "bag", "hat"], ["shirt", "bag", "bag", None])
    assert (found.count, found.total) == (2, 4)
    assert match_rate([None], [None]).count == 0  # nothing found is no match even where nothing is known
    with pytest.raises(ValueError, match=r"shorter|longer"):
        match_rate(["shirt"], [])


def test_recall_looks_at_the_first_k() -> None:
    positions = np.array([[4, 2, 9], [1, 0, 3], [5, 6, 7]])
    relevant = [{9}, {1, 8}, set()]
    assert [
        (recall_at(k, relevant, positions).count, recall_at(k, relevant, positions).total) for k in (1, 3)
    ] == [
        (1, 2),
        (2, 2),
    ]


def test_chance_is_the_expected_rate_of_a_random_candidate() -> None:
    gallery, names = ["a", "a", "a", "b"], [1, 2, 3, 4]
    # a query from outside: 3/4 for "a", 1/4 for "b"
    assert random_match_rate(["a", "b"], [8, 9], gallery, names) == pytest.approx((3 / 4 + 1 / 4) / 2)
    # the items themselves: 2/3 for each "a", nothing for the only "b"
    assert random_match_rate(gallery, names, gallery, names) == pytest.approx((3 * 2 / 3 + 0) / 4)
    # two identical pictures, one of them filed elsewhere
    assert random_match_rate(["a"], [1], ["a", "b", "a", "b"], [1, 1, 2, 3]) == pytest.approx(1 / 2)
    assert random_match_rate(["a"], [1], ["a"], [1]) == 0
    assert random_match_rate([], [], gallery, names) == 0


@given(st.data())
def test_chance_agrees_with_counting_every_draw(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 12))
    gallery = data.draw(st.lists(st.sampled_from("abc"), min_size=size, max_size=size))
    names = data.draw(st.lists(st.integers(0, 6), min_size=size, max_size=size))
    queries, asked = data.draw(st.sampled_from([(gallery, names), (["a", "d"], [0, 99])]))
    expected = 0.0
    for category, name in zip(queries, asked, strict=True):
        drawn = [gallery[n] == category for n in range(size) if names[n] != name]
        expected += sum(drawn) / len(drawn) if drawn else 0
    assert random_match_rate(queries, asked, gallery, names) == pytest.approx(expected / len(queries))


VIEWS = st.integers(0, 14).flatmap(
    lambda n: st.tuples(
        # Few different whole numbers: many distances are equal, exactly.
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), min_size=n, max_size=n),
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), min_size=n, max_size=n),
        st.lists(st.integers(0, 2), min_size=n, max_size=n),
    )
)


@given(views=VIEWS, most=st.integers(2, 6), least=st.integers(2, 4))
def test_views_are_ranked_as_counted_one_by_one(
    views: tuple[list[tuple[int, int]], list[tuple[int, int]], list[int]], most: int, least: int
) -> None:
    queries, candidates = (np.array(part, np.float32).reshape(-1, 2) for part in views[:2])
    found = rank_views(
        queries,
        candidates,
        np.array(views[2], np.int64),
        copies=np.arange(len(queries)),
        most=most,
        least=least,
    )
    expected = []
    for category in sorted(set(views[2])):
        rows = [row for row, value in enumerate(views[2]) if value == category][:most]
        for row in rows if len(rows) >= least else ():
            apart = {other: float(((queries[row] - candidates[other]) ** 2).sum()) for other in rows}
            own = apart.pop(row)
            expected.append((row, sum(distance <= own for distance in apart.values()), len(apart)))
    assert list(zip(found.asked, found.before, found.others, strict=True)) == expected
    assert found.first.tolist() == [before == 0 for _, before, _ in expected]
    assert found.top_3.tolist() == [before < 3 for _, before, _ in expected]
    assert found.absolute.tolist() == [1 - before / others for _, before, others in expected]


def test_a_tie_counts_against_the_own_picture_in_large_numbers_too() -> None:
    """Equal vectors are equally far to the last bit, whatever their length: nothing is found by rounding."""
    vectors = np.random.default_rng(0).normal(0, 1e3, (1, 300)).astype(np.float32)
    queries = np.random.default_rng(1).normal(0, 1e3, (20, 300)).astype(np.float32)
    found = rank_views(
        queries, np.repeat(vectors, 20, axis=0), np.zeros(20, np.int64), copies=np.arange(20), most=100
    )
    assert not found.first.any() and not found.top_3.any() and (found.absolute == 0).all()


def test_the_first_so_many_of_a_category_take_part() -> None:
    points = np.arange(30, dtype=np.float32)[:, None]
    found = rank_views(
        points, points, np.repeat([0, 1, 2], [20, 9, 1]), copies=np.arange(30), most=10, least=10
    )
    assert found.asked.tolist() == list(range(10)) and (found.others == 9).all()
    assert found.first.all()


def test_two_pictures_of_one_thing_are_not_compared_with_each_other():
    """A product seen twice has one catalogue picture: each of its photos finds it."""
    catalogue = np.array([[0.0], [0.0], [1.0], [2.0]], np.float32)
    queries = np.array([[0.1], [0.2], [1.1], [1.1]], np.float32)
    found = rank_views(queries, catalogue, np.zeros(4, np.int64), copies=np.array([0, 0, 2, 3]), most=100)
    assert found.before.tolist() == [0, 0, 0, 1]
    assert found.others.tolist() == [2, 2, 3, 3]
    alone = rank_views(queries, catalogue, np.zeros(4, np.int64), copies=np.zeros(4, np.int64), most=100)
    assert not len(alone.asked)
