"""People who look at aspects of things and weigh them in their own way, and what they say when asked.

What an encoder sees of a thing lies in blocks of numbers, one an aspect; who weighs aspects differently finds
other things alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from evaluation.stats.allocation import Pool, draw_pairs
from evaluation.stats.votes import Floats, Places, Votes

ITEMS, TRAINABLE = 1600, 800
VALUES, DIMENSIONS = 6, 6  # of an aspect: values that things have, and numbers that an encoder spends on it
ASPECTS = 6
QUESTIONS, EACH = 400, 25  # items that are asked about, and votes of a player
OWN_TASTE, LENIENCY, PAIR_SD = 0.3, 1.0, 0.3  # spreads: of log weights, and of logits
# The logit of what is as far as what the parent finds, and how it falls with distance.
LEVEL, SLOPE = 0.3, 3.0
AT_ONCE = 4  # people who are dealt to by what is known when the first of them comes
NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Things:
    """``vectors`` (n, d) as the parent sees them; the first `TRAINABLE` may be learned from."""

    vectors: NDArray[np.float32]

    @property
    def trainable(self) -> Places:
        return np.arange(TRAINABLE)

    @property
    def kept_away(self) -> Places:
        return np.arange(TRAINABLE, len(self.vectors))


@dataclass(frozen=True)
class Crowd:
    """People with a taste: ``weights`` (aspects,) of squared distances, with which all are multiplied."""

    weights: Floats
    things: Things

    def look_at(self, pairs: Places, rng: np.random.Generator) -> Cards:
        """Cards of pairs (m, 2), each with something of its own that pleases or does not."""
        return Cards(self.weights, self._apart(pairs) / self._usual(), rng.normal(0, PAIR_SD, len(pairs)))

    def _usual(self) -> float:
        """How far the parent's finds are for somebody of the crowd's own taste."""
        kept = self.things.kept_away[:QUESTIONS]
        pairs = np.stack([kept, find(self.things.vectors, kept, np.arange(len(self.things.vectors)))], axis=1)
        return float((self._apart(pairs) @ self.weights).mean())

    def _apart(self, pairs: Places) -> Floats:
        """(m, aspects): squared distances in each aspect."""
        one, other = (self.things.vectors[pairs[:, side]].astype(float) for side in (0, 1))
        return np.asarray(((one - other) ** 2).reshape(len(pairs), -1, DIMENSIONS).sum(axis=2))


@dataclass(frozen=True)
class Cards:
    """Pairs before people of a taste: ``apart`` (m, aspects) in units of what is usual, ``good`` (m,)."""

    weights: Floats
    apart: Floats
    good: Floats

    def answer(self, shown: Places, rng: np.random.Generator) -> NDArray[np.bool_]:
        """What new people say of the pairs that each is shown, (players, votes)."""
        own = self.weights * np.exp(rng.normal(0, OWN_TASTE, (len(shown), len(self.weights))))
        own *= self.weights.sum() / own.sum(axis=1, keepdims=True)
        far = np.einsum("pva,pa->pv", self.apart[shown], own)
        logits = LEVEL + SLOPE * (1 - far) + self.good[shown] + rng.normal(0, LENIENCY, (len(shown), 1))
        return np.asarray(rng.random(shown.shape) < expit(logits))


class Poll:
    """Votes as they come, of people who are dealt to as in the game, each pair at most once."""

    def __init__(self, cards: Cards, question: Places, found: NDArray[np.bool_]) -> None:
        self._cards, self._question, self._found = cards, question, found
        self._said = np.zeros((2, len(question)), np.int64)  # nopes and dopes of each pair
        self._votes: list[tuple[Places, NDArray[np.bool_], Floats]] = []

    def ask(self, votes: int, rng: np.random.Generator, *, contenders: int) -> None:
        """Have so many votes more cast on what the first contenders found."""
        known = np.flatnonzero(self._found[:, :contenders].any(axis=1))
        for _ in range(votes // (EACH * AT_ONCE)):
            nopes, dopes = self._said[:, known]
            found = self._found[known, :contenders]
            pool = Pool(known, self._question[known], dopes + nopes, dopes, nopes, found)
            draws = [
                draw_pairs(pool, seen=NOTHING, count=EACH, previous_question=None, rng=rng)
                for _ in range(AT_ONCE)
            ]
            shown = np.array([[draw.pair for draw in one] for one in draws])
            said = self._cards.answer(shown, rng)
            np.add.at(self._said, (said.astype(np.int64).ravel(), shown.ravel()), 1)
            self._votes.append(
                (shown.ravel(), said.ravel(), np.array([draw.propensity for one in draws for draw in one]))
            )

    def count(self) -> Votes:
        """All that were cast, in order, weighted by inverse propensities."""
        pair, dope, propensity = (np.concatenate(column) for column in zip(*self._votes, strict=True))
        return Votes(np.arange(len(pair)) // EACH, pair, dope, self._question, self._found, 1 / propensity)


def draw_things(rng: np.random.Generator) -> Things:
    """Things have a value of every aspect, and differ a little from others of that value."""
    values = rng.normal(size=(ASPECTS, VALUES, DIMENSIONS))
    has = rng.integers(VALUES, size=(ITEMS, ASPECTS))
    vectors = values[np.arange(ASPECTS), has] + rng.normal(0, 0.5, (ITEMS, ASPECTS, DIMENSIONS))
    return Things(vectors.reshape(ITEMS, -1).astype(np.float32))


def find(vectors: NDArray[np.float32], asked: Places, among: Places) -> Places:
    """(q,): the nearest of ``among`` to each that is asked about, itself left out."""
    squared = np.square(vectors).sum(axis=1)
    apart = squared[among] - 2 * vectors[asked] @ vectors[among].T
    apart[asked[:, None] == among] = np.inf
    return np.asarray(among[apart.argmin(axis=1)])
