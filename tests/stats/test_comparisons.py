"""Differences of contenders: unbiased under any dealing, right at all looks, and a winner that is one."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from evaluation.stats.allocation import Pool, draw_pairs
from evaluation.stats.comparisons import Answers, Contest, Ledger, sequence_quantile, sum_before
from evaluation.stats.simulated.crowd import World, draw_world
from evaluation.stats.simulated.winner import search_allocated, search_uniform

NOTHING = np.array([], dtype=np.int64)


def _world(
    rng: np.random.Generator, effects: list[float], *, questions: int, player_sd: float = 1.0
) -> World:
    return draw_world(
        rng, effects=effects, questions=questions, overlap=0.5, question_sd=0.5, player_sd=player_sd
    )


def _uniform(world: World, rng: np.random.Generator, *, players: int, each: int) -> Answers:
    """Every player judges ``each`` pairs, any as likely, none twice."""
    count = len(world.question)
    pairs = rng.random((players, count)).argsort(axis=1)[:, :each].ravel()
    who = np.repeat(np.arange(players), each)
    said = world.answer(pairs, world.draw_people(players, rng)[who], rng)
    return Answers(who, world.found[pairs], said, np.tile(1 / (count - np.arange(each)), players))


def test_unbiased_whatever_is_dealt_also_when_players_run_out_of_pairs() -> None:
    """Pools of 30 questions, dealt by what is disputed; each player judges half of the pairs."""
    rng = np.random.default_rng(1)
    misses = []
    for _ in range(200):
        world = _world(rng, [1.5, 0.0, -1.5], questions=30)
        count = len(world.question)
        zeros = np.zeros(count, np.int64)
        pool = Pool(np.arange(count), world.question, zeros, zeros, zeros, world.found)
        ledger = Ledger(contenders=3, questions=30)
        for player in range(4):
            draws = draw_pairs(pool, seen=NOTHING, count=count // 2, previous_question=None, rng=rng)
            pairs = np.array([draw.pair for draw in draws])
            said = world.answer(pairs, rng.normal(size=1), rng)
            chances = np.array([draw.propensity for draw in draws])
            ledger.add(Answers(np.full(len(pairs), player), world.found[pairs], said, chances))
        approvals = world.approvals()
        misses.append(ledger.compare(0).estimates - (approvals[0] - approvals))
    error = np.std(misses, axis=0) / np.sqrt(len(misses))
    assert (np.abs(np.mean(misses, axis=0)) <= 4 * error).all()
    assert error.max() < 0.015


def test_the_last_pair_a_player_can_get_makes_the_difference_exact() -> None:
    """Its propensity is 1 and all others were judged, so that vote's term is the player's own difference."""
    rng = np.random.default_rng(2)
    world = _world(rng, [1.0, 0.0, 0.0], questions=12)
    answers = _uniform(world, rng, players=1, each=len(world.question))
    ledger = Ledger(contenders=3, questions=12)
    ledger.add(answers.between(0, len(answers) - 1))
    before = ledger.compare(0).estimates * ledger.votes
    ledger.add(answers.between(len(answers) - 1, len(answers)))
    shares = (answers.found * answers.dopes[:, None]).sum(axis=0) / 12
    assert ledger.compare(0).estimates * ledger.votes - before == pytest.approx(shares[0] - shares)


def test_votes_on_what_both_found_say_exactly_nothing() -> None:
    rng = np.random.default_rng(3)
    found = rng.random((500, 3)) < 0.5
    found[:, 1] = found[:, 0]
    answers = Answers(rng.integers(0, 40, 500), found, rng.random(500) < 0.7, np.full(500, 0.01))
    ledger = Ledger(contenders=3, questions=50)
    ledger.add(answers)
    compared = ledger.compare(0)
    assert compared.estimates[1] == compared.errors[1] == 0
    assert compared.lows(0.05)[1] == -np.inf
    assert compared.errors[2] > 0


@given(st.integers(0, 2**32), st.integers(1, 60), st.lists(st.integers(0, 60), max_size=5))
@settings(max_examples=40)
def test_votes_added_in_parts_or_at_once_come_to_the_same(seed: int, votes: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    answers = Answers(
        rng.integers(0, 8, votes),
        rng.random((votes, 3)) < 0.5,
        rng.random(votes) < 0.5,
        rng.uniform(0.01, 1, votes),
    )
    once, parts = Ledger(contenders=3, questions=10), Ledger(contenders=3, questions=10)
    once.add(answers)
    edges = [0, *sorted(min(cut, votes) for cut in cuts), votes]
    for first, last in pairwise(edges):
        parts.add(answers.between(first, last))
    for one in range(3):
        for whole, sum_ in zip(_told(once, one), _told(parts, one), strict=True):
            assert whole == pytest.approx(sum_)


def _told(ledger: Ledger, one: int) -> tuple[NDArray[np.float64], ...]:
    compared = ledger.compare(one)
    return compared.estimates, compared.errors, compared.freedom


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-5, 5)), min_size=1, max_size=40))
def test_sums_before_are_those_of_earlier_rows_of_the_group(rows: list[tuple[int, int]]) -> None:
    groups, values = np.array([group for group, _ in rows]), np.array([float(value) for _, value in rows])
    expected = [values[:place][groups[:place] == groups[place]].sum() for place in range(len(rows))]
    assert sum_before(values, groups).tolist() == expected


def test_the_sequence_bounds_a_random_walk_at_all_its_steps_and_is_tightest_where_planned() -> None:
    """1,000 walks of 4,000 normal steps, looked at after each: one in twenty at most is ever outside."""
    steps = np.arange(1, 4001)
    reach = np.sqrt(steps) * [sequence_quantile(step / 1000, 0.05) for step in steps]
    walks = np.random.default_rng(4).normal(size=(1000, 4000)).cumsum(axis=1)
    ever = float((walks > reach).any(axis=1).mean())
    assert 0.005 < ever < 0.05
    margins = [sequence_quantile(ratio, 0.05) / np.sqrt(ratio) for ratio in (0.5, 1, 2)]
    assert margins == sorted(margins, reverse=True), "more votes, closer bounds"
    for planned, other in ((1000, 50), (50, 1000)):
        mine, others = (sequence_quantile(planned / at, 0.05) for at in (planned, other))
        assert mine < others


def test_bounds_hold_at_all_looks_with_players_who_differ() -> None:
    """Two of equal approval, 100 players of 20 votes, a look after every fifth: wrong in 5 % at most."""
    rng = np.random.default_rng(5)
    wrong, runs = 0, 100
    for _ in range(runs):
        world = _world(rng, [0.0, 0.0], questions=60, player_sd=1.5)
        answers = _uniform(world, rng, players=100, each=20)
        ledger = Ledger(contenders=2, questions=60, planned=1000)
        lows = []
        for first in range(0, 2000, 100):
            ledger.add(answers.between(first, first + 100))
            lows.append(ledger.compare(0).lows(0.05)[1])
        wrong += max(lows) > 0
    assert wrong / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_too_few_players_prove_nothing_however_many_votes() -> None:
    rng = np.random.default_rng(6)
    world = _world(rng, [4.0, -4.0], questions=400)
    contest, ledger = Contest(2), Ledger(contenders=2, questions=400)
    ledger.add(_uniform(world, rng, players=1, each=300))
    assert contest.declare_winner(ledger) is None
    assert ledger.compare(0).lows(0.05)[1] == -np.inf
    ledger = Ledger(contenders=2, questions=400)
    ledger.add(_uniform(world, rng, players=40, each=300))
    assert contest.declare_winner(ledger) == 0


@pytest.mark.parametrize("dope", [False, True])
def test_all_votes_the_same_declare_nobody(dope: bool) -> None:
    rng = np.random.default_rng(7)
    world = _world(rng, [0.0] * 4, questions=100)
    answers = _uniform(world, rng, players=100, each=20)
    contest, ledger = Contest(4), Ledger(contenders=4, questions=100)
    ledger.add(Answers(answers.players, answers.found, np.full(2000, dope), answers.propensities))
    assert contest.declare_winner(ledger) is None


def test_what_was_proven_at_an_earlier_look_stands() -> None:
    rng = np.random.default_rng(8)
    world = _world(rng, [3.0, -3.0, -3.0], questions=100)
    ledger = Ledger(contenders=3, questions=100)
    ledger.add(_uniform(world, rng, players=60, each=40))
    contest = Contest(3)
    assert contest.alpha == pytest.approx(0.025)
    assert contest.declare_winner(Ledger(contenders=3, questions=100)) is None
    assert contest.declare_winner(ledger) == 0
    proven = contest.proven.copy()
    ledger.add(_uniform(_world(rng, [0.0] * 3, questions=100), rng, players=60, each=40))
    contest.declare_winner(ledger)
    assert (contest.proven >= proven).all()


def test_columns_that_do_not_belong_together_are_refused() -> None:
    one = np.zeros(1, np.int64)
    with pytest.raises(ValueError, match="unequal length"):
        Answers(one, np.ones((2, 2), bool), np.ones(1, bool), np.ones(1))
    for chance in (0.0, 1.5, float("nan")):
        with pytest.raises(ValueError, match="propensity"):
            Answers(one, np.ones((1, 2), bool), np.ones(1, bool), np.array([chance]))
    with pytest.raises(ValueError, match="Without votes"):
        Ledger(contenders=2, questions=1).compare(0)


def test_the_best_is_found_with_a_third_of_the_votes_of_uniform_unpooled_dealing() -> None:
    rng = np.random.default_rng(9)
    world = draw_world(
        rng, effects=[1.5, *[-0.5] * 5], questions=200, overlap=0.6, question_sd=0.5, player_sd=1.0, level=0.0
    )
    allocated, uniform = search_allocated(world, rng, most=10_000), search_uniform(world, rng)
    assert allocated.winner == uniform.winner == 0
    assert allocated.votes <= uniform.votes / 3


def test_what_a_comparison_still_needs_is_about_what_settles_it() -> None:
    """The same answers by as many more players as that takes: the bound has just passed zero."""
    rng = np.random.default_rng(4)
    world = _world(rng, [0.3, 0.0], questions=200)
    answers = _uniform(world, rng, players=30, each=20)
    ledger = Ledger(contenders=2, questions=200)
    ledger.add(answers)
    alpha = 0.025
    now = ledger.compare(0)
    assert now.lows(alpha)[1] < 0 < now.estimates[1]
    needed = now.needed(alpha)
    assert needed[0] == np.inf, "it does not differ from itself"
    crowds = 1 + needed[1] / len(answers)
    for times, settled in ((0.85, False), (1.15, True)):
        ledger = Ledger(contenders=2, questions=200)
        for crowd in range(round(crowds * times)):
            ledger.add(
                Answers(answers.players + 30 * crowd, answers.found, answers.dopes, answers.propensities)
            )
        after = ledger.compare(0)
        assert (after.lows(alpha)[1] > 0) == settled
        assert (after.needed(alpha)[1] == 0) == settled
