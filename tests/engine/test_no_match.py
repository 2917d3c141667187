"""When to say "no good match": limits at exact ranks, what they promise, and what they do to answers."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.no_match import (
    LEAST_SURE,
    LEAST_TOLD,
    SCORES,
    Asked,
    calibrate,
    choose_score,
    highest_limit,
    judge,
    lowest_limit,
    score_of,
)
from tests.engine.asked import ask, pairs

Draw = Callable[[np.random.Generator, int], np.ndarray]

LAWS: dict[str, Draw] = {
    "even": lambda chance, count: chance.random(count),
    "heavy tails": lambda chance, count: np.abs(chance.standard_cauchy(count)),
    "two heaps": lambda chance, count: chance.normal(np.where(chance.random(count) < 0.1, 5, 50)),
    "few values, many ties": lambda chance, count: chance.integers(0, 4, count).astype(float),
}


@pytest.mark.parametrize(("count", "rank"), [(18, 0), (19, 1), (38, 1), (39, 2), (99, 5), (199, 10)])
def test_the_limit_is_the_rank_that_the_promise_allows_exactly(count: int, rank: int) -> None:
    scores = np.random.default_rng(0).permutation(np.arange(1.0, count + 1))
    assert lowest_limit(scores, 0.05) == (rank or None)
    assert highest_limit(scores, 0.05) == (count + 1 - rank if rank else None)


@pytest.mark.parametrize("alpha", [0.07, 0.29, 0.57])
def test_a_share_that_is_no_binary_number_loses_no_rank(alpha: float) -> None:
    assert lowest_limit(np.arange(1.0, 100), alpha) == round(100 * alpha)


@pytest.mark.parametrize("law", LAWS)
@settings(deadline=None, max_examples=15)
@given(count=st.integers(1, 300), alpha=st.sampled_from([0.01, 0.05, 0.2]), seed=st.integers(0, 2**32))
def test_a_further_score_is_beyond_a_limit_no_oftener_than_promised(
    law: str, count: int, alpha: float, seed: int
) -> None:
    """Whatever the distribution: counted over every score's turn to be the further one, which is exact."""
    scores = LAWS[law](np.random.default_rng(seed), count + 1)
    below, above = 0, 0
    for turn in range(count + 1):
        others = np.delete(scores, turn)
        low, high = lowest_limit(others, alpha), highest_limit(others, alpha)
        below += low is not None and bool(scores[turn] < low)
        above += high is not None and bool(scores[turn] > high)
    assert below <= alpha * (count + 1)
    assert above <= alpha * (count + 1)
    if law == "even" and math.floor(alpha * (count + 1)):
        assert below == math.floor(alpha * (count + 1) + 1e-9), "no less is accepted than may be"


@pytest.mark.parametrize("score", SCORES)
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32), share_right=st.floats(0.1, 1))
def test_all_three_promises_hold_over_every_querys_turn(score: str, seed: int, share_right: float) -> None:
    count, alpha = 60, 0.1
    chance = np.random.default_rng(seed)

    def draw() -> np.ndarray:
        first = chance.gamma(2, size=count)
        return np.stack([first, first + chance.gamma(1, size=count)], axis=1)

    present, absent = draw(), draw() * 1.2
    right = chance.random(count) < share_right
    accepted_absent = accepted_wrong = refused = 0
    for turn in range(count):
        rest = np.arange(count) != turn
        made = calibrate(ask(present[rest], right=right[rest]), ask(absent[rest], right=False), alpha=alpha)
        accepted_absent += judge(made, tuple(absent[turn]), "", score=score) == "match"
        answer = judge(made, tuple(present[turn]), "", score=score)
        accepted_wrong += answer == "match" and not right[turn]
        refused += answer == "nothing"
    assert max(accepted_absent, accepted_wrong, refused) <= alpha * count


def test_the_simulation_of_the_projects_note() -> None:
    """2,000 things in 64 dimensions, absent ones among things of their cluster, 1,000 queries to calibrate:
    by distance .875 of those that are there are accepted, by ratio .987, and of those that are not .05."""
    found = np.mean([_simulate(np.random.default_rng(seed)) for seed in range(4)], axis=0)
    false_by_distance, by_distance, false_by_ratio, by_ratio = found
    assert by_distance == pytest.approx(0.875, abs=0.03)
    assert by_ratio == pytest.approx(0.987, abs=0.015)
    spread = 2 * math.sqrt(2 * 0.05 * 0.95 / 4000)  # of the queries asked, and of the limit
    assert max(false_by_distance, false_by_ratio) <= 0.05 + spread


