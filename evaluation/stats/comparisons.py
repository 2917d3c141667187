"""Who is better than whom: differences of approvals over a fixed pool of questions, watched as votes arrive.

Only votes on pairs that one of two contenders found and the other did not tell anything about their
difference. A vote dealt with a known probability also stands for the pairs that were not dealt, so the
difference is estimated without bias whatever the dealing favours, and may be looked at after every vote.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

Floats = NDArray[np.float64]
FEWEST_PLAYERS = 5  # effective ones; below, nothing is said about a difference
PLANNED_VOTES = 4000  # bounds are tightest at about so many votes
# So many answers of one player tell as much about them as everybody's do: 1 / ICC - 1 where people differ by
# one logit.
ANSWERS_BEFORE = 5.0
ROUNDS = 20  # until the votes that are needed, and the quantile they are needed for, agree


@dataclass(frozen=True)
class Answers:
    """Dopes and nopes in the order of their deals, as parallel arrays of length n.

    ``players`` (n,) are numbers from 0; ``found`` (n, contenders), bool: who found the pair; ``dopes`` (n,),
    bool; ``propensities`` (n,): how likely just this pair was, given all draws before it.
    Raises ValueError where the columns do not belong together or a propensity is no probability.
    """

    players: NDArray[np.int64]
    found: NDArray[np.bool_]
    dopes: NDArray[np.bool_]
    propensities: Floats

    def __post_init__(self) -> None:
        if len({len(self.players), len(self.found), len(self.dopes), len(self.propensities)}) > 1:
            raise ValueError("Columns of answers are of unequal length.")
        if not ((self.propensities > 0) & (self.propensities <= 1)).all():
            raise ValueError("A propensity is above 0 and at most 1: the deal's, as it was stored.")

    def __len__(self) -> int:
        return len(self.players)

    def between(self, first: int, last: int) -> Answers:
        """Those from one place to before another."""
        some = slice(first, last)
        return Answers(self.players[some], self.found[some], self.dopes[some], self.propensities[some])


@dataclass(frozen=True)
class Differences:
    """One contender's approval minus each other one's, (contenders,), after ``votes`` votes.

    ``errors`` are standard errors that allow for players being themselves; ``freedom`` their degrees of
    freedom; at ``planned`` votes the bounds are tightest.
    """

    estimates: Floats
    errors: Floats
    freedom: Floats
    votes: int
    planned: int

    def lows(self, alpha: float) -> Floats:
        """(contenders,): lower bounds, each above the truth at any look at all with probability ``alpha``.

        Minus infinity where there are too few players, or nobody judged what tells the two apart.
        """
        known = self.known
        lows = np.full_like(self.estimates, -np.inf)
        lows[known] = (self.estimates - self._reach(self.votes, alpha) * self.errors)[known]
        return lows

    @property
    def known(self) -> NDArray[np.bool_]:
        """(contenders,): where anything can be said."""
        return (self.errors > 0) & (self.freedom >= FEWEST_PLAYERS - 1)

    def needed(self, alpha: float) -> Floats:
        """(contenders,): how many more votes until the bound nearer to zero may be expected to pass it.

        Should the difference be what it looks like, and errors shrink with the root of the votes. 0 where it
        has passed; infinity where nothing is known, or there is no difference at all.
        """
        apart = np.abs(self.estimates)
        usable = self.known & (apart > 0)
        total = np.full_like(apart, self.votes)
        for _ in range(ROUNDS):
            reach = self._reach(total, alpha) * self.errors
            ratio = np.divide(reach, apart, out=np.full_like(apart, np.inf), where=usable)
            total = np.where(usable, np.maximum(1.0, self.votes * ratio**2), float(self.votes))
        needed: Floats = np.where(usable, np.maximum(0.0, total - self.votes), np.inf)
        return needed

    def _reach(self, votes: Floats | int, alpha: float) -> Floats:
        """(contenders,): standard errors to the bound, by Student's quantile, as errors are estimated too."""
        quantile = sequence_quantile(np.asarray(votes) / self.planned, alpha)
        reach: Floats = -stdtrit(np.maximum(self.freedom, 1.0), ndtr(-quantile))
        return reach


