"""Simulated users: who picks what, and how often that is the nearest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from search.engine.navigation.choices import ChoiceModel, calibrate, draw_slates
from search.engine.navigation.users import ExactUser, NoisyUser, UnsureUser, draw_opinionated
from tests.engine.navigation.grounds import draw_terrain, line

TERRAIN = draw_terrain()
DISTANCES = arrays(np.float32, (3, 4), elements=st.floats(0, 100, width=32))


def draws(seed=0):
    return np.random.default_rng(seed)


@given(DISTANCES, st.floats(0, 64), st.floats(0, 1))
def test_chances_are_chances_and_the_nearer_is_the_likelier(squared, exponent, lapse):
    chances = ChoiceModel(exponent, lapse).chances(squared)
    assert chances.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-4)
    assert (chances >= 0).all()
    for row, distances in zip(chances, squared, strict=True):
        ordered = row[np.argsort(distances, kind="stable")]
        assert (np.diff(ordered) <= 1e-6).all()


def test_chances_follow_the_power_of_the_distance():
    [chances] = ChoiceModel(exponent=2, lapse=0.2).chances(np.array([[1, 4]], np.float32))
    assert chances == pytest.approx([0.8 * 0.8 + 0.1, 0.8 * 0.2 + 0.1])


def test_an_exact_user_picks_the_nearest():
    user = ExactUser(line(0, 1, 5, 6, 20).whole)
    assert user.pick(2, [0, 3, 4], draws()) == 3
    assert user.pick(0, [4, 2, 1], draws()) == 1
    assert user.pick(1, [0, 1], draws()) == 1


@pytest.mark.parametrize(
    ("agreement", "k"), [(0.79, 2), (0.95, 2), (0.5, 4), (0.79, 4), (0.95, 4), (0.5, 8), (0.79, 8)]
)
def test_a_noisy_user_agrees_as_often_as_stated_on_random_slates(agreement, k):
    noisy = NoisyUser(TERRAIN.whole, calibrate(TERRAIN, agreement, k))
    exact = ExactUser(TERRAIN.whole)
    generator = draws(1)
    targets, slates = draw_slates(TERRAIN, k, count=3000, seed=2)
    same = [
        noisy.pick(target, slate, generator) == exact.pick(target, slate, generator)
        for target, slate in zip(targets.tolist(), slates.tolist(), strict=True)
    ]
    assert np.mean(same) == pytest.approx(agreement, abs=0.03)


@pytest.mark.parametrize("agreement", [0.25, 0.1, 1.2])
def test_an_agreement_that_no_user_can_have_is_refused(agreement):
    with pytest.raises(ValueError, match=r"above 1 in 4 and at most \d+%"):
        calibrate(TERRAIN, agreement, 4)


def test_an_unsure_user_cannot_tell_what_is_about_as_near():
    space = line(0, 10, -11, 30).whole
    user = UnsureUser(ExactUser(space), margin=1.2)
    assert user.pick(0, [1, 2], draws()) is None
    assert user.pick(0, [1, 3], draws()) == 1
    assert user.pick(0, [3], draws()) == 3


def test_what_lies_in_one_place_cannot_be_told_apart():
    space = line(0, 7, 7, 9).whole
    assert UnsureUser(ExactUser(space), margin=1.0).pick(0, [2, 1], draws()) is None
    assert ExactUser(space).pick(0, [2, 1], draws()) == 2


def test_an_unsure_user_hesitates_over_what_it_sees_itself():
    tall, wide = line(0, 10, 11, 30).whole, line(0, 10, 30, 31).whole
    assert UnsureUser(ExactUser(tall), margin=1.2).pick(0, [1, 2], draws()) is None
    assert UnsureUser(ExactUser(wide), margin=1.2).pick(0, [1, 2], draws()) == 1


def test_opinionated_users_differ_in_what_matters_to_them():
    generator = draws()
    users = [draw_opinionated(TERRAIN.masks, generator) for _ in range(20)]
    targets, slates = draw_slates(TERRAIN, 4, count=100, seed=0)
    picks = {
        tuple(
            user.pick(target, slate, generator)
            for target, slate in zip(targets, slates.tolist(), strict=True)
        )
        for user in users
    }
    assert len(picks) > 10
    for user in users:
        assert sum(weight for _, weight in user.space.parts) == pytest.approx(1)
