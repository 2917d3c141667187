"""Votes become triplets: only of one question, each traced to its two votes, and nobody teaches too much."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evaluation.stats import lessons
from evaluation.stats.lessons import Ballots, draw_lessons


@st.composite
def ballots(draw: st.DrawFn) -> Ballots:
    count = draw(st.integers(0, 40))
    few = arrays(np.int64, count, elements=st.integers(0, 4))
    said = draw(arrays(np.bool_, count))
    return Ballots(draw(few), draw(few), draw(few) + 3, said, np.arange(count) * 7)


@given(ballots(), st.integers(1, 10), st.integers(1, 4), st.integers(0, 3))
def test_each_triplet_is_of_two_votes_that_say_so(
    given: Ballots, per_player: int, per_vote: int, seed: int
) -> None:
    taught = draw_lessons(given, seed=seed, per_player=per_player, per_vote=per_vote)
    dope, nope = taught.dope // 7, taught.nope // 7
    assert given.dope[dope].all() and not given.dope[nope].any()
    assert (given.question[dope] == given.question[nope]).all()
    columns = (given.question[dope], given.candidate[dope], given.candidate[nope])
    assert (taught.triplets == np.stack(columns, axis=1)).all()
    assert all(len({*line}) == 3 for line in taught.triplets.tolist())
    votes = np.bincount(np.concatenate([dope, nope]), minlength=1)
    assert votes.max() <= per_vote
    for player in range(5):
        assert ((given.player[dope] == player) | (given.player[nope] == player)).sum() <= per_player


@given(ballots(), st.randoms(use_true_random=False))
def test_the_order_of_votes_means_nothing(given: Ballots, random: np.random.Generator) -> None:
    order = np.arange(len(given))
    random.shuffle(order)
    columns = (given.player, given.question, given.candidate, given.dope, given.vote)
    shuffled = Ballots(*(column[order] for column in columns))
    one, other = draw_lessons(given, seed=1), draw_lessons(shuffled, seed=1)
    for mine, theirs in zip(vars(one).values(), vars(other).values(), strict=True):
        assert (mine == theirs).all()


def test_a_vote_among_very_many_is_not_tried_with_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Players may teach twice: all are soon through, and most of 400 times 400 pairs need no look."""
    tried: list[int] = []
    take = lessons._Left.take
    monkeypatch.setattr(lessons._Left, "take", lambda *given: tried.append(given[2]) or take(*given))
    vote = np.arange(800)
    said = Ballots(vote % 7, np.zeros(800, np.int64), vote + 1, vote % 2 == 0, vote)
    assert 0 < len(draw_lessons(said, seed=0, per_player=2)) <= 7
    assert len(tried) <= 8 * 400


def test_every_vote_that_can_teach_does() -> None:
    """Six dopes and two nopes: with room for all, each dope is held against each nope."""
    said = np.array([True] * 6 + [False] * 2)
    eight = np.arange(8)
    taught = draw_lessons(Ballots(eight, np.zeros(8, np.int64), eight + 1, said, eight), seed=0, per_vote=6)
    assert len(taught) == 12 and set(taught.dope.tolist()) == set(range(6))
