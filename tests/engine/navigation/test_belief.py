"""What is believed after some picks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.navigation.belief import Belief
from search.engine.navigation.choices import ChoiceModel
from search.engine.navigation.history import History, NotOnSlate
from search.engine.navigation.policies.registry import list_sights
from search.engine.navigation.users import ExactUser
from tests.engine.navigation.grounds import draw_terrain, line

MODEL = ChoiceModel(exponent=8)
TERRAIN = draw_terrain()


def play(terrain, picks, history=None):
    """A game of ``picks`` (slate, pick)."""
    history = history or History()
    for slate, pick in picks:
        history = history.after(tuple(slate), pick)
    return history


@st.composite
def games(draw):
    history = History(start=draw(st.none() | st.integers(0, len(TERRAIN) - 1)), keeps=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 5))):
        slate = tuple(draw(st.permutations(range(len(TERRAIN))))[:4])
        history = history.after(slate, draw(st.sampled_from([None, *history.options(slate)])))
    return history


@given(games())
@settings(max_examples=40, deadline=None)
def test_belief_is_the_same_whether_the_game_was_followed_or_only_read(history):
    followed = Belief(TERRAIN, [TERRAIN.whole], MODEL)
    game = History(start=history.start, keeps=history.keeps)
    for step in history.steps:
        followed.weigh(game)
        game = game.after(step.slate, step.pick)
    read = Belief(TERRAIN, [TERRAIN.whole], MODEL).of_items(history)
    np.testing.assert_array_equal(followed.of_items(history), read)
    assert read.sum() == pytest.approx(1, abs=1e-4)
    assert (read > 0).all()


def test_belief_follows_bayes():
    terrain = line(0, 1, 10, 11)
    model = ChoiceModel(exponent=2, lapse=0)
    found = Belief(terrain, [terrain.whole], model).of_items(play(terrain, [((1, 2), 1)]))
    # P(pick 1 | t) is 1/d(t,1)^2 over that plus 1/d(t,2)^2; what was shown is overlooked once in fifty.
    chances = [100 / 101, 1 * 0.02, 0.0 * 0.02, 1 / 100 / (1 / 100 + 1)]
    assert found == pytest.approx(np.array(chances) / sum(chances), abs=1e-4)


def test_not_being_able_to_tell_says_nothing_but_what_was_shown():
    found = Belief(TERRAIN, [TERRAIN.whole], MODEL).of_items(play(TERRAIN, [((3, 4, 5, 6), None)]))
    shown = np.isin(np.arange(len(TERRAIN)), [3, 4, 5, 6])
    assert len(set(found[~shown].tolist())) == 1
    assert found[shown] == pytest.approx(0.02 * found[~shown][0], rel=1e-3)


def test_what_looks_like_a_shown_item_was_shown():
    terrain = draw_terrain(twins=10)
    found = Belief(terrain, [terrain.whole], MODEL).of_items(play(terrain, [((0, 1, 2, 3), None)]))
    np.testing.assert_array_equal(found[-10:-6], found[:4])
    assert found[-6] > 10 * found[-10]


def test_a_pick_that_is_kept_counts_as_a_pick():
    terrain = line(0, 1, 10, 20, 30)
    belief = Belief(terrain, [terrain.whole], ChoiceModel(2, 0))
    kept = play(terrain, [((1, 4), 1), ((2, 3), 1)], History(keeps=True))
    assert kept.current == 1
    assert belief.of_items(kept)[0] > 0.8
    with pytest.raises(NotOnSlate, match="Item 1 is not on the slate"):
        play(terrain, [((1, 4), 1), ((2, 3), 1)])


def test_belief_learns_how_a_player_sees():
    """Who picks by one mask is soon believed to."""
    sights = list_sights(TERRAIN)
    belief = Belief(TERRAIN, sights, MODEL)
    generator = np.random.default_rng(0)
    for place, mask in enumerate(TERRAIN.masks, start=1):
        user, history = ExactUser(mask), History()
        for _ in range(12):
            slate = tuple(generator.choice(len(TERRAIN), 4, replace=False).tolist())
            history = history.after(slate, user.pick(7, slate, generator))
        assert int(belief.of_sights(history).argmax()) == place
        assert belief.of_sights(history).sum() == pytest.approx(1, abs=1e-4)


def test_before_the_first_step_there_is_nothing_to_take_back():
    with pytest.raises(ValueError, match="just begun"):
        _ = History().before
