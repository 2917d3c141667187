"""Approvals by slice: of one category, with one aspect, in one month.

A slice has few votes of its own. It is drawn towards the contender's approval over all votes, the more the
fewer its votes and the less the contender's slices differ; where it would be little else, it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaincinv, betaln, ndtri, stdtrit

from evaluation.stats.intervals import Interval, Standing
from evaluation.stats.votes import Flags, Floats, Votes, count_standings

# Of 10 answers with 5 dopes Wilson's interval reaches from .24 to .76: with fewer, the total says it all.
FEWEST_ANSWERS = 10.0
FEWEST_CLUSTERS = 5  # as on the board: how alike few people's answers are is hardly known
# A wider interval does not tell what one person in three likes from what two in three do.
WIDEST = 1 / 3
NODES = 9  # quantiles that stand for what the total may be
# How far slices may lie from the total, in shares of the most they can. Before the data their standard
# deviation s is as likely as s / (1 + (s / scale)^2): none at all is ruled out, as few slices would often
# have it, wrongly (Chung, Rabe-Hesketh, Dorie, Gelman & Liu 2013, Psychometrika 78:685).
SPREADS = np.geomspace(0.01, 1, 20)
PRIOR_SCALE = 0.15
BISECTIONS = 30


@dataclass(frozen=True)
class SliceStanding:
    """``pooled`` is None where there are not enough votes; ``own`` None without any.

    ``worth`` is how many independent answers the slice's own are worth.
    """

    own: Interval | None
    worth: float
    pooled: Interval | None

    @property
    def enough(self) -> bool:
        return self.pooled is not None


def stand_by_slice(votes: Votes, slices: Sequence[Flags]) -> list[list[Standing | None]]:
    """(contenders, slices): by counts. ``slices`` are the votes of each, (n,); they may overlap."""
    by_slice = [count_standings(votes.only(kept)) for kept in slices]
    return [[standings[contender] for standings in by_slice] for contender in range(votes.found.shape[1])]


def pool_slices(
    total: Standing | None, slices: Sequence[Standing | None], *, level: float = 0.95
) -> list[SliceStanding]:
    """One contender's slices, partially pooled.

    Slices' approvals are taken to be beta-distributed around the total (the beta-binomial model: Skellam
    1948), in effective answers. The spread of the distribution, and the total within its own error, are
    averaged over by how well each explains all slices, not fixed at the best: with few slices the best one
    is often "no spread at all" (Kass & Steffey 1989, Journal of the American Statistical Association 84:717).
    The estimate is the mean of that posterior, the interval its central ``level``.
    """
    if total is None:
        return [SliceStanding(None, 0.0, None) for _ in slices]
    worth = np.array([_worth(one, level) for one in slices])
    dopes = np.array([one.share if one else 0.0 for one in slices]) * worth
    centre, spread = _grid(total, worth, level)
    strength = centre * (1 - centre) / spread**2 - 1  # of the beta distribution, in answers
    alpha = centre * strength + dopes[:, None, None]
    beta = (1 - centre) * strength + (worth - dopes)[:, None, None]
    explained = (betaln(alpha, beta) - betaln(centre * strength, (1 - centre) * strength)).sum(axis=0)
    weights = _weigh(explained, spread)
    means, low, high = _summarise(alpha, beta, weights, (1 - level) / 2)
    return [
        _judge(
            one, float(worth[place]), Interval(*map(float, (means[place], low[place], high[place]))), level
        )
        for place, one in enumerate(slices)
    ]


def _judge(standing: Standing | None, worth: float, pooled: Interval, level: float) -> SliceStanding:
    if standing is None:
        return SliceStanding(None, 0.0, None)
    known = standing.clusters is None or standing.clusters >= FEWEST_CLUSTERS
    enough = known and worth >= FEWEST_ANSWERS and pooled.high - pooled.low <= WIDEST
    return SliceStanding(standing.interval(level=level), worth, pooled if enough else None)


def _worth(standing: Standing | None, level: float) -> float:
    """Effective answers; fewer still where the design effect comes from few clusters (Student's quantile)."""
    if standing is None:
        return 0.0
    effective = standing.worth
    if standing.clusters is None:
        return effective
    normal = float(ndtri(0.5 + level / 2))
    students = float(stdtrit(max(1, standing.clusters - 1), 0.5 + level / 2))
    return effective * (normal / students) ** 2


def _grid(total: Standing, worth: Floats, level: float) -> tuple[Floats, Floats]:
    """Spreads, and for each what the slices may lie around, at equal steps of its probability: (k, s) each.

    Around the total, off by its own error and by that of few slices standing for all there might be: the
    spread over the root of their effective number. Spreads end where the beta distribution gets two peaks.
    """
    own = _worth(total, level)
    share = (own * total.share + 0.5) / (own + 1)
    spread = np.sqrt(share * (1 - share) / 2) * SPREADS
    concentration = float(worth @ worth) / max(float(worth.sum()) ** 2, 1e-12)
    variance = share * (1 - share) / (own + 2) + spread**2 * concentration
    strength = share * (1 - share) / variance - 1
    steps = (np.arange(NODES)[:, None] + 0.5) / NODES
    centre = np.clip(betaincinv(share * strength, (1 - share) * strength, steps), 1e-3, 1 - 1e-3)
    return centre, np.minimum(spread, np.sqrt(centre * (1 - centre) / 2))


def _weigh(explained: Floats, spread: Floats) -> Floats:
    """(k, s): how likely each spread is, every centre as often: the total has counted the answers before."""
    prior = 2 * np.log(spread) - np.log1p((spread / PRIOR_SCALE) ** 2)  # once for steps that grow with it
    logs = explained + prior
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    weighed: Floats = weights / weights.sum(axis=1, keepdims=True) / len(spread)
    return weighed


def _summarise(alpha: Floats, beta: Floats, weights: Floats, tail: float) -> tuple[Floats, Floats, Floats]:
    """(slices,) each: mean and quantiles of mixtures of beta distributions, (slices, k, s)."""
    means: Floats = (alpha / (alpha + beta) * weights).sum(axis=(1, 2))
    return means, _quantile(alpha, beta, weights, tail), _quantile(alpha, beta, weights, 1 - tail)


def _quantile(alpha: Floats, beta: Floats, weights: Floats, share: float) -> Floats:
    low, high = np.zeros(len(alpha)), np.ones(len(alpha))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = (betainc(alpha, beta, middle[:, None, None]) * weights).sum(axis=(1, 2)) < share
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2
