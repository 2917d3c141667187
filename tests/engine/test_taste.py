"""A private encoder is learned from few answers, and suits its person on what it never saw."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit

from search.engine.taste import Floats, Said, Taste, find_nearest, learn_taste

MASKS, WIDTH, ITEMS = 6, 48, 500
TRAINABLE = np.arange(ITEMS // 2)
JUDGES = np.arange(ITEMS // 2, ITEMS)
PUBLIC = np.eye(MASKS + 1)[0]
NO_PICKS = np.zeros((0, MASKS + 1))
SEEDS = range(8)


@dataclass(frozen=True)
class Person:
    """Somebody who sees distances by ``weights`` of the parts, in units of each part's mean."""

    parts: list[NDArray[np.float32]]
    weights: Floats

    def see(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> Floats:
        return measure(self.parts, one, other) @ self.weights

    def approve(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> Floats:
        """How likely they say dope: half of what is near by the whole embedding, say, they do."""
        return expit(8 * (1 - self.see(one, other)))


def measure(parts: list[NDArray[np.float32]], one: NDArray[np.int64], other: NDArray[np.int64]) -> Floats:
    return np.stack([np.square(part[one] - part[other]).sum(axis=1) for part in parts], axis=1).astype(float)


def draw_parts(seed: int) -> list[NDArray[np.float32]]:
    """The whole embedding and what masks that sum to one leave of it."""
    rng = np.random.default_rng(seed)
    whole = rng.normal(size=(ITEMS, WIDTH)).astype(np.float32)
    masks = rng.gamma(0.3, size=(MASKS, WIDTH)).astype(np.float32)
    return [whole, *(whole * mask for mask in masks / masks.sum(axis=1, keepdims=True))]


def meet(seed: int, taste: Floats) -> tuple[Person, NDArray[np.int64], NDArray[np.int64]]:
    """A person and 40 questions with candidates that the whole embedding finds near."""
    parts, rng = draw_parts(seed), np.random.default_rng([seed, 1])
    asked = rng.choice(TRAINABLE, 40)
    apart = np.square(parts[0][asked, None] - parts[0][None, TRAINABLE]).sum(axis=2)
    shown = np.argsort(apart, axis=1)[np.arange(len(asked)), rng.integers(1, 12, len(asked))]
    scales = measure(parts, asked, shown)
    person = Person(parts, taste / np.median(scales @ (taste / scales.mean(axis=0))) / scales.mean(axis=0))
    return person, asked, shown


def teach(seed: int, taste: Floats) -> tuple[Person, Taste]:
    person, asked, shown = meet(seed, taste)
    dope = np.random.default_rng([seed, 2]).random(len(asked)) < person.approve(asked, shown)
    votes = measure(person.parts, asked, shown)
    return person, learn_taste(Said(votes, dope, NO_PICKS, NO_PICKS, np.zeros(0), asked), seed=0)


def find(parts: list[NDArray[np.float32]], weights: Floats) -> NDArray[np.int64]:
    return find_nearest(parts, weights, JUDGES, np.arange(ITEMS), report=lambda done: None)


def test_a_person_with_a_taste_of_their_own_prefers_their_encoder_on_questions_it_never_saw() -> None:
    """Who looks by two of six aspects; with every seed, and by far on the whole."""
    gains = []
    for seed in SEEDS:
        person, learned = teach(seed, np.array([0.2, 1.0, 0.6, 0, 0, 0, 0]))
        assert learned.is_own
        private, public = find(person.parts, learned.weights), find(person.parts, PUBLIC)
        differs = private != public
        assert differs.mean() > 0.3, "there is something to compare"
        asked = JUDGES[differs]
        liked = person.approve(asked, private[differs]).mean()
        gains.append(liked - person.approve(asked, public[differs]).mean())
    assert min(gains) > 0
    assert np.mean(gains) > 0.15


def test_who_sees_as_everybody_does_mostly_keeps_the_public_encoder() -> None:
    own = [teach(seed, PUBLIC)[1].is_own for seed in SEEDS]
    assert sum(own) <= 3
    weights = next(teach(seed, PUBLIC)[1].weights for seed in SEEDS if not own[seed])
    parts = draw_parts(0)
    assert np.array_equal(find(parts, weights), find(parts, PUBLIC)), "the public one's equal"


def test_picks_teach_as_votes_do() -> None:
    for seed in SEEDS:
        person, asked, _ = meet(seed, np.array([0.0, 1, 0, 0, 0, 0, 0]))
        rng = np.random.default_rng([seed, 3])
        one, other = (rng.choice(TRAINABLE, len(asked)) for _ in range(2))
        likes = person.see(asked, one) < person.see(asked, other)
        picked = measure(person.parts, asked, np.where(likes, one, other))
        passed = measure(person.parts, asked, np.where(likes, other, one))
        nothing = np.zeros((0, MASKS + 1))
        said = Said(nothing, np.zeros(0, bool), picked, passed, np.ones(len(asked)), asked)
        assert learn_taste(said, seed=0).shares.argmax() == 1


def test_the_order_of_answers_changes_nothing() -> None:
    person, asked, shown = meet(0, np.array([0.2, 1.0, 0.6, 0, 0, 0, 0]))
    votes, dope = measure(person.parts, asked, shown), person.approve(asked, shown) > 0.5
    order = np.random.default_rng(5).permutation(len(asked))
    learned = [
        learn_taste(Said(votes[rows], dope[rows], NO_PICKS, NO_PICKS, np.zeros(0), asked[rows]), seed=0)
        for rows in (np.arange(len(asked)), order)
    ]
    assert np.allclose(learned[0].shares, learned[1].shares, atol=1e-3)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), answers=st.integers(1, 30), dopes=st.floats(0, 1))
def test_whatever_is_said_weights_are_weights(seed: int, answers: int, dopes: float) -> None:
    """All dopes, all nopes, answers by lot, one answer, and a part in which nothing is apart."""
    rng = np.random.default_rng(seed)
    votes = rng.random((answers, 3))
    votes[:, 2] = 0
    nothing = np.zeros((0, 3))
    said = Said(votes, rng.random(answers) < dopes, nothing, nothing, np.zeros(0), np.arange(answers))
    learned = learn_taste(said, seed=0)
    assert np.isfinite(learned.weights).all() and (learned.weights >= 0).all() and learned.weights.any()
    assert learned.shares.sum() == pytest.approx(1)


def test_what_is_found_is_nearest_by_the_weighted_parts_and_never_the_same_picture() -> None:
    parts, weights = draw_parts(1), np.array([0.5, 0, 2.0, 0, 0, 1.0, 0])
    identity = np.arange(ITEMS)
    identity[JUDGES[0]] = identity[:100] = 7
    found = find_nearest(parts, weights, JUDGES, identity, report=lambda done: None)
    for asked, nearest in zip(JUDGES[:40].tolist(), found[:40].tolist(), strict=True):
        apart = measure(parts, np.full(ITEMS, asked), np.arange(ITEMS)) @ weights
        apart[identity == identity[asked]] = np.inf
        assert nearest == apart.argmin()
    assert (identity[found] != identity[JUDGES]).all()
    alone = find_nearest(parts, weights, JUDGES[:2], np.zeros(ITEMS, int), report=lambda done: None)
    assert alone.tolist() == [-1, -1], "there is nothing else"


def test_columns_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="belong together"):
        Said(np.ones((2, MASKS + 1)), np.ones(1, bool), NO_PICKS, NO_PICKS, np.zeros(0), np.arange(2))
