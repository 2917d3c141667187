"""Whether a challenger takes its parent's place: by blind votes on evaluation-only questions, and a gold set.

Two things must hold. The lower bound of the challenger's approval minus its parent's lies above zero, at
whichever look, as often as anybody looks; and on a frozen set of questions whose right answers are known the
challenger is no worse than by a stated margin, so that no taste is won by forgetting what is plain.

Challengers of one parent share the chance of winning falsely: the k-th has 1 / (k (k + 1)) of it, and all of
them together, however many come, at most the whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from evaluation.stats.comparisons import FEWEST_PLAYERS, sequence_quantile
from evaluation.stats.covariances import estimate_approvals
from evaluation.stats.votes import Votes

Flags = NDArray[np.bool_]
Refusal = Literal["too-few-votes", "not-better", "no-gold", "gold"]

LEVEL = 0.95
GOLD_MARGIN = 0.02  # of the gold questions, that a challenger may answer worse
PLANNED_VOTES = 1000  # the bound is tightest at about so many votes that tell the two apart


@dataclass(frozen=True)
class Gold:
    """How parent and challenger answered the frozen set, two arrays (g,): whether each answer was right.

    Raises ValueError where they were not asked the same number of questions.
    """

    parent: Flags
    challenger: Flags

    def __post_init__(self) -> None:
        if len(self.parent) != len(self.challenger):
            raise ValueError("Parent and challenger answer the same gold questions.")


@dataclass(frozen=True)
class Ruling:
    """Approvals and shares of right gold answers, NaN where nothing is known, and what stands in the way.

    Approvals are those on the questions for which the two found different things. ``low`` is the lower bound
    of ``challenger - parent``, minus infinity where too little is known; ``telling`` how many votes are on
    pairs that only one of the two found: the others say nothing.
    """

    parent: float
    challenger: float
    low: float
    telling: int
    gold_parent: float
    gold_challenger: float
    refusals: tuple[Refusal, ...]

    @property
    def promoted(self) -> bool:
        return not self.refusals


def rule(
    votes: Votes,
    *,
    parent: int,
    challenger: int,
    gold: Gold,
    level: float = LEVEL,
    margin: float = GOLD_MARGIN,
) -> Ruling:
    """Rule on two of the contenders, by their numbers in ``votes.found``.

    ``votes`` are settled ones on evaluation-only questions, weighted by inverse propensities. As often as
    ``level`` says, no look at all shows a bound above zero while the challenger is no better.

    Only votes on telling pairs count, those that exactly one of the two found: what is estimated is the
    difference over the questions that have such pairs, each as often as any other. Over all questions it is
    smaller by their share and has the same sign. What both found cancels out there; but votes on it that are
    older than the challenger would count for it too, and drown what it alone found and few have judged yet.
    """
    told = votes.found[:, [parent, challenger]]
    tells = (told[:, 0] ^ told[:, 1])[votes.pair]
    approvals = estimate_approvals(replace(votes, found=told).only(tells))
    telling = int(tells.sum())
    other, one = (float(estimate) for estimate in approvals.estimates)
    low = _bound(
        one - other,
        float(approvals.errors()[1, 0]),
        float(approvals.freedom[1, 0]),
        telling / PLANNED_VOTES,
        1 - level,
    )
    shares = [
        float(np.mean(right)) if len(right) else float("nan") for right in (gold.parent, gold.challenger)
    ]
    refusals: list[Refusal] = []
    if not np.isfinite(low):
        refusals.append("too-few-votes")
    elif low <= 0:
        refusals.append("not-better")
    if not len(gold.parent):
        refusals.append("no-gold")
    elif shares[1] < shares[0] - margin:
        refusals.append("gold")
    return Ruling(other, one, low, telling, shares[0], shares[1], tuple(refusals))


def share_level(number: int) -> float:
    """The level for the ``number``-th challenger of one parent, from 1."""
    return 1 - (1 - LEVEL) / (number * (number + 1))


def _bound(difference: float, error: float, freedom: float, ratio: float, alpha: float) -> float:
    """A lower bound that holds at all looks: see `comparisons.sequence_quantile`.

    The error allows for players and for questions, and is itself estimated: Student's quantile of that tail.
    """
    if not (error > 0 and freedom >= FEWEST_PLAYERS - 1 and ratio > 0 and np.isfinite(difference)):
        return float("-inf")
    tail = ndtr(-sequence_quantile(ratio, alpha))
    return difference + float(stdtrit(freedom, tail)) * error
