"""Agreement where it is known who gave each answer: intervals over people and items, and who can stand in.

Answers are parallel arrays of length n. A person answers a question at most once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, ttest_1samp

from evaluation.stats.intervals import Interval

Places = NDArray[np.int64]
Floats = NDArray[np.float64]
DRAWS = 2000
_TAIL = 0.025
FEWEST_QUESTIONS = 30  # per person, below which Student's t says little about a share
FEWEST_PEOPLE = 3


def two_way_interval(
    right: NDArray[np.floating], people: Places, items: Places, *, seed: int = 0
) -> Interval:
    """The mean of ``right`` (n,) and its 95 % interval when both people and items are drawn anew.

    Both are drawn with replacement, and an answer counts as often as its person times as often as its item
    (Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1:386, 2007), which errs on the wide side.
    Raises ValueError without answers.
    """
    if not len(right):
        raise ValueError("Without answers there is no agreement.")

    def share(of_people: Places, of_items: Places) -> float:
        weights = of_people * of_items
        return float(weights @ right / weights.sum()) if weights.any() else np.nan

    return _draw_both_anew(float(np.mean(right)), share, people, items, seed)


def pairs_interval(
    answers: Places, people: Places, questions: Places, items: Places, *, seed: int = 0
) -> Interval:
    """How likely two different people agree on a question, and its 95 % interval over people and items.

    ``items`` (n,) is what the question of each answer is about. Every question that two answered counts the
    same, as in `agreement.raw_agreement`. People and items are drawn as in `two_way_interval`; a pair counts
    as often as one person times the other, and nobody pairs with themselves, so that with two people the
    interval is over items alone. Raises ValueError where no question has two answers.
    """
    _, first, question = np.unique(questions, return_index=True, return_inverse=True)
    said, cell = np.unique(np.stack([question, answers]), axis=1, return_inverse=True)
    cell = cell.reshape(-1)  # of those who said the same to a question

    def share(of_people: Places, of_items: Places) -> float:
        agreeing = np.bincount(said[0], weights=_count_pairs(of_people, cell))
        pairs = _count_pairs(of_people, question)
        weights = of_items[first] * (pairs > 0)
        shares = np.divide(agreeing, pairs, out=np.zeros(len(pairs)), where=pairs > 0)
        return float(weights @ shares / weights.sum()) if weights.any() else np.nan

    once = np.ones(len(answers), np.int64)
    estimate = share(once, once)
    if np.isnan(estimate):
        raise ValueError("No question was answered by two people.")
    return _draw_both_anew(estimate, share, people, items, seed)


def _count_pairs(weights: Places, groups: Places) -> Floats:
    """How many pairs of different people there are in each group, each as often as it was drawn."""
    sums = np.bincount(groups, weights=weights)
    squares = np.bincount(groups, weights=weights.astype(float) ** 2)
    return np.asarray((sums**2 - squares) / 2)


def _draw_both_anew(
    estimate: float, share: Callable[[Places, Places], float], people: Places, items: Places, seed: int
) -> Interval:
    """The interval of a ``share`` of how often each answer's person and item were drawn, (n,) and (n,).

    It is NaN where nothing that was drawn says anything; then it is drawn again.
    """
    one, person = np.unique(people, return_inverse=True)
    other, item = np.unique(items, return_inverse=True)
    generator = np.random.default_rng(seed)
    drawn: list[float] = []
    while len(drawn) < DRAWS:
        persons = generator.multinomial(len(one), np.full(len(one), 1 / len(one)))
        things = generator.multinomial(len(other), np.full(len(other), 1 / len(other)))
        if not np.isnan(found := share(persons[person], things[item])):
            drawn.append(found)
    low, high = np.quantile(drawn, [_TAIL, 1 - _TAIL])
    return Interval(estimate, float(low), float(high))


@dataclass(frozen=True)
class StandIn:
    """How a simulated user does in each person's place.

    ``wins``: in the place of what share of people it is as good. ``advantage``: how likely it agrees with the
    others at least as well as a person does. ``people`` were compared on ``questions`` in all.
    """

    wins: float
    advantage: float
    people: int
    questions: int

    @property
    def passes(self) -> bool:
        return self.wins >= 0.5


def alternative_annotator_test(
    chosen: Floats,
    answers: Places,
    people: Places,
    questions: Places,
    *,
    margin: float = 0.1,
    level: float = 0.05,
) -> StandIn | None:
    """Whether a simulated user can stand in for a person; None where too few answered the same questions.

    ``chosen`` (n, k) is how often it chooses each option in the question of each answer: once and for all, or
    by lot of options that it does not tell apart. Person j is left out in turn. On each
    question that j and others answered, the user's s_f is the share of the others it agrees with, j's s_h
    likewise; W_f = [s_f >= s_h] and W_h = [s_h >= s_f]. In j's place it wins where mean(W_h - W_f) < margin
    by a one-sided paired t-test, corrected over people by Benjamini and Yekutieli. It is passed where it
    wins in half of the places (Calderon, Reichart & Dror, "The Alternative Annotator Test for
    LLM-as-a-Judge", ACL 2025, section 3; ``margin`` is their epsilon: .2 where people are experts, .15 where
    they are skilled, .1 for a crowd).
    """
    _, question = np.unique(questions, return_inverse=True)
    votes = np.zeros((int(question.max(initial=-1)) + 1, chosen.shape[1]), dtype=np.int64)
    np.add.at(votes, (question, answers), 1)
    others = votes[question]
    others[np.arange(len(answers)), answers] -= 1
    counts = others.sum(axis=1)
    own = others[np.arange(len(answers)), answers] / np.maximum(counts, 1)
    users = (others * chosen).sum(axis=1) / np.maximum(counts, 1)
    p_values, advantages, counted = [], [], 0
    for here in _group(people, np.flatnonzero(counts > 0)):
        if len(here) < FEWEST_QUESTIONS:
            continue
        gaps = (own[here] >= users[here]).astype(float) - (users[here] >= own[here])
        p_values.append(_p_below(gaps, margin))
        advantages.append(float((users[here] >= own[here]).mean()))
        counted += len(here)
    if len(p_values) < FEWEST_PEOPLE:
        return None
    corrected = false_discovery_control(p_values, method="by")
    return StandIn(float((corrected < level).mean()), float(np.mean(advantages)), len(p_values), counted)


def _group(people: Places, places: Places) -> list[Places]:
    """The places by whose they are, each person's together."""
    ordered = places[np.argsort(people[places], kind="stable")]
    _, starts = np.unique(people[ordered], return_index=True)
    return np.split(ordered, starts[1:])


def _p_below(gaps: NDArray[np.float64], margin: float) -> float:
    """How likely gaps as low would be if their mean were ``margin``."""
    if not gaps.std():
        return 0.0 if gaps[0] < margin else 1.0
    return float(ttest_1samp(gaps, margin, alternative="less").pvalue)
