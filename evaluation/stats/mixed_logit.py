"""The nightly mixed logistic model: contenders compared while players, pairs and presentation are held apart.

    logit P(dope) = sum over contenders of share x effect + player + pair + presentation

A vote on a pair that several contenders found is credited with equal shares among its finders. Players and
pairs have normal effects around 0, crossed, whose spreads are estimated. Which pairs were dealt depends on
the votes before, never on what nobody saw, so votes need no weights by propensity here.

Every contender's logit and every presentation column has a normal prior around 0 with a spread of
`PRIOR_SD` logits: so weak that it moves nothing that votes can tell, and enough that a contender with
dopes alone stands at finite bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.stats.mixed_logit_laplace import Board
from evaluation.stats.mixed_logit_spreads import LARGEST, Fit, estimate
from evaluation.stats.votes import Floats, Votes

MOST_GROUPS = 5_000  # of players or of pairs, whichever are fewer: their matrix is dense (200 MB)


class NotFitted(ValueError):
    """There is nothing these votes could tell about contenders; the message names what is missing."""


@dataclass(frozen=True)
class Presentation:
    """How pairs were shown: ``values`` (n, columns), such as side, modality, place in the round, aspect.

    A column's effect is per unit of it. Contenders are compared at the columns' means over the votes.
    """

    names: Sequence[str]
    values: Floats


@dataclass(frozen=True)
class Coefficient:
    """The effect of one unit of a presentation column, in logits, and its standard error."""

    name: str
    estimate: float
    error: float


@dataclass(frozen=True)
class MixedLogit:
    """What the votes say about c contenders, in logits.

    ``logits`` (c,): of approval by the middle player on the middle pair that this contender alone found;
    ``credit`` (c,): the share of all votes that each is credited with; ``joint`` (c + 2, c + 2): covariance
    of logits, spread of players and spread of pairs. A spread is None where the votes cannot tell it, and
    counts as 0. ``left_out``: contenders without votes. ``notes``: what to bear in mind, in words.
    """

    contenders: tuple[str, ...]
    left_out: tuple[str, ...]
    logits: Floats
    credit: Floats
    player_sd: float | None
    pair_sd: float | None
    joint: Floats
    presentation: tuple[Coefficient, ...]
    converged: bool
    notes: tuple[str, ...]

    @property
    def level(self) -> float:
        """The mean logit over the votes, as they are credited: what effects are relative to."""
        return float(self.credit @ self.logits)

    @property
    def effects(self) -> Floats:
        """(c,): logits above `level`; their mean weighted by ``credit`` is 0.

        Weighted, because one hardly voted on would make a plain mean, and so every effect, uncertain.
        """
        return self.logits - self.level

    @property
    def covariance(self) -> Floats:
        """(c, c): of the effects; of rank c - 1, since they are relative to their mean."""
        count = len(self.contenders)
        turn = np.eye(count) - self.credit
        turned: Floats = turn @ self.joint[:count, :count] @ turn.T
        return turned


def fit_mixed_logit(
    votes: Votes, contenders: Sequence[str], presentation: Presentation | None = None
) -> MixedLogit:
    """Fits the model to votes for contenders of these names; votes' weights are not looked at.

    Raises NotFitted where votes cannot compare contenders (none, all the same, on fewer than two contenders)
    or where players and pairs are both more than `MOST_GROUPS`; ValueError where arrays do not fit together.
    """
    _check(votes, contenders, presentation)
    finders = votes.found[votes.pair]
    shares = finders / finders.sum(axis=1, keepdims=True)
    credit = shares.mean(axis=0)
    present = np.flatnonzero(credit > 0)
    names = tuple(name for name, part in zip(contenders, credit, strict=True) if part > 0)
    if len(names) < 2:
        raise NotFitted(f"All votes are on pairs that only {names[0]} found; it takes two contenders.")
    columns, scales, steady = _standardise(presentation, len(votes))
    fixed = np.hstack([shares[:, present], columns])
    done, free = _fit_groups(votes, fixed)
    kept = np.append(np.arange(len(names)), [-2, -1])
    return MixedLogit(
        names,
        tuple(name for name, part in zip(contenders, credit, strict=True) if part == 0),
        done.fixed[: len(names)],
        credit[present],
        float(done.spreads[0]) if free[0] else None,
        float(done.spreads[1]) if free[1] else None,
        done.covariance[np.ix_(kept, kept)],
        _describe(presentation, steady, scales, done, len(names)),
        done.converged,
        (
            *_note_groups(votes, done, free),
            *_note_contenders(votes, names, shares[:, present]),
            *(f"{name} was the same on every vote and is left out." for name in steady),
        ),
    )


def _fit_groups(votes: Votes, fixed: Floats) -> tuple[Fit, tuple[bool, bool]]:
    """The fit with players' spread first, and which of players' and pairs' spreads can be told."""
    groups = [np.unique(one, return_inverse=True)[1] for one in (votes.player, votes.pair)]
    sizes = [np.bincount(one) for one in groups]
    free = tuple(len(one) > 1 and int(one.max()) > 1 for one in sizes)
    # What cannot be told is one group without an effect; what is told alone, or is more, is integrated out.
    groups = [one if can else np.zeros_like(one) for one, can in zip(groups, free, strict=True)]
    counts = [len(size) if can else 1 for size, can in zip(sizes, free, strict=True)]
    inner = int(counts[1] >= counts[0])
    if min(counts) > MOST_GROUPS:
        raise NotFitted(
            f"{counts[0]:,} players on {counts[1]:,} pairs are too many at once; of one of them at most "
            f"{MOST_GROUPS:,} fit. Take the votes of fewer days, or of some players drawn by chance."
        )
    order = np.argsort(groups[inner], kind="stable")
    board = Board(votes.dope[order], fixed[order], groups[1 - inner][order], groups[inner][order])
    done = estimate(board, (free[1 - inner], free[inner]))
    if inner == 0:
        turned = np.append(np.arange(fixed.shape[1]), fixed.shape[1] + np.array([1, 0]))
        done = Fit(done.fixed, done.spreads[::-1], done.covariance[np.ix_(turned, turned)], done.converged)
    return done, (free[0], free[1])


