"""Approvals of all contenders together: how far each may be off, and how far they move together.

Contenders share pairs, questions and players, so much of what makes one look good by luck makes its rivals
look good as well, and drops out of their difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from evaluation.stats.votes import Floats, Places, Votes

PSEUDO = 4.0  # answers, half of them dopes, that keep a variance from vanishing (Agresti & Coull 1998)


@dataclass(frozen=True)
class Approvals:
    """Of c contenders: ``estimates`` (c,), NaN without votes, and their ``covariance`` (c, c), zeros there.

    ``freedom`` (c, c): of Student's t for the difference of two.
    """

    estimates: Floats
    covariance: Floats
    freedom: Floats

    def errors(self) -> Floats:
        """(c, c): the standard error of the difference of any two."""
        errors: Floats = np.sqrt(_of_differences(self.covariance))
        return errors


def estimate_approvals(votes: Votes) -> Approvals:
    """Shares of dopes by weight, with their two-way cluster-robust covariance.

    The share is Hajek's, weighted dopes over weights: with inverse propensities each pair stands in it as
    often as in the fixed set, however often it was dealt (Hajek 1971).

    The covariance is the players' plus the questions' minus that of what one player said on one question,
    of linearised shares (Cameron, Gelbach & Miller 2011, section 2), then made positive semidefinite.
    Questions, not pairs: a contender found one pair of each, so its own variance is the same, and what makes
    a question easy or hard for everybody drops out of the differences. Of G clusters with votes for a
    contender its sums are scaled by sqrt(G / (G - 1)).

    No variance is less than with 2 dopes and 2 nopes more, in effective answers: otherwise a contender with
    nothing but dopes would be certain of its share.
    """
    weights, questions = votes.weights, votes.question[votes.pair]
    totals = _total(votes, weights)
    shares = np.divide(
        _total(votes, weights * votes.dope), totals, out=np.full(len(totals), np.nan), where=totals > 0
    )
    known = np.nan_to_num(shares)
    per_vote = np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)
    both = votes.player * (questions.max(initial=0) + 1) + questions
    cells = np.unique(both, return_inverse=True)[1]
    covariance = -_gram(_linearise(votes, cells, known, per_vote))
    kish = np.full(len(totals), np.inf)
    ways = []
    for groups in (votes.player, questions):
        sizes = votes.sum_by(groups, weights).toarray()
        clusters = (sizes > 0).sum(axis=0)
        scale = np.sqrt(clusters / np.maximum(1, clusters - 1))
        way = _gram(_linearise(votes, groups, known, per_vote * scale))
        covariance += way
        ways.append((_of_differences(way), _clusters_apart(votes, groups) - 1))
        kish = np.minimum(kish, _effective(sizes))
    covariance = _clip(covariance) * np.outer(totals > 0, totals > 0)
    freedom = _freedom(_of_differences(covariance), ways)
    covariance += np.diag(_lacking(known, np.diag(covariance), kish))
    return Approvals(shares, covariance, freedom)


def _total(votes: Votes, values: Floats) -> Floats:
    """(c,): the sums of ``values`` (n,) over the votes on what each contender found."""
    on_pairs = np.bincount(votes.pair, values, len(votes.found)).astype(float)
    total: Floats = votes.found.T @ on_pairs
    return total


def _linearise(votes: Votes, groups: Places, shares: Floats, scale: Floats) -> csr_array:
    """(groups, c): sums over each group of weight x (dope - share) x scale, of what each contender found."""
    dopes = votes.sum_by(groups, votes.weights * votes.dope)
    answers = votes.sum_by(groups, votes.weights)
    return (dopes - answers.multiply(shares[None, :]).tocsr()).multiply(scale[None, :]).tocsr()


def _gram(sums: csr_array) -> Floats:
    gram: Floats = (sums.T @ sums).toarray()
    return gram


def _clip(matrix: Floats) -> Floats:
    """The nearest positive semidefinite matrix (Higham 1988)."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    clipped: Floats = (vectors * np.maximum(values, 0)) @ vectors.T
    return clipped


def _effective(sizes: Floats) -> Floats:
    """(c,): of clusters of these sizes (g, c), how many of equal size they are worth (Kish 1965).

    The squared sum over the sum of squares, so that a few busy players are worth few; 0 without any.
    """
    squares = (sizes**2).sum(axis=0)
    return np.asarray(
        np.divide(sizes.sum(axis=0) ** 2, squares, out=np.zeros_like(squares), where=squares > 0)
    )


def _lacking(shares: Floats, variances: Floats, kish: Floats) -> Floats:
    """(c,): how much each variance falls short of the least it may be.

    Where answers show no variance, those of one cluster count as one.
    """
    mixed = shares * (1 - shares)
    shown = (variances > 0) & (mixed > 0)
    worth = np.divide(mixed, variances, out=kish.copy(), where=shown)
    centre = (shares * worth + PSEUDO / 2) / (worth + PSEUDO)
    least = centre * (1 - centre) / (worth + PSEUDO)
    return np.where(kish > 0, np.maximum(0, least - variances), 0)


def _of_differences(covariance: Floats) -> Floats:
    """(c, c): variances of differences."""
    own = np.diag(covariance)
    variances: Floats = np.maximum(0, own[:, None] + own[None, :] - 2 * covariance)
    return variances


def _clusters_apart(votes: Votes, groups: Places) -> Floats:
    """(c, c): effective clusters of the votes that count for one of two contenders alone."""
    shape = (int(groups.max(initial=-1)) + 1, len(votes.found))
    on_pairs = csr_array((votes.weights, (groups, votes.pair)), shape=shape)
    alone = (votes.found[:, [one]] ^ votes.found for one in range(votes.found.shape[1]))
    return np.array([_effective(on_pairs @ each.astype(float)) for each in alone])


def _freedom(variances: Floats, ways: Sequence[tuple[Floats, Floats]]) -> Floats:
    """(c, c): of a variance that is a sum of estimates with freedom of their own (Satterthwaite 1946).

    At most the least of those, at least 1.
    """
    noise = sum(each**2 / np.maximum(freedom, 1) for each, freedom in ways)
    together = np.divide(variances**2, noise, out=np.ones_like(variances), where=noise > 0)
    least = np.minimum(*(freedom for _, freedom in ways))
    at_least_one: Floats = np.maximum(1, np.minimum(together, least))
    return at_least_one
