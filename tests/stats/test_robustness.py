"""What a lead hangs on, against trying every choice of votes and players."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.stats.robustness import fewest_players, fewest_votes, find_leader
from evaluation.stats.votes import Votes


@st.composite
def small_boards(draw, most: int = 8):
    contenders, pairs = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    found = [draw(st.lists(st.booleans(), min_size=contenders, max_size=contenders)) for _ in range(pairs)]
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 5), st.integers(0, pairs - 1), st.booleans()), min_size=1, max_size=most
        )
    )
    player, pair, dope = (np.array(column) for column in zip(*rows, strict=True))
    return Votes(player, pair, dope, np.arange(pairs), np.array(found))


def is_overtaken(votes: Votes, leader: int, kept: np.ndarray) -> bool:
    """Whether somebody's share is above the leader's, who still has votes."""
    left = votes.only(kept)
    mine = left.found[left.pair]
    answers, dopes = mine.sum(axis=0), mine[left.dope].sum(axis=0)
    if not answers[leader]:
        return False
    return any(
        dopes[other] * answers[leader] > dopes[leader] * answers[other] for other in range(len(answers))
    )


def try_all(votes: Votes, groups: np.ndarray) -> int | None:
    """The fewest groups of votes without which somebody overtakes the leader."""
    leader, names = find_leader(votes), np.unique(groups)
    if leader is None:
        return None
    for number in range(len(names) + 1):
        for gone in combinations(names, number):
            if is_overtaken(votes, leader, ~np.isin(groups, gone)):
                return number
    return None


@settings(deadline=None)
@given(small_boards())
def test_no_fewer_votes_would_do_whichever_they_are(votes: Votes) -> None:
    found = fewest_votes(votes)
    assert (found and found.votes) == try_all(votes, np.arange(len(votes)))


@settings(deadline=None)
@given(small_boards(most=20))
def test_the_fewest_players_lie_within_the_bounds(votes: Votes) -> None:
    found, fewest = fewest_players(votes), try_all(votes, votes.player)
    if fewest is not None:
        assert found is not None and 1 <= found.low <= fewest
    if found is not None and found.players is not None:
        assert fewest is not None and fewest <= found.high
        assert is_overtaken(votes, found.leader, ~np.isin(votes.player, found.players))


def board(players: int, seed: int) -> Votes:
    draws = np.random.default_rng(seed)
    pairs, count = 400, players * 25
    found = draws.random((pairs, 4)) < 0.5
    logit = 0.2 + found @ np.array([0.5, 0.0, -0.3, -0.3])
    player, pair = np.repeat(np.arange(players), 25), draws.integers(0, pairs, count)
    lenient = draws.normal(size=players)
    dope = draws.random(count) < 1 / (1 + np.exp(-logit[pair] - lenient[player]))
    return Votes(player, pair, dope, np.arange(pairs), found)


@pytest.mark.parametrize("seed", range(5))
def test_on_a_board_of_usual_size_the_bounds_for_players_are_close(seed: int) -> None:
    found = fewest_players(board(120, seed))
    assert found is not None and found.high is not None
    assert found.low <= found.high <= found.low + max(1, found.low // 5)


def test_a_lead_by_one_persons_votes_hangs_on_that_person() -> None:
    """The first is liked by one person 20 times, the second by 10 people once in 2."""
    player = np.array([0] * 20 + list(range(1, 11)) * 2)
    pair = np.array([0] * 20 + [1] * 20)
    dope = np.array([True] * 20 + [True] * 10 + [False] * 10)
    extra = Votes(
        np.append(player, [11, 12]),
        np.append(pair, [0, 0]),
        np.append(dope, [False] * 2),
        np.arange(2),
        np.eye(2, dtype=bool),
    )
    found = fewest_players(extra)
    assert found is not None
    assert (found.leader, found.rival, found.low, found.high) == (0, 1, 1, 1)
    assert found.players.tolist() == [0]


def test_without_a_rival_nobody_can_take_the_lead() -> None:
    alone = Votes(np.array([0]), np.array([0]), np.array([True]), np.arange(1), np.array([[True]]))
    assert fewest_votes(alone) is None
    assert fewest_players(alone) is None
    nobody = Votes(np.array([], int), np.array([], int), np.array([], bool), np.arange(1), np.array([[True]]))
    assert find_leader(nobody) is None and fewest_votes(nobody) is None and fewest_players(nobody) is None


def test_on_random_boards_of_nine_players_the_bounds_hold_and_what_is_found_is_mostly_the_fewest() -> None:
    exact = bounded = 0
    for seed in range(60):
        draws = np.random.default_rng(seed)
        found, count = draws.random((12, 3)) < 0.5, 60
        dope = draws.random(count) < 0.6
        votes = Votes(draws.integers(0, 9, count), draws.integers(0, 12, count), dope, np.arange(12), found)
        result, fewest = fewest_players(votes), try_all(votes, votes.player)
        assert fewest is not None and result is not None and result.high is not None
        assert result.low <= fewest <= result.high
        assert fewest_votes(votes).votes > 0
        exact += result.high == fewest
        bounded += result.low == fewest
    assert exact >= 50
    assert bounded >= 30
