"""Checks of players: what fails, what passes, and what is left open."""

import numpy as np
import pytest
from scipy.stats import binomtest

from evaluation.stats.vetting import (
    Check,
    Finding,
    State,
    check_catches,
    check_haste,
    check_repeats,
    judge,
    not_run,
)
from evaluation.stats.vetting_crowd import check_agreement, check_favour, gather
from evaluation.stats.votes import Votes

PASS, FAIL, UNKNOWN = State.PASS, State.FAIL, State.UNKNOWN


@pytest.mark.parametrize(
    ("wrong", "shown", "state"),
    [
        (0, 0, UNKNOWN),
        (2, 2, UNKNOWN),
        (3, 3, UNKNOWN),
        (0, 4, PASS),
        (4, 4, FAIL),
        (1, 10, PASS),
        (6, 10, FAIL),
    ],
)
def test_catch_pairs(wrong: int, shown: int, state: State) -> None:
    found = check_catches(wrong, shown)
    assert found.state is state
    assert f"{wrong} of {shown}" in found.reason


def test_the_chance_is_the_binomial_tail() -> None:
    expected = binomtest(6, 20, 0.25, alternative="greater").pvalue
    assert check_repeats(6, 20).chance == pytest.approx(expected)


def test_nobody_answers_within_a_quarter_of_a_second_again_and_again() -> None:
    times = np.array([180.0, 120, 240, 200, 900, 1500, np.nan, np.nan])
    assert check_haste(times).state is FAIL
    assert check_haste(times + 300).state is PASS
    assert check_haste(np.full(40, np.nan)).state is UNKNOWN


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        check_catches(3, 2)


def test_a_check_that_did_not_run_is_never_held_against_anybody() -> None:
    away = [not_run(check, "the check was out of order") for check in Check]
    assert judge(away) is UNKNOWN
    assert judge([]) is UNKNOWN
    assert judge([*away, Finding(Check.HASTE, PASS, "")]) is PASS
    assert judge([*away, Finding(Check.HASTE, PASS, ""), Finding(Check.CATCHES, FAIL, "")]) is FAIL


def crowd_of(seed: int, *, players: int = 150, each: int = 30, pairs: int = 300) -> tuple[Votes, np.ndarray]:
    """Honest people who differ by a logit, on pairs that differ by one and a half; and the pairs' logits."""
    draws = np.random.default_rng(seed)
    found = draws.random((pairs, 6)) < 0.4
    pair_logit = draws.normal(0.4, 1.5, pairs)
    pair = draws.random((players, pairs)).argsort(axis=1)[:, :each].ravel()
    player = np.repeat(np.arange(players), each)
    chance = 1 / (1 + np.exp(-pair_logit[pair] - draws.normal(size=players)[player]))
    return Votes(player, pair, draws.random(len(pair)) < chance, np.arange(pairs), found), pair_logit


def of(votes: Votes, player: int) -> tuple[np.ndarray, np.ndarray]:
    mine = votes.player == player
    return votes.pair[mine], votes.dope[mine]


def test_hardly_any_honest_player_fails_however_lenient_they_are() -> None:
    failed, chances = 0, []
    for seed in range(4):
        votes, _ = crowd_of(seed)
        crowd = gather(votes)
        for player in range(150):
            findings = check_agreement(crowd, *of(votes, player)), check_favour(crowd, *of(votes, player))
            failed += judge(findings) is FAIL
            chances += [one.chance for one in findings if one.chance is not None]
    assert failed <= 4  # of 600, by two checks at a level of .001
    assert 0.02 <= np.mean(np.array(chances) < 0.05) <= 0.08


def test_who_answers_against_everybody_fails_and_who_answers_by_lot_is_found_with_enough_answers() -> None:
    votes, pair_logit = crowd_of(7)
    crowd, draws = gather(votes), np.random.default_rng(0)
    pair = draws.permutation(300)[:120]
    assert check_agreement(crowd, pair, pair_logit[pair] < 0.4).state is FAIL
    by_lot = [check_agreement(crowd, pair, draws.random(120) < 0.6).state for _ in range(40)]
    assert by_lot.count(FAIL) >= 30
    few = draws.permutation(300)[:8]
    assert check_agreement(crowd, few, draws.random(8) < 0.6).state is UNKNOWN


def test_a_players_own_votes_do_not_agree_with_themselves() -> None:
    """Where nobody else judged the pairs, nothing can be said, whatever the player said there."""
    votes, _ = crowd_of(3, pairs=330)
    lonely = np.arange(300, 330)
    votes = votes.only(votes.pair < 300)
    mine = np.arange(30) % 2 == 0
    both = Votes(
        np.append(votes.player, np.full(30, 150)), np.append(votes.pair, lonely),
        np.append(votes.dope, mine), votes.question, votes.found,
    )  # fmt: skip
    assert check_agreement(gather(both), lonely, mine).state is UNKNOWN


def test_who_votes_for_one_contender_fails_also_where_they_only_wait_for_its_pairs() -> None:
    votes, _ = crowd_of(11)
    crowd, pairs = gather(votes), np.random.default_rng(1).permutation(300)
    target = votes.found[:, 2]
    everywhere = pairs[:25]
    omnipresent = check_favour(crowd, everywhere, target[everywhere])
    assert (omnipresent.state, omnipresent.contender) == (FAIL, 2)
    dealt = pairs[:60]
    waited = dealt[target[dealt]]
    assert check_favour(crowd, waited, np.ones(len(waited), bool)).state is not FAIL
    targeted = check_favour(crowd, waited, np.ones(len(waited), bool), dealt[~target[dealt]])
    assert (targeted.state, targeted.contender) == (FAIL, 2)


def test_too_few_answers_and_pairs_that_all_found_tell_nothing() -> None:
    votes, _ = crowd_of(5)
    crowd = gather(votes)
    none, one = np.array([], int), np.array([], bool)
    assert check_agreement(crowd, none, one).state is UNKNOWN
    assert check_favour(crowd, none, one).state is UNKNOWN
    together = gather(Votes(votes.player, votes.pair, votes.dope, votes.question, np.ones((300, 2), bool)))
    assert check_favour(together, *of(votes, 0)).state is UNKNOWN


def test_everybody_saying_the_same_harms_nobody() -> None:
    votes, _ = crowd_of(6)
    same = Votes(votes.player, votes.pair, np.ones(len(votes), bool), votes.question, votes.found)
    crowd = gather(same)
    for player in range(10):
        assert (
            judge([check_agreement(crowd, *of(same, player)), check_favour(crowd, *of(same, player))])
            is not FAIL
        )