def _check(votes: Votes, contenders: Sequence[str], presentation: Presentation | None) -> None:
    count = len(votes)
    if votes.found.shape[1] != len(contenders):
        raise ValueError(f"{len(contenders)} names for {votes.found.shape[1]} contenders.")
    if not count:
        raise NotFitted("There are no votes.")
    if votes.dope.all() or not votes.dope.any():
        word = "dope" if votes.dope[0] else "nope"
        raise NotFitted(f"All {count:,} votes are {word}: nothing tells contenders apart.")
    orphans = np.unique(votes.pair[~votes.found[votes.pair].any(axis=1)])
    if len(orphans):
        raise ValueError(f"Pair {orphans[0]} has votes, but no contender found it.")
    if presentation is None:
        return
    if presentation.values.shape != (count, len(presentation.names)):
        raise ValueError(f"Presentation of shape {presentation.values.shape} for {count} votes.")
    for name, column in zip(presentation.names, presentation.values.T, strict=True):
        if not np.isfinite(column).all():
            raise ValueError(f"The presentation column {name} has values that are no numbers.")


def _standardise(presentation: Presentation | None, count: int) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Columns of mean 0 and spread 1, (n, kept), their spreads, and names of those that never vary."""
    if presentation is None:
        return np.zeros((count, 0)), np.zeros(0), ()
    values = np.asarray(presentation.values, float)
    varies = np.ptp(values, axis=0) > 0
    steady = tuple(name for name, one in zip(presentation.names, varies, strict=True) if not one)
    values = values[:, varies]
    scales = values.std(axis=0)
    return (values - values.mean(axis=0)) / scales, scales, steady


def _describe(
    presentation: Presentation | None, steady: tuple[str, ...], scales: Floats, done: Fit, first: int
) -> tuple[Coefficient, ...]:
    names = [name for name in presentation.names if name not in steady] if presentation else []
    errors = np.sqrt(np.diagonal(done.covariance))
    return tuple(
        Coefficient(name, float(done.fixed[place] / scale), float(errors[place] / scale))
        for place, (name, scale) in enumerate(zip(names, scales, strict=True), first)
    )


def _note_groups(votes: Votes, done: Fit, free: tuple[bool, bool]) -> list[str]:
    notes = []
    for word, numbers, can, spread in zip(
        ("player", "pair"), (votes.player, votes.pair), free, done.spreads, strict=True
    ):
        if not can and (numbers == numbers[0]).all():
            notes.append(f"All votes are of one {word}: how far {word}s differ cannot be told.")
        elif not can:
            notes.append(f"No {word} has two votes: how far {word}s differ cannot be told.")
        elif spread >= LARGEST:
            notes.append(f"{word.capitalize()}s differ by {LARGEST:g} logits or more, the most allowed.")
    if not done.converged and (done.spreads < LARGEST).all():
        notes.append("The fit did not converge: its figures are no result.")
    return notes


def _note_contenders(votes: Votes, names: tuple[str, ...], shares: Floats) -> list[str]:
    """About those whose effect leans on the prior."""
    notes = []
    for place, name in enumerate(names):
        answers = votes.dope[shares[:, place] > 0]
        if answers.all() or not answers.any():
            word = "dope" if answers[0] else "nope"
            notes.append(f"Every vote on {name} is {word}: how far it stands off rests on the prior.")
        twins = [
            names[other]
            for other in range(place)
            if np.array_equal(shares[:, other] > 0, shares[:, place] > 0)
        ]
        if twins:
            notes.append(f"{name} and {twins[0]} were voted on in the same pairs: they cannot be told apart.")
    return notes
