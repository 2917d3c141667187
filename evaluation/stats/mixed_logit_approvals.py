"""Approvals by the mixed logistic model: what people at large would say of what a contender finds.

Each contender is judged on the same questions, every question weighing the same for all, whoever was dealt
what; averaged over players and pairs as they spread, at the mean presentation.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import expit, logit, ndtri

from evaluation.stats.intervals import Interval
from evaluation.stats.mixed_logit import MixedLogit
from evaluation.stats.votes import Flags, Floats

_NODES, _WEIGHTS = hermegauss(60)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def standardise(
    model: MixedLogit, found: Flags, weights: Floats | None = None, *, level: float = 0.95
) -> list[Interval]:
    """The approval of each of the model's c contenders, in their order, with its interval.

    ``found`` (pairs, c): which of them found which pair, voted on or not; ``weights`` (pairs,): of the pair's
    question, the same for all where not given. The mean over normal effects is a Gauss-Hermite sum; intervals
    are by the delta method on the logit of the approval, with the error of both spreads.
    Raises ValueError where a contender found nothing that weighs.
    """
    if found.shape[1] != len(model.contenders):
        raise ValueError(f"Finders of {found.shape[1]} contenders for a model of {len(model.contenders)}.")
    given = np.ones(len(found)) if weights is None else weights
    # Few sets of finders are different, so the sums are done once for each.
    finders, where = np.unique(found, axis=0, return_inverse=True)
    shares = finders / np.maximum(1, finders.sum(axis=1, keepdims=True))
    weight = np.bincount(where.ravel(), given, len(finders))[:, None] * finders
    for name, total in zip(model.contenders, weight.sum(axis=0), strict=True):
        if total <= 0:
            raise ValueError(f"{name} found no pair of the questions asked for.")
    weight = weight / weight.sum(axis=0)
    chances, slopes = _average(model, shares)
    approvals = weight.T @ chances
    turns = weight.T @ slopes
    errors = np.sqrt(np.einsum("ij,jk,ik->i", turns, model.joint, turns)) / (approvals * (1 - approvals))
    reach = float(ndtri(0.5 + level / 2)) * errors
    middle = logit(approvals)
    bounds = zip(approvals, expit(middle - reach), expit(middle + reach), strict=True)
    return [Interval(float(one), float(low), float(high)) for one, low, high in bounds]


def _average(model: MixedLogit, shares: Floats) -> tuple[Floats, Floats]:
    """(sets of finders,) approvals, and their derivatives by logits and both spreads, (sets, c + 2)."""
    spreads = np.array([model.player_sd or 0.0, model.pair_sd or 0.0])
    spread = float(np.hypot(*spreads))
    chances = expit((shares @ model.logits)[:, None] + spread * _NODES)
    bends = chances * (1 - chances)
    by_spread = (bends * _NODES) @ _WEIGHTS
    parts = spreads / spread if spread else spreads
    slopes = np.hstack([(bends @ _WEIGHTS)[:, None] * shares, by_spread[:, None] * parts])
    return chances @ _WEIGHTS, slopes
