"""What places are for: the stated shares, what is left for whom, and what a deal's probability is of."""

from collections import Counter

import numpy as np
import pytest

from evaluation.stats import places
from evaluation.stats.allocation import POLICY, Draw, Pool, Shelf
from evaluation.stats.lessons import Ballots, draw_lessons
from evaluation.stats.places import (
    CHECK_SHARE,
    CHECKS,
    IDENTICAL,
    LESSON,
    LESSON_SHARE,
    NO_PAIRS,
    RANDOM,
    REPEAT,
    TASTE,
    TASTE_SHARE,
    Lessons,
    Stock,
    draw_places,
)

NOTHING = np.empty(0, dtype=np.int64)
POOL, LESSONS, SAME, CHANCE, DUELS = 1000, 2000, 3000, 4000, 5000  # where the ids of each begin


def _ids(first: int, count: int) -> np.ndarray:
    return np.arange(first, first + count)


def _stock(*, pool: int = 60, lessons: int = 20, catches: int = 10) -> Stock:
    none = np.zeros(pool, dtype=np.int64)
    return Stock(
        Pool(_ids(POOL, pool), _ids(0, pool), none, none, none, np.ones((pool, 2), dtype=bool)),
        Lessons(_ids(LESSONS, lessons), _ids(500, lessons) // 2, *np.zeros((2, lessons), dtype=np.int64)),
        Shelf(_ids(SAME, catches), _ids(0, catches)),
        Shelf(_ids(CHANCE, catches), _ids(0, catches)),
    )


def _contest(questions: int) -> Shelf:
    """Two pairs of each question, one after the other: the even ones are of the private encoder."""
    return Shelf(_ids(DUELS, 2 * questions), _ids(700, 2 * questions) // 2)


def _draw(
    stock: Stock, count: int, *, seed: int = 0, seen: np.ndarray = NOTHING, contest: Shelf = NO_PAIRS
) -> list[Draw]:
    return draw_places(
        stock,
        seen=seen,
        count=count,
        previous_question=None,
        find_repeats=lambda: Shelf(_ids(POOL, 2), _ids(0, 2)),
        rng=np.random.default_rng(seed),
        contest=contest,
    )


def test_places_have_the_stated_shares_and_the_three_checks_are_alike() -> None:
    dealt = Counter(draw.policy for seed in range(1500) for draw in _draw(_stock(), 10, seed=seed))
    total = dealt.total()
    checks = sum(dealt[policy] for policy in CHECKS)
    assert 0.03 <= CHECK_SHARE <= 0.05
    assert checks / total == pytest.approx(CHECK_SHARE, abs=4 * np.sqrt(0.04 / total))
    assert dealt[LESSON] / total == pytest.approx(LESSON_SHARE, abs=4 * np.sqrt(0.16 / total))
    assert all(0.25 < dealt[policy] / checks < 0.42 for policy in CHECKS)


@pytest.mark.parametrize("seed", range(10))
def test_nothing_but_a_repeat_is_dealt_twice_and_no_question_follows_itself(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "CHECK_SHARE", 0.3)
    seen = np.array([POOL, POOL + 1, LESSONS, SAME, CHANCE])
    draws = _draw(_stock(), 200, seed=seed, seen=seen)
    once = [draw.pair for draw in draws if draw.policy != REPEAT]
    assert len(once) == len(set(once)) and not set(once) & set(seen.tolist())
    repeats = [draw.pair for draw in draws if draw.policy == REPEAT]
    assert sorted(repeats) == [POOL, POOL + 1], "each once"
    used = Counter(draw.policy for draw in draws)
    assert (used[POLICY], used[LESSON]) == (58, 19), "all that is left, before the round ends"
    assert used[IDENTICAL] == used[RANDOM] == 9


def test_checks_and_lessons_alone_are_no_game_and_without_catch_pairs_there_are_no_checks() -> None:
    assert _draw(_stock(pool=0), 20) == []
    everything = np.concatenate([_ids(POOL, 60), _ids(LESSONS, 20)])
    assert _draw(_stock(), 20, seen=everything) == []
    dealt = {draw.policy for seed in range(40) for draw in _draw(_stock(catches=0), 10, seed=seed)}
    assert dealt == {POLICY, LESSON}


def test_a_probability_is_of_the_pair_among_those_of_its_policy() -> None:
    """So a pair that counts weighs in estimates what it did without lessons and checks."""
    for draw in (draw for seed in range(40) for draw in _draw(_stock(), 1, seed=seed)):
        among = {POLICY: 60, LESSON: 20, REPEAT: 2}.get(draw.policy, 10)
        assert draw.propensity == pytest.approx(1 / among)


def test_lessons_go_on_with_questions_that_are_begun_until_a_dope_and_a_nope_stand() -> None:
    """Two candidates each, with (dopes, nopes): those of which votes make a triplet are done with."""
    said = {
        ((0, 0), (0, 0)): 0,  # not begun
        ((2, 0), (0, 0)): 1,
        ((1, 0), (0, 1)): 0,
        ((1, 1), (0, 0)): 1,  # both on one candidate
        ((3, 1), (2, 0)): 0,  # a minority's nope
        ((1, 2), (0, 3)): 0,
        ((1, 0), (2, 0)): 1,
        ((0, 1), (0, 1)): 1,
    }
    counts = np.array(list(said)).reshape(-1, 2)
    lessons = Lessons(
        _ids(LESSONS, len(counts)),
        np.repeat(np.arange(len(said)), 2),
        dopes=counts[:, 0],
        nopes=counts[:, 1],
    )
    assert lessons.weights.tolist() == np.repeat(list(said.values()), 2).tolist()
    for (number, wanted), one in zip(enumerate(said.values()), said, strict=True):
        votes = [
            (candidate, dope)
            for candidate, counted in enumerate(one)
            for dope, count in zip((True, False), counted, strict=True)
            for _ in range(count)
        ]
        player = np.arange(len(votes))
        candidate, dope = np.array(votes, dtype=np.int64).reshape(-1, 2).T
        ballots = Ballots(player, np.full(len(votes), 9), candidate, dope.astype(bool), player)
        assert (len(draw_lessons(ballots, seed=0)) == 0) == bool(wanted or not votes), number


def test_a_private_encoder_gets_a_fifth_of_all_places_from_those_that_would_count() -> None:
    dealt = Counter(
        draw.policy for seed in range(1500) for draw in _draw(_stock(), 10, seed=seed, contest=_contest(40))
    )
    total = dealt.total()
    assert dealt[TASTE] / total == pytest.approx(TASTE_SHARE, abs=4 * np.sqrt(0.16 / total))
    assert dealt[LESSON] / total == pytest.approx(LESSON_SHARE, abs=4 * np.sqrt(0.16 / total))
    checks = sum(dealt[policy] for policy in CHECKS)
    assert checks / total == pytest.approx(CHECK_SHARE, abs=4 * np.sqrt(0.04 / total))


def test_of_each_question_one_pair_is_dealt_whose_it_is_a_fair_coin_says() -> None:
    private, told = 0, 0
    for seed in range(300):
        left = 12
        draws = [
            draw for draw in _draw(_stock(), 60, seed=seed, contest=_contest(12)) if draw.policy == TASTE
        ]
        for draw in draws:
            assert draw.propensity == pytest.approx(1 / (2 * left), rel=0.1), (
                "of one pair, or the last's aside"
            )
            left -= 1
        asked = [draw.question for draw in draws]
        assert len(asked) == len(set(asked))
        private += sum(draw.pair % 2 == 0 for draw in draws)
        told += len(draws)
    assert private / told == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / told))


def test_what_is_compared_does_not_come_to_count_among_the_same_places() -> None:
    stock = _stock()
    contest = Shelf(stock.pool.pairs, stock.pool.questions)
    for seed in range(200):
        dealt = [draw for draw in _draw(stock, 20, seed=seed, contest=contest) if draw.policy != REPEAT]
        assert len({draw.pair for draw in dealt}) == len(dealt)


def test_without_a_private_encoder_or_questions_for_it_the_draws_are_what_they_were() -> None:
    for seed in range(20):
        assert _draw(_stock(), 20, seed=seed) == _draw(_stock(), 20, seed=seed, contest=_contest(0))
    assert _draw(_stock(pool=0), 20, contest=_contest(5)) == [], "it is no game by itself"