def sequence_quantile(ratio: Floats | float, alpha: float) -> Floats:
    """How many standard errors a one-sided confidence sequence lies away from the mean.

    Robbins' normal mixture as an asymptotic sequence (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024,
    *Time-uniform central limit theory and asymptotic confidence sequences*; one-sided in their appendix):
    sqrt(2 (1 + r) / r * ln(1 + sqrt(1 + r) / (2 alpha))) with r = t rho^2, and rho^2 such that it is smallest
    at ``ratio`` 1, approximately (theirs, at twice alpha): rho^2 t = -2 ln(2 alpha) + ln(1 - 2 ln(2 alpha)).
    """
    tail = -2 * np.log(2 * alpha)
    grown = ratio * (tail + np.log1p(tail))
    quantile: Floats = np.sqrt(2 * (1 + grown) / grown * np.log1p(np.sqrt(1 + grown) / (2 * alpha)))
    return quantile


class Ledger:
    """What votes say so far about differences of ``contenders``, each with a pair for each of ``questions``.

    A vote y of player k on pair p with propensity pi adds, for contender i that found it or not, c_i(p),

        x_i = c_i(p) (y - m) / (Q pi) + sum of c_i(s) (y_s - m) / Q over the pairs s that k judged before.

    The first part is Horvitz & Thompson's (1952), over the pairs that k may still get; the second adds those
    k cannot get again (Des Raj 1956), so x_i - x_j has the mean of the difference at every draw. Any m that
    is known before the vote will do, as both found one pair of every question and so it cancels: here the
    player's own share of dopes, shrunk towards everybody's, which takes out how strict they are. Pairs that
    both found, or neither, add exactly nothing to x_i - x_j.

    Left out is what `draw_pairs` holds back for one place: the other pairs of the question just asked, at
    most one question of Q. Skips are left out too: what is compared are approvals among the answered.
    """

    def __init__(self, *, contenders: int, questions: int, planned: int = PLANNED_VOTES) -> None:
        self.contenders, self.questions, self.planned = contenders, questions, planned
        self.votes, self._dopes = 0, 0
        # By player: answers and dopes, dopes and answers by contender, sums of the terms, squared weights.
        self._answered, self._agreed = np.zeros(0), np.zeros(0)
        self._said, self._asked = np.zeros((0, contenders)), np.zeros((0, contenders))
        self._sums, self._loads = np.zeros((0, contenders)), np.zeros((0, contenders, contenders))

    def add(self, answers: Answers) -> None:
        """Add the next answers; in parts or at once comes to the same."""
        if not len(answers):
            return
        players, found = answers.players, answers.found.astype(float)
        dopes = answers.dopes.astype(float)
        self._make_room(int(players.max()) + 1)
        centre = self._centre(players, dopes)
        said = self._said[players] + sum_before(found * dopes[:, None], players)
        asked = self._asked[players] + sum_before(found, players)
        weighted = found / (self.questions * answers.propensities[:, None])
        terms = weighted * (dopes - centre)[:, None] + (said - centre[:, None] * asked) / self.questions
        loads = weighted[:, :, None] * weighted[:, None, :]
        np.add.at(self._answered, players, 1.0)
        np.add.at(self._agreed, players, dopes)
        np.add.at(self._said, players, found * dopes[:, None])
        np.add.at(self._asked, players, found)
        np.add.at(self._sums, players, terms)
        np.add.at(self._loads, players, loads)
        self.votes += len(answers)
        self._dopes += int(answers.dopes.sum())

    def _centre(self, players: NDArray[np.int64], dopes: Floats) -> Floats:
        """(n,): the share of dopes expected of these players, by what was said before each answer."""
        told = self.votes + np.arange(len(dopes))
        everybody = (self._dopes + np.cumsum(dopes) - dopes + 1) / (told + 2)
        answered = self._answered[players] + sum_before(np.ones(len(dopes)), players)
        agreed = self._agreed[players] + sum_before(dopes, players)
        centre: Floats = (agreed + ANSWERS_BEFORE * everybody) / (answered + ANSWERS_BEFORE)
        return centre

    def _make_room(self, players: int) -> None:
        """Zeros for players who were not there before; twice the room, so that this is seldom done."""
        if players > len(self._answered):
            room = 2 * players - len(self._answered)
            for name in ("_answered", "_agreed", "_said", "_asked", "_sums", "_loads"):
                old = getattr(self, name)
                setattr(self, name, np.concatenate([old, np.zeros((room, *old.shape[1:]))]))

    def leader(self) -> int:
        """Who is ahead, or who comes first among equals."""
        return int(np.argmax(self._sums.sum(axis=0)))

    def compare(self, one: int) -> Differences:
        """Of this contender and each one; its difference from itself is zero without any error.

        Raises ValueError without votes. The variance is by players, whose answers are alike: squares of
        their sums around the mean, times G / (G - 1) for G players (Liang & Zeger 1986). Degrees of freedom
        are the effective number of players less one, (sum w)^2 / sum w^2 (Kish 1965) with w a player's sum of
        squared weights: few votes that stand for many pairs, or few players with most votes, tell little.
        """
        if not self.votes:
            raise ValueError("Without votes there is no difference.")
        answered = self._answered[:, None]
        sums = self._sums[:, [one]] - self._sums
        estimates = sums.sum(axis=0) / self.votes
        players = int((self._answered > 0).sum())
        squares = ((sums - answered * estimates) ** 2).sum(axis=0) * players / max(1, players - 1)
        squares[one] = 0.0
        own = np.diagonal(self._loads, axis1=1, axis2=2)
        loads = own[:, [one]] + own - 2 * self._loads[:, one]
        heaviest = (loads**2).sum(axis=0)
        worth = np.divide(loads.sum(axis=0) ** 2, heaviest, out=np.zeros(self.contenders), where=heaviest > 0)
        return Differences(estimates, np.sqrt(squares) / self.votes, worth - 1, self.votes, self.planned)


