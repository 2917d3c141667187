"""A challenger is promoted where votes and the gold set say so, and only then."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.stats.promotion import LEVEL, Gold, rule, share_level
from evaluation.stats.votes import Votes

FOUND = np.array([[True, False], [False, True], [True, True]] * 20)
QUESTION = np.arange(60) // 3
RIGHT = Gold(np.ones(100, bool), np.ones(100, bool))


def _vote(challenger: float, *, players: int = 40, seed: int = 0) -> Votes:
    """Everybody judges 30 pairs; the challenger's own are dope so often, the parent's half the time."""
    rng = np.random.default_rng(seed)
    pair = np.concatenate([rng.choice(60, 30, replace=False) for _ in range(players)])
    chance = np.where(FOUND[pair, 0], 0.5, challenger)
    return Votes(np.repeat(np.arange(players), 30), pair, rng.random(len(pair)) < chance, QUESTION, FOUND)


def test_the_better_one_is_promoted_and_the_worse_one_is_not() -> None:
    better = rule(_vote(0.9), parent=0, challenger=1, gold=RIGHT)
    assert better.promoted and 0 < better.low < better.challenger - better.parent
    assert rule(_vote(0.1), parent=0, challenger=1, gold=RIGHT).refusals == ("not-better",)
    assert rule(_vote(0.5), parent=0, challenger=1, gold=RIGHT).refusals == ("not-better",)


def _vote_late(seed: int, *, older: int = 3000, since: int = 2000) -> Votes:
    """A newcomer as good as its parent: pairs 0 to 99 both found, which please, the parent alone 100 to 199,
    the newcomer 200 to 299. It is dealt only after ``older`` votes on what its parent found.
    """
    rng = np.random.default_rng(seed)
    question = np.concatenate([np.arange(200), np.arange(100, 200)])
    place = np.arange(300)
    found = np.stack([place < 200, (place < 100) | (place >= 200)], axis=1)
    players = (older + since) // 25
    open_ = np.where(np.arange(players) < older // 25, 200, 300)
    pair = np.concatenate([rng.choice(many, 25, replace=False) for many in open_])
    dope = rng.random(len(pair)) < np.where(pair < 100, 0.7, 0.4)
    weight = np.repeat(open_, 25).astype(float)
    return Votes(np.repeat(np.arange(players), 25), pair, dope, question, found, weight)


def test_an_equal_newcomer_gains_nothing_by_votes_that_are_older_than_it() -> None:
    rulings = [rule(_vote_late(seed), parent=0, challenger=1, gold=RIGHT) for seed in range(5)]
    assert [ruling.refusals for ruling in rulings] == [("not-better",)] * 5
    votes = _vote_late(0)
    before = votes.only(np.arange(len(votes)) < 3000)
    assert rule(before, parent=0, challenger=1, gold=RIGHT).refusals == ("too-few-votes",), "none on its own"


def test_pairs_that_are_dealt_more_often_count_no_more() -> None:
    """Half of what the parent found pleases, and is dealt nine times as often as what does not."""
    rng = np.random.default_rng(0)
    found = np.repeat([[True, False], [False, True]], 40, axis=0)
    often = np.where((np.arange(80) < 40) & (np.arange(80) % 2 == 1), 1.0, 9.0)
    pair = np.concatenate([rng.choice(80, 20, replace=False, p=often / often.sum()) for _ in range(150)])
    chance = np.where(pair >= 40, 0.7, np.where(pair % 2 == 0, 0.85, 0.15))
    player = np.repeat(np.arange(150), 20)
    dope = rng.random(len(pair)) < chance
    votes = Votes(player, pair, dope, np.tile(np.arange(40), 2), found)
    weighted = Votes(player, pair, dope, votes.question, found, 1 / often[pair])
    assert rule(weighted, parent=0, challenger=1, gold=RIGHT).promoted
    assert not rule(votes, parent=0, challenger=1, gold=RIGHT).promoted


def test_all_challengers_of_a_parent_together_may_win_falsely_no_oftener_than_one() -> None:
    alphas = [1 - share_level(number) for number in range(1, 1000)]
    assert sum(alphas) < 1 - LEVEL < sum(alphas) + 1e-3
    assert alphas == sorted(alphas, reverse=True)


def test_what_is_plain_must_not_be_forgotten() -> None:
    forgot = np.arange(100) >= 3
    ruling = rule(_vote(0.9), parent=0, challenger=1, gold=Gold(np.ones(100, bool), forgot))
    assert ruling.refusals == ("gold",) and ruling.gold_challenger == 0.97
    assert rule(_vote(0.9), parent=0, challenger=1, gold=Gold(forgot[:0], forgot[:0])).refusals == (
        "no-gold",
    )


def test_few_players_promote_nobody_whatever_they_say() -> None:
    nobody = _vote(1.0, players=4).only(np.zeros(120, bool))
    for votes in (nobody, _vote(1.0, players=1), _vote(1.0, players=4)):
        assert rule(votes, parent=0, challenger=1, gold=RIGHT).refusals == ("too-few-votes",)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.5, 0.9]))
def test_a_challenger_that_finds_what_its_parent_finds_is_never_promoted(seed: int, chance: float) -> None:
    votes = _vote(chance, players=10, seed=seed)
    same = Votes(votes.player, votes.pair, votes.dope, votes.question, FOUND[:, [0, 0]])
    assert rule(same, parent=0, challenger=1, gold=RIGHT).refusals == ("too-few-votes",)