def _simulate(chance: np.random.Generator) -> list[float]:
    things, width, asked = 2000, 64, 1000

    def near(places: np.ndarray, spread: object) -> np.ndarray:
        moved = places + spread * chance.normal(size=places.shape) / math.sqrt(width)
        return moved / np.linalg.norm(moved, axis=1, keepdims=True)

    clusters = near(np.zeros((200, width)), 1)
    catalogue = near(clusters[np.arange(things) % 200], 0.5)

    def query() -> tuple[Asked, Asked]:
        shown = chance.integers(0, things, asked)
        photos = near(catalogue[shown], 0.47 * np.exp(0.27 * chance.normal(size=(asked, 1))))
        apart = np.sqrt(np.maximum(0, 2 - 2 * photos @ catalogue.T))
        right = apart.argmin(axis=1) == shown
        present = np.partition(apart, 1, axis=1)[:, :2].copy()
        apart[np.arange(asked), shown] = np.inf
        return ask(present, right=right), ask(np.partition(apart, 1, axis=1)[:, :2], right=False)

    made, (present, absent) = calibrate(*query()), query()
    return [
        np.mean([judge(made, tuple(line), "", score=score) == "match" for line in asked.distances])
        for score in SCORES
        for asked in (absent, present)
    ]


def test_a_category_has_its_own_limits_from_a_hundred_queries_on() -> None:
    chance = np.random.default_rng(1)
    names = np.repeat(["bag", "shoe", "hat"], [100, 400, 99])
    scale = np.repeat([1.0, 10.0, 100.0], [100, 400, 99])
    first = scale * (1 + chance.random(len(names)))
    made = calibrate(
        ask(pairs(first / 2, 1e4), names), ask(pairs(first, 1e4), names, False), chosen="distance"
    )
    assert made.find("bag")[0] == "bag"
    assert made.find("hat")[0] == "" == made.find("never heard of")[0]
    assert made.find("hat")[1].absent == 99, "those that have limits of their own are not counted again"
    assert made.queries == 599
    assert judge(made, (0.6, 1e4), "bag") == "match"
    assert judge(made, (2.0, 1e4), "bag") == "nothing"
    assert judge(made, (2.0, 1e4), "shoe") == "match", "what is far among bags is near among shoes"


