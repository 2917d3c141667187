"""Checks of a player's answers against those of everybody else.

What the others say of a pair tells how likely this player says dope. Two things may be odd beyond luck: that
the answers go against the others', and that they go with what one contender found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from evaluation.stats.vetting import LEVEL, Check, Finding, State, not_run
from evaluation.stats.votes import Flags, Floats, Places, Votes

LENIENCY_SD = 1.5  # of people, in logits, before a player's own answers tell theirs
STEPS = 25
DRAWS = 10_000
PLAIN = 0.02  # where the normal distribution says so much, nothing is drawn
FEWEST = 5
SMALLEST = 0.25  # variance of a contender's statistic below which the player said nothing about it


@dataclass(frozen=True)
class Crowd:
    """Everybody's answers by pair (m,), and how they spread: pairs' shares are beta-distributed.

    ``strength`` is how many answers the distribution is worth; ``found`` (m, c) who found each pair.
    """

    dopes: Floats
    answers: Floats
    share: float
    strength: float
    found: Flags

    def without(self, pair: Places, dope: Flags) -> Floats:
        """(m,): the logit of a dope on each pair, from everybody's answers but these, one player's."""
        answers = self.answers - np.bincount(pair, minlength=len(self.answers))
        dopes = self.dopes - np.bincount(pair, dope, len(self.answers))
        others: Floats = logit((dopes + self.strength * self.share) / (answers + self.strength))
        return others


def gather(votes: Votes) -> Crowd:
    """What everybody says. How alike two answers on one pair are tells how far pairs' shares spread."""
    answers = np.bincount(votes.pair, minlength=len(votes.found)).astype(float)
    dopes = np.bincount(votes.pair, votes.dope, len(votes.found)).astype(float)
    share = float((dopes.sum() + 1) / (answers.sum() + 2))
    twice = float((answers * (answers - 1)).sum())
    both = float((dopes * (dopes - 1)).sum()) / twice if twice else share**2
    alike = float(np.clip((both - share**2) / (share * (1 - share)), 0.001, 0.95))
    return Crowd(dopes, answers, share, 1 / alike - 1, votes.found)


def check_agreement(crowd: Crowd, pair: Places, dope: Flags, *, seed: int = 0) -> Finding:
    """Whether one player's answers go with the others', given how lenient the player is.

    The score of the others' logits, that is the derivative of the log likelihood by how much they matter,
    against what it would be if they mattered as to everybody. It is unknown where somebody who answers by
    lot would pass more often than not.
    """
    if len(pair) < FEWEST:
        return not_run(Check.AGREEMENT, f"{len(pair)} answers: too few to tell")
    others = crowd.without(pair, dope)[pair]
    [score], [spread], drawn = _score(others[:, None], dope, _expect(others, dope), seed)
    chance = _chance(float(ndtr(score)), drawn[:, 0] <= score)
    reason = f"answers go with the others' by {score:+.1f} standard deviations more than is usual"
    if chance < LEVEL:
        return Finding(Check.AGREEMENT, State.FAIL, reason, chance)
    if spread < -float(ndtri(LEVEL)):
        return not_run(Check.AGREEMENT, f"{len(pair)} answers on pairs much alike: too few to tell")
    return Finding(Check.AGREEMENT, State.PASS, reason, chance)


def check_favour(
    crowd: Crowd, pair: Places, dope: Flags, skipped: Places | None = None, *, seed: int = 0
) -> Finding:
    """Whether one player says dope where one contender found the pair, or where it did not, beyond luck.

    Pairs that were ``skipped`` (k,) count as no dopes: who waits for one contender's pairs shows it by what
    they pass over. The largest score among contenders, against the largest of drawn answers.
    """
    dealt = pair if skipped is None else np.concatenate([pair, skipped])
    said = dope if skipped is None else np.concatenate([dope, np.zeros(len(skipped), bool)])
    if len(dealt) < FEWEST:
        return not_run(Check.FAVOUR, f"{len(dealt)} pairs: too few to tell")
    expected = _expect(crowd.without(pair, dope)[dealt], said)
    score, spread, drawn = _score(crowd.found[dealt].astype(float), said, expected, seed)
    usable = spread**2 >= SMALLEST
    if not usable.any():
        return not_run(Check.FAVOUR, "the same contenders found nearly all pairs")
    contender = int(np.argmax(np.where(usable, np.abs(score), -1)))
    largest = float(np.abs(score[contender]))
    normal = min(1.0, 2 * int(usable.sum()) * float(ndtr(-largest)))
    chance = _chance(normal, np.abs(drawn[:, usable]).max(axis=1, initial=0) >= largest)
    reason = f"dopes go with what one contender found by {score[contender]:+.1f} standard deviations"
    state = State.FAIL if chance < LEVEL else State.PASS
    return Finding(Check.FAVOUR, state, reason, chance, contender)


def _expect(others: Floats, said: Flags) -> Floats:
    """(n,): the chance of each dope, by the others' logits and the likeliest leniency."""
    lenient = 0.0
    for _ in range(STEPS):
        chances = expit(others + lenient)
        slope = float(said.sum() - chances.sum()) - lenient / LENIENCY_SD**2
        curvature = float((chances * (1 - chances)).sum()) + 1 / LENIENCY_SD**2
        lenient += float(np.clip(slope / curvature, -2, 2))
    expected: Floats = expit(others + lenient)
    return expected


def _score(columns: Floats, said: Flags, expected: Floats, seed: int) -> tuple[Floats, Floats, Floats]:
    """Of k columns (n, k): what dopes go with them beyond what is expected, its spread, and the same drawn.

    Columns are taken about their means by variance, so that leniency, which was fitted, drops out. Both what
    was found and what is drawn, (draws, k), are in units of the spread. Nothing is drawn where no column is
    anywhere near `LEVEL`.
    """
    variances = expected * (1 - expected)
    centred = columns - variances @ columns / variances.sum()
    spread: Floats = np.sqrt(variances @ centred**2)
    unit = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    score: Floats = (said - expected) @ unit
    draws = DRAWS if 2 * len(score) * ndtr(-np.abs(score).max()) < PLAIN else 0
    answers = np.random.default_rng(seed).random((draws, len(said))) < expected
    drawn: Floats = (answers - expected) @ unit
    return score, spread, drawn


def _chance(normal: float, beyond: Flags) -> float:
    """The share of draws beyond what was found, itself among them; by the normal distribution without any."""
    return (1 + int(beyond.sum())) / (1 + len(beyond)) if len(beyond) else normal
