"""What a ranker is told: what is near, what agrees with past answers, and what is placed already."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.navigation.history import History
from search.engine.navigation.policies.dqn import make_observer
from search.engine.navigation.policies.sampler import SAMPLED, sample_candidates
from search.engine.navigation.situations import RECALLED
from tests.engine.navigation.grounds import draw_terrain, line

TERRAIN = draw_terrain(twins=30)
DIMENSIONS = 4  # of each mask's space


def test_each_sampler_finds_what_is_nearest_to_the_pick_by_its_mask():
    history = History(start=3).after((10, 11, 12, 13), 12)
    sampled = sample_candidates(TERRAIN, history, 4)
    assert len(sampled) == SAMPLED * len(TERRAIN.masks)
    for number, space in enumerate(TERRAIN.samplers):
        own = sampled.items[sampled.samplers == number]
        assert not set(TERRAIN.identity[own]) & set(TERRAIN.identity[history.shown])
        apart = space.to_all(np.array([12]))[0]
        unseen = ~TERRAIN.alike(history.shown)
        nearer = unseen & (apart < apart[own].max() - 1e-5)
        assert set(TERRAIN.identity[np.flatnonzero(nearer)]) <= set(TERRAIN.identity[own])


def test_before_a_pick_there_is_nothing_to_look_near_to():
    with pytest.raises(ValueError, match="Nothing was picked"):
        sample_candidates(TERRAIN, History(), 4)


@given(pick=st.integers(0, 3), number=st.integers(0, 20))
def test_a_candidate_agrees_with_an_answer_where_it_would_have_been_answered_for_so(pick, number):
    slate = tuple(np.random.default_rng(number).choice(150, 4, replace=False).tolist())
    history = History(start=160).after(slate, slate[pick])
    situation = make_observer(TERRAIN, believes=False, seed=0).look(history, 4)
    told = situation.describe([])
    agreeing = told[:, DIMENSIONS + 1]  # after the relative embedding and the distance
    squared = TERRAIN.whole.between(situation.sampled.items, np.array(slate))
    left = np.delete(squared, pick, axis=1).min(axis=1)
    np.testing.assert_array_equal(agreeing > 0, left > squared[:, pick])
    assert (np.abs(agreeing) <= 1).all()


def test_answers_are_told_newest_first_and_older_ones_in_sum():
    terrain = line(*range(100))
    history = History(start=0)
    for step in range(RECALLED + 2):
        history = history.after((50 + step, 90 - step), 50 + step)
    told = make_observer(terrain, believes=False, seed=0).look(history, 4).describe([])
    shorter = make_observer(terrain, believes=False, seed=0).look(history.before, 4)
    # Both look around picks beside each other, so most candidates are the same items.
    before = dict(zip(shorter.sampled.items.tolist(), shorter.describe([]), strict=True))
    now = dict(zip(sample_candidates(terrain, history, 4).items.tolist(), told, strict=True))
    shared = sorted(set(before) & set(now))
    assert len(shared) >= 10
    for item in shared:
        np.testing.assert_allclose(now[item][3 : 2 + RECALLED], before[item][2 : 1 + RECALLED], atol=1e-5)


def test_what_is_placed_changes_how_far_candidates_lie_from_the_slate_and_what_they_would_tell():
    history = History(start=3).after((10, 11, 12, 13), 12)
    situation = make_observer(TERRAIN, believes=True, seed=0).look(history, 4)
    alone, beside = situation.describe([]), situation.describe([0])
    assert (beside[:, -3] <= alone[:, -3]).all() and beside[0, -3] == 0
    assert (alone[:, -2] == 0).all() and (beside[:, -2] == 0.25).all()
    assert not np.allclose(alone[:, -1], beside[:, -1])
    twin = TERRAIN.identity[situation.sampled.items] == TERRAIN.identity[situation.sampled.items[0]]
    np.testing.assert_array_equal(situation.is_free([0]), ~twin)


def test_only_who_believes_is_told_of_belief():
    history = History(start=3)
    watched = make_observer(TERRAIN, believes=False, seed=0).look(history, 4).describe([])
    believed = make_observer(TERRAIN, believes=True, seed=0).look(history, 4).describe([])
    assert believed.shape[1] == watched.shape[1] + 2  # how likely it is, and what it would tell
