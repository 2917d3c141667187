"""Simulated people and contenders: what the leaderboard's statistics are tried on.

Somebody approves of a pair with the logit of the pair plus their own leniency, which is normal around zero.
Whatever is true of the people at large, over a fixed set of questions, is known and can be compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]
NODES = 40  # of the Gauss-Hermite rule


@dataclass(frozen=True)
class World:
    """Pairs and who found them, and people who differ by ``player_sd`` logits.

    ``found`` (n, contenders), bool: each contender found exactly one pair of every question;
    ``question`` (n,) numbers from 0; ``logit`` (n,) of the approval by somebody of leniency 0.
    """

    found: NDArray[np.bool_]
    question: NDArray[np.int64]
    logit: Floats
    player_sd: float

    @property
    def questions(self) -> int:
        return int(self.question[-1]) + 1

    def approvals(self) -> Floats:
        """(contenders,): the share of the people that approves of what each found, over all questions."""
        shares: Floats = self.found.T @ marginal(self.logit, self.player_sd) / self.questions
        return shares

    def draw_people(self, count: int, rng: np.random.Generator) -> Floats:
        """(count,): leniencies."""
        return rng.normal(0.0, self.player_sd, count)

    def answer(
        self, pairs: NDArray[np.int64], leniency: Floats, rng: np.random.Generator
    ) -> NDArray[np.bool_]:
        """Whether people of these leniencies approve of these pairs, of one shape."""
        said: NDArray[np.bool_] = rng.random(pairs.shape) < expit(self.logit[pairs] + leniency)
        return said


def draw_world(
    rng: np.random.Generator,
    *,
    effects: Sequence[float],
    questions: int,
    overlap: float,
    question_sd: float,
    player_sd: float,
    level: float = 0.4,
) -> World:
    """A world in which any two contenders found the same candidate of a share ``overlap`` of the questions.

    What several found has the logit of its question; what a contender alone found has its effect besides, so
    contenders of equal effects are approved of exactly equally. ``level`` is the middle of questions' logits.
    """
    count = len(effects)
    common = rng.random((questions, count)) < np.sqrt(overlap)
    base = rng.normal(level, question_sd, questions)
    found, question, logit = [], [], []
    for number in range(questions):
        alone = np.flatnonzero(~common[number])
        rows = [common[number]] if common[number].any() else []
        rows += [np.arange(count) == place for place in alone]
        found += rows
        question += [number] * len(rows)
        logit += [base[number]] * (len(rows) - len(alone)) + [
            base[number] + effects[place] for place in alone.tolist()
        ]
    return World(np.array(found), np.array(question, np.int64), np.array(logit), player_sd)


def marginal(logit: Floats, sd: float) -> Floats:
    """The mean over people of expit(logit + leniency), leniency normal with this spread; any shape."""
    nodes, weights = hermegauss(NODES)
    chances: Floats = expit(logit[..., None] + sd * nodes) @ (weights / weights.sum())
    return chances
