"""How well people agree, and a simulated user with them, from counts of answers.

``votes`` is always (n, k) whole numbers: of n questions, how many people chose each of k options. Who
answered need not be known, and questions may have different numbers of answers.

Raw agreement says nothing without chance beside it, and the two coefficients take chance out in different
ways: alpha expects answers as they were given in all; AC1 expects less where one option is nearly always
chosen, and so does not fall there while people agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Votes = NDArray[np.int64]  # (n, k)
Places = NDArray[np.int64]
Floats = NDArray[np.float64]
NOBODY = -1  # the choice of a majority that there is not


class NothingToCompare(ValueError):
    """Too few answers: agreement is about at least two answers to one question."""


@dataclass(frozen=True)
class Agreement:
    """Raw agreement with Gwet's AC1 and Krippendorff's alpha of the same answers."""

    raw: float
    ac1: float
    alpha: float


def measure(votes: Votes) -> Agreement:
    """All three. Raises `NothingToCompare` where no question has two answers."""
    return Agreement(raw_agreement(votes), gwet_ac1(votes), krippendorff_alpha(votes))


def pairs_in_agreement(votes: Votes) -> Floats:
    """How likely two different people who answered a question agree, (n,): sum v (v - 1) / (m (m - 1)).

    NaN where fewer than two answered.
    """
    answers = votes.sum(axis=1)
    pairs = (answers * (answers - 1)).astype(float)
    found = (votes * (votes - 1)).sum(axis=1)
    return np.asarray(np.divide(found, pairs, out=np.full(len(votes), np.nan), where=pairs > 0))


def raw_agreement(votes: Votes) -> float:
    """How likely two people agree on the same question; every question with two answers counts the same."""
    agreeing = pairs_in_agreement(votes)
    if np.isnan(agreeing).all():
        raise NothingToCompare("No question was answered by two people: ask some of them twice.")
    return float(np.nanmean(agreeing))


def gwet_ac1(votes: Votes) -> float:
    """Gwet's first-order agreement coefficient for several people and missing answers.

    (p - e) / (1 - e) with raw agreement p and e = sum of s (1 - s) / (k - 1), s the share of an option,
    averaged over questions (Gwet 2008, British Journal of Mathematical and Statistical Psychology 61:29).
    Raises `NothingToCompare`.
    """
    observed = raw_agreement(votes)
    answered = votes[votes.sum(axis=1) > 0]
    shares = (answered / answered.sum(axis=1, keepdims=True)).mean(axis=0)
    expected = float((shares * (1 - shares)).sum()) / (votes.shape[1] - 1)
    return float((observed - expected) / (1 - expected))


def krippendorff_alpha(votes: Votes) -> float:
    """Krippendorff's alpha for nominal answers, some of them missing: 1 - observed / expected disagreement.

    From coincidences, where each answer counts once however many others its question has (Krippendorff 2011,
    Computing Krippendorff's alpha-reliability, section E). 1 where everybody chose one option throughout.
    Raises `NothingToCompare`.
    """
    paired = votes[votes.sum(axis=1) > 1].astype(float)
    if not len(paired):
        raise NothingToCompare("No question was answered by two people: ask some of them twice.")
    answers = paired.sum(axis=1)
    differing = answers**2 - (paired**2).sum(axis=1)
    observed = float((differing / (answers - 1)).sum())
    chosen = paired.sum(axis=0)
    total = float(chosen.sum())
    expected = (total**2 - float((chosen**2).sum())) / (total - 1)
    return 1 - observed / expected if expected else 1.0


def in_every_order(votes: Votes) -> Votes:
    """Each option once in each place, (k n, k), for questions in which it means nothing which stands first.

    A file that always names the option first that most people chose would otherwise look as if people chose
    "the first", and chance would be taken for nearly as good as people are. All options are then chosen
    equally often, so that AC1 is (raw - 1/k) / (1 - 1/k), and alpha nearly that where questions have equally
    many answers: they say no more than raw agreement does, on the scale that others report, from 0 for lots.
    """
    return np.concatenate([np.roll(votes, places, axis=1) for places in range(votes.shape[1])])


def measure_pairs(agreeing: Floats, options: int) -> Agreement:
    """All three of two answers to each of n questions of k options, in every order (`in_every_order`).

    ``agreeing`` (n,) is how likely the two are one: 1, 0, or what lies between where one answers by lot. Each
    question counts k times, for lots to be drawn evenly among all k. Raises `NothingToCompare`.
    """
    if not len(agreeing):
        raise NothingToCompare("No question was answered by two people: ask some of them twice.")
    raw = float(agreeing.mean())
    by_lot = 1 / options
    answers = 2 * len(agreeing) * options**2
    expected = (1 - by_lot) * answers / (answers - 1)  # that two of all answers differ, taken without return
    return Agreement(raw, (raw - by_lot) / (1 - by_lot), 1 - (1 - raw) / expected)


def majorities(votes: Votes) -> Places:
    """The option that most people chose, (n,); `NOBODY` where two options have the most."""
    most = votes.max(axis=1, keepdims=True)
    clear = (votes == most).sum(axis=1) == 1
    return np.where(clear, votes.argmax(axis=1), NOBODY)


def shares_with_the_others(votes: Votes) -> Floats:
    """How likely a person chose what most of the others chose, (n,); by lot where two options have the most.

    Without the person's own answer, which would make the majority agree with them. NaN where fewer than two
    answered.
    """
    right = np.zeros(len(votes))
    for option in range(votes.shape[1]):
        others = votes.copy()
        others[:, option] -= 1
        most = others == others.max(axis=1, keepdims=True)
        right += votes[:, option] * most[:, option] / most.sum(axis=1)
    answers = votes.sum(axis=1)
    return np.asarray(np.divide(right, answers, out=np.full(len(votes), np.nan), where=answers > 1))


def shares_agreeing(votes: Votes, chosen: Floats) -> Floats:
    """How likely a person who answered chose as a user who chooses each option so often, (n, k), (n,).

    Every question has an answer.
    """
    return np.asarray((votes * chosen).sum(axis=1) / votes.sum(axis=1), dtype=float)


def chance(options: int) -> float:
    """What picking by lot agrees with anybody, in the long run."""
    return 1 / options
