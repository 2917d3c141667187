"""Learning from people's answers: sight carries over, memory does not, noise teaches nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.training.judgements import (
    JudgementSettings,
    Lesson,
    agreement_beyond_chance,
    divide_things,
    learn_places,
    measure_places,
    remember_places,
)

QUICK = JudgementSettings(widths=(0.5,), strengths=(0.001,), dimensions=3)
THINGS = 40


def squared(vectors):
    apart = vectors[:, None] - vectors[None]
    return (apart**2).sum(axis=2)


@pytest.fixture
def world():
    """40 things in three dimensions. People look at the first alone; one space sees all, one noise."""
    draws = np.random.default_rng(0)
    truth = draws.uniform(-1, 1, size=(THINGS, 3))
    seen = np.stack([squared(truth), squared(draws.normal(size=(THINGS, 3)))])
    triplets = np.array([draws.choice(THINGS, 3, replace=False) for _ in range(4000)])
    apart = np.abs(truth[triplets[:, 1:], 0] - truth[triplets[:, :1], 0])
    chance = apart[:, 1] ** 4 / (apart**4).sum(axis=1)
    of_a = draws.binomial(5, chance)
    return Lesson(seen, triplets, np.stack([of_a, 5 - of_a], axis=1), np.arange(THINGS))


def agreement(distances, lesson, asked):
    ref, a, b = lesson.triplets[asked].T
    votes = lesson.votes[asked]
    return ((distances[ref, a] < distances[ref, b]) == (votes[:, 0] > votes[:, 1])).mean()


def test_what_people_look_at_is_learned_and_carries_over_to_things_nobody_judged(world):
    known = np.arange(THINGS) < 32
    lesson = world.among(known)
    asked = ~known[world.triplets[:, 0]]
    learned = learn_places(lesson, QUICK)
    places = learned.places.astype(float)
    assert places.shape == (THINGS, 3)
    unlearnt = agreement(world.squared[0], world, asked)
    assert agreement(squared(places), world, asked) > unlearnt + 0.05
    assert learned.weights[0] > 5 * learned.weights[1]  # the space of noise hardly counts
    memory = squared(remember_places(lesson, QUICK).astype(float))
    taught = known[world.triplets].all(axis=1)
    assert agreement(memory, world, taught) > 0.85
    assert agreement(memory, world, asked) < 0.65


def test_it_learns_the_same_from_the_same_and_not_from_the_order(world):
    one = learn_places(world, QUICK, seed=3)
    again = learn_places(world, QUICK, seed=3)
    np.testing.assert_array_equal(one.places, again.places)
    turned = replace(world, triplets=world.triplets[:, [0, 2, 1]], votes=world.votes[:, ::-1])
    np.testing.assert_allclose(
        squared(learn_places(turned, QUICK, seed=3).places), squared(one.places), rtol=0.05, atol=0.05
    )


def test_width_and_strength_are_those_that_foretell_best(world):
    settings = JudgementSettings(widths=(0.5, 500.0), strengths=(0.001, 100.0), dimensions=3)
    learned = learn_places(world, settings)
    assert (learned.width, learned.strength) == (0.5, 0.001)


def test_answers_by_lot_teach_nothing(world):
    draws = np.random.default_rng(1)
    of_a = draws.binomial(5, 0.5, size=len(world.triplets))
    lesson = replace(world, votes=np.stack([of_a, 5 - of_a], axis=1))
    known = np.arange(THINGS) < 32
    asked = ~known[lesson.triplets[:, 0]]
    places = learn_places(lesson.among(known), QUICK).places.astype(float)
    assert abs(agreement(squared(places), lesson, asked) - 0.5) < 0.07


def test_spaces_count_by_their_agreement(world):
    good, noise = (agreement_beyond_chance(one, world) for one in world.squared)
    assert good > 0.15 > 0.05 > noise > 0


def test_without_answers_nothing_is_learned(world):
    with pytest.raises(ValueError, match="no answer"):
        learn_places(replace(world, votes=0 * world.votes), QUICK)


def test_things_that_nobody_judged_are_placed_as_their_likeness_says(world):
    """What lies where a judged thing does has its place; what is like nothing lies in the middle."""
    learned = learn_places(world, QUICK)
    again = sum(learned.place(number, squared) for number, squared in enumerate(world.squared))
    np.testing.assert_allclose(again, learned.places, rtol=1e-4, atol=1e-5)
    far = sum(learned.place(number, np.full((1, THINGS), 1e6)) for number in range(2))
    np.testing.assert_allclose(far, 0)


def test_what_others_there_are_does_not_change_what_is_learned(world):
    """The likeness of the judged among themselves is all that a lesson holds, and all that is measured in."""
    known = np.arange(THINGS) < 32
    learned = learn_places(world.among(known), QUICK)
    assert len(learned.places) == THINGS and learned.judged.max() < 32
    np.testing.assert_allclose(learned.scales, world.squared.mean(axis=(1, 2)))


def test_who_sees_no_difference_is_right_by_half(world):
    blind = np.zeros_like(world.squared[0])
    assert agreement_beyond_chance(blind, world) == 0.01
    half_blind = np.where(np.arange(THINGS) < 20, 1.0, 0.0)[:, None] * world.squared[0]
    whole = agreement_beyond_chance(world.squared[0], world)
    assert 0.4 * whole < agreement_beyond_chance(half_blind, world) < 0.6 * whole


def test_distances_of_places_are_those_between_them():
    places = np.array([[0, 0], [3, 4], [0, 2]], np.float32)
    np.testing.assert_array_equal(measure_places(places, np.array([[0, 1, 2]])), [[25, 4]])


def test_folds_leave_each_thing_out_once():
    folds = list(divide_things(np.arange(7), np.arange(7), 3, seed=0))
    assert sorted(np.concatenate(folds).tolist()) == list(range(7))
    assert sorted(map(len, folds)) == [2, 2, 3]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=20), st.integers(2, 4), st.integers(0, 9))
def test_copies_of_one_thing_lie_in_one_fold(units, folds, seed):
    parts = list(divide_things(np.arange(len(units)), np.array(units), folds, seed=seed))
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(units)))
    held = [set(np.array(units)[part].tolist()) for part in parts]
    assert sum(map(len, held)) == len(set(units))