@pytest.mark.parametrize("score", SCORES)
@settings(deadline=None, max_examples=5)
@given(seed=st.integers(0, 2**32))
def test_small_categories_keep_the_promises_beside_a_large_one_that_is_quite_unlike_them(
    score: str, seed: int
) -> None:
    """Counted over every small one's turn to be the further query."""
    chance, alpha, small = np.random.default_rng(seed), 0.1, 60
    names = np.array(["shoe"] * 200 + ["bag", "hat", ""] * (small // 3))
    is_small = names != "shoe"

    def draw(scale: float) -> np.ndarray:
        first = np.where(is_small, 1.0, scale) * (1 + chance.random(len(names)))
        return np.stack([first, first * (1.5 + chance.random(len(names)))], axis=1)

    # Of the large one all are far: whoever mixes them in accepts nearly all of the small ones.
    present, absent = draw(40), draw(50)
    absent[~is_small, 1] *= 20
    right = chance.random(len(names)) < np.where(is_small, 0.9, 1)
    accepted_absent = accepted_wrong = refused = 0
    for turn in np.flatnonzero(is_small):
        rest = np.arange(len(names)) != turn
        made = calibrate(
            ask(present[rest], names[rest], right[rest]), ask(absent[rest], names[rest], False), alpha=alpha
        )
        accepted_absent += judge(made, tuple(absent[turn]), names[turn], score=score) == "match"
        answer = judge(made, tuple(present[turn]), names[turn], score=score)
        accepted_wrong += answer == "match" and not right[turn]
        refused += answer == "nothing"
    assert max(accepted_absent, accepted_wrong, refused) <= alpha * small


def test_where_too_few_are_left_over_nothing_clear_is_said_of_them() -> None:
    names = np.repeat(["bag", "hat"], [100, 18])
    first = 1 + np.random.default_rng(2).random(118)
    made = calibrate(ask(pairs(first / 2), names), ask(pairs(first), names, False), chosen="distance")
    assert judge(made, (0.6, 1.0), "bag") == "match"
    assert [judge(made, (value, 1.0), "hat") for value in (0.6, 9.0)] == ["similar", "similar"]
    assert made.find("bag")[1].present == 100


def test_the_three_answers() -> None:
    present, absent = np.linspace(0.1, 0.5, 199), np.linspace(0.4, 0.9, 199)
    made = calibrate(ask(pairs(present)), ask(pairs(absent), right=False), chosen="distance")
    assert [judge(made, (first, 1.0), "") for first in (0.2, 0.45, 0.7)] == ["match", "similar", "nothing"]
    assert judge(made, (math.inf, math.inf), "") == "nothing"
    limits = made.limits["distance"][""]
    assert limits.shown == pytest.approx(np.mean(present < limits.accept))
    assert limits.kept == pytest.approx(np.mean((present >= limits.accept) & (present <= limits.nothing)))


def test_what_is_farther_than_anything_shown_is_nothing_however_clearly_one_is_the_nearest() -> None:
    first = np.linspace(1, 2, 199)
    made = calibrate(ask(pairs(first, 10.0)), ask(pairs(8 * first, 16.0), right=False), chosen="ratio")
    assert judge(made, (1.99, 10.0), "") == "match", "beyond the limit of nothing, but clear"
    assert judge(made, (2.1, 1000.0), "") == "nothing"


def test_an_index_that_is_hardly_ever_right_does_not_say_this_is_it() -> None:
    chance = np.random.default_rng(5)
    first = chance.random(1000)
    right = chance.random(1000) < 0.05
    made = calibrate(ask(pairs(first), right=right), ask(pairs(first + 0.1), right=False), chosen="distance")
    assert all(judge(made, (value, 1.0), "") != "match" for value in first)


def test_it_is_said_as_far_as_four_of_five_are_right() -> None:
    first = np.linspace(0.001, 1, 1000)
    right = np.arange(1000) < 100  # the nearest hundred
    made = calibrate(ask(pairs(first), right=right), ask(pairs(first + 1), right=False), chosen="distance")
    told = np.array([judge(made, (value, 1.0), "") == "match" for value in first])
    assert told.sum() == 125
    assert made.find("")[1].sure == 0.8


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), stretch=st.integers(1, 60))
def test_who_is_told_this_is_it_is_mostly_right_however_being_right_depends_on_the_score(
    seed: int, stretch: int
) -> None:
    """Right and wrong in stretches, so that what a limit lets through is now surer, now less sure."""
    chance = np.random.default_rng(seed)
    first = np.sort(chance.integers(1, 200, 300) / 200)  # with ties
    right = (np.arange(300) // stretch + seed) % 2 == 0
    absent = pairs(chance.random(300) * 2)
    made = calibrate(ask(pairs(first), right=right), ask(absent, right=False), chosen="distance")
    told = np.array([judge(made, (value, 1.0), "") == "match" for value in first])
    if told.any():
        assert right[told].mean() >= LEAST_SURE
        assert told.sum() >= LEAST_TOLD


def test_a_limit_that_is_lowered_to_keep_a_promise_is_sure_there_too() -> None:
    """The nearest are wrong ones; only with many more is enough right, which is beyond what is promised."""
    first = np.linspace(0.01, 1, 100)
    right = np.arange(100) >= 4
    absent = np.concatenate([np.full(10, 0.035), np.full(90, 2.0)])
    made = calibrate(ask(pairs(first), right=right), ask(pairs(absent), right=False), chosen="distance")
    assert all(judge(made, (value, 1.0), "") != "match" for value in first)
    assert made.find("")[1].accept is None


def test_with_too_few_queries_nothing_clear_is_said() -> None:
    made = calibrate(ask(pairs(np.full(18, 0.1))), ask(pairs(np.full(18, 0.9)), right=False))
    assert judge(made, (0.0, 1.0), "") == "similar"
    assert judge(made, (1e9, 2e9), "") == "similar"


def test_two_that_are_as_near_as_each_other_are_told_apart_by_nothing() -> None:
    scores = score_of(
        np.array([[0.0, 0.0], [0.0, 1.0], [0.5, 1.0], [0.3, np.inf], [np.inf, np.inf]]), "ratio"
    )
    assert scores.tolist() == [1.0, 0.0, 0.5, 1.0, 1.0]


def test_the_better_score_is_chosen() -> None:
    chance = np.random.default_rng(3)
    scale = np.exp(chance.normal(size=(400, 1)))  # some photos are far from everything
    near = scale * np.stack([0.3 + 0.1 * chance.random(400), np.ones(400)], axis=1)
    none = scale * np.stack([0.8 + 0.2 * chance.random(400), np.ones(400)], axis=1)
    assert choose_score(ask(near), ask(none, right=False)) == "ratio"
    near[:, 1], none[:, 1] = near[:, 0] * 1.01, none[:, 0] * 1.01  # now something else is always as near
    near, none = near / scale, none / scale
    assert choose_score(ask(near), ask(none, right=False)) == "distance"