class Contest:
    """The search for the best of several contenders, looked at as often as one likes.

    ``proven`` (contenders, contenders): the highest lower bound so far of the first minus the second.
    """

    def __init__(self, contenders: int, *, level: float = 0.95) -> None:
        self.alpha = (1 - level) / max(1, contenders - 1)
        self.proven = np.full((contenders, contenders), -np.inf)
        np.fill_diagonal(self.proven, np.inf)

    def declare_winner(self, ledger: Ledger) -> int | None:
        """The leader, once it was proven better than every other one; else None.

        A false winner would have to be proven better than the best one, each time by a sequence that is wrong
        at any look with probability alpha / (contenders - 1) at most; so there is one, at any look, with
        probability alpha at most (Bonferroni). Bounds of earlier looks stand, as all of them hold together.
        """
        if not ledger.votes:
            return None
        leader = ledger.leader()
        lows = ledger.compare(leader).lows(self.alpha)
        self.proven[leader] = np.maximum(self.proven[leader], lows)
        return leader if (self.proven[leader] > 0).all() else None


def sum_before(values: Floats, groups: NDArray[np.int64]) -> Floats:
    """For each row of ``values``, (n, ...), the sum of the rows of its group, (n,), that come before it."""
    order = np.argsort(groups, kind="stable")
    ordered, sorted_groups = values[order], groups[order]
    running = np.cumsum(ordered, axis=0) - ordered
    starts = np.flatnonzero(np.r_[True, sorted_groups[1:] != sorted_groups[:-1]])
    sizes = np.diff(np.r_[starts, len(groups)])
    sums = np.empty_like(values)
    sums[order] = running - np.repeat(running[starts], sizes, axis=0)
    return sums
