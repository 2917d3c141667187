"""Pairs of contenders with what people said of them: read by pair, so the work does not grow with the votes.

For analysts alone: a player who knew who found a pair could vote for its finder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import F
from numpy.typing import NDArray

from evaluation.models import Contender, Pair
from evaluation.selectors.pictures import Picture, describe_candidate, describe_question
from evaluation.stats.intervals import Interval, wilson

FEWEST = 5  # answers, below which a pair is in no list
SHOWN = 12


@dataclass(frozen=True)
class JudgedPair:
    """A pair with its counts and the interval of its approval, by Wilson: a player judges a pair once."""

    question: Picture
    candidate: Picture
    category: str
    dopes: int
    nopes: int
    interval: Interval


@dataclass(frozen=True)
class Extremes:
    """Pairs that people loved and hated most, surest first, among ``judged`` with enough answers."""

    loved: Sequence[JudgedPair]
    hated: Sequence[JudgedPair]
    judged: int


@dataclass(frozen=True)
class Counts:
    """Pairs with enough answers, as parallel arrays (n,) by question; bounds of their approvals likewise."""

    pairs: NDArray[np.int64]
    questions: NDArray[np.int64]
    dopes: NDArray[np.int64]
    answers: NDArray[np.int64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]

    def interval(self, place: int) -> Interval:
        share = self.dopes[place] / self.answers[place]
        return Interval(float(share), float(self.lows[place]), float(self.highs[place]))


def list_extremes(contender: Contender) -> Extremes:
    """By the bound that is against a pair: few answers are no proof of love, nor of hate.

    Loved ones have more dopes than nopes, hated ones more nopes.
    """
    counts = read_counts(contender)
    loved = np.flatnonzero(2 * counts.dopes > counts.answers)
    hated = np.flatnonzero(2 * counts.dopes < counts.answers)
    loved = loved[np.argsort(-counts.lows[loved], kind="stable")][:SHOWN]
    hated = hated[np.argsort(counts.highs[hated], kind="stable")][:SHOWN]
    shown = show_pairs([*counts.pairs[loved].tolist(), *counts.pairs[hated].tolist()])
    return Extremes(shown[: len(loved)], shown[len(loved) :], len(counts.pairs))


def read_counts(contender: Contender) -> Counts:
    """The pairs the contender found, with enough answers."""
    found = Pair.objects.filter(credits__contender=contender).annotate(answers=F("dopes") + F("nopes"))
    rows = found.filter(answers__gte=FEWEST).order_by("question_id", "pk")
    table = np.array(list(rows.values_list("pk", "question_id", "dopes", "answers")), np.int64).reshape(-1, 4)
    pairs, questions, dopes, answers = table.T
    bounds = [wilson(yes, of) for yes, of in zip(dopes.tolist(), answers.tolist(), strict=True)]
    lows, highs = np.array([(one.low, one.high) for one in bounds]).reshape(-1, 2).T
    return Counts(pairs, questions, dopes, answers, lows, highs)


def show_pairs(pks: Sequence[int]) -> list[JudgedPair]:
    """These pairs with their pictures, in this order."""
    rows = Pair.objects.select_related("question__category", "candidate__category").in_bulk(pks)
    return [_show(rows[pk]) for pk in pks]


def _show(pair: Pair) -> JudgedPair:
    return JudgedPair(
        describe_question(pair.question),
        describe_candidate(pair.candidate),
        pair.question.category.value if pair.question.category else "",
        pair.dopes,
        pair.nopes,
        wilson(pair.dopes, pair.dopes + pair.nopes),
    )
