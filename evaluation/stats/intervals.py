"""Intervals for an approval: shares of yes among answers that come in clusters.

One person's answers are alike, and so are different people's answers to one pair. Wilson's interval for
independent answers then covers far less than it says, so the number of answers is divided by a design effect
estimated from both kinds of cluster at once.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit

from evaluation.stats.evenness import Evenness


@dataclass(frozen=True)
class Interval:
    """A share with its bounds, all within [0, 1]."""

    estimate: float
    low: float
    high: float

    def overlaps(self, other: "Interval") -> bool:
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True)
class Difference:
    """One share minus another, with its bounds, all within [-1, 1]."""

    estimate: float
    low: float
    high: float


def subtract(first: Interval, second: Interval) -> Difference:
    """The first minus the second, from their own intervals (Newcombe 1998, method 10: MOVER).

    As if the two had nothing in common. Contenders share pairs and players, so their estimates move together
    and the difference is more certain than this says.
    """
    difference = first.estimate - second.estimate
    below = float(np.hypot(first.estimate - first.low, second.high - second.estimate))
    above = float(np.hypot(first.high - first.estimate, second.estimate - second.low))
    return Difference(difference, difference - below, difference + above)


@dataclass(frozen=True)
class Moments:
    """Integer sums over clusters that hold d yes among n answers, and the number of clusters with n > 0."""

    clusters: int
    dd: int
    dn: int
    nn: int

    def squared_residuals(self, share: float) -> float:
        """The sum over clusters of (d - share n)^2."""
        return max(0.0, self.dd - 2.0 * share * self.dn + share * share * self.nn)


@dataclass(frozen=True)
class Clustering:
    """How the answers lie over players and over pairs. A player answers one pair at most once."""

    players: Moments
    pairs: Moments


def wilson(
    yes: int, answers: int, *, effect: float = 1.0, level: float = 0.95, quantile: float | None = None
) -> Interval:
    """Wilson's score interval (Wilson 1927; Newcombe 1998, method 3), clipped to [0, 1].

    ``effect`` is how many answers count as one. ``quantile`` replaces the normal quantile of ``level``.
    Raises ValueError without answers or with more yes than answers.
    """
    if answers <= 0 or not 0 <= yes <= answers:
        raise ValueError(f"{yes} of {answers} is no share.")
    z = float(ndtri(0.5 + level / 2)) if quantile is None else quantile
    return score_interval(yes / answers, answers / effect, z)


def score_interval(share: float, worth: float, z: float) -> Interval:
    """Wilson's, of a share and the independent answers it is worth, z standard errors to either side."""
    shrink = 1 + z * z / worth
    centre = (share + z * z / (2 * worth)) / shrink
    half = z * np.sqrt(share * (1 - share) / worth + z * z / (4 * worth * worth)) / shrink
    # Rounding may leave the point outside by an ulp at 0 and 1, where the bound is the point itself.
    return Interval(
        share, float(min(share, max(0.0, centre - half))), float(max(share, min(1.0, centre + half)))
    )


@dataclass(frozen=True)
class Standing:
    """Yes among answers, how many answers count as one, and the smaller number of clusters behind them.

    ``standardised`` is the share in which every pair counts alike; without it, it is that of yes.
    """

    yes: int
    answers: int
    effect: float = 1.0
    clusters: int | None = None
    standardised: float | None = None

    @property
    def share(self) -> float:
        return self.yes / self.answers if self.standardised is None else self.standardised

    @property
    def worth(self) -> float:
        """As many independent answers say as much."""
        return self.answers / self.effect

    def interval(self, *, level: float = 0.95) -> Interval:
        """Wilson's interval on the effective number of answers, never narrower than Wilson's own.

        The quantile is Student's with one degree of freedom less than there are clusters, since the design
        effect is itself estimated from them. Never narrower, because a design effect below one says that
        answers repel each other: with few clusters that is nearly always chance, and a too short interval
        is the error that misleads.
        """
        if self.clusters is None:
            return score_interval(self.share, self.worth, float(ndtri(0.5 + level / 2)))
        freedom = max(1, self.clusters - 1)
        return score_interval(self.share, self.worth, float(stdtrit(freedom, 0.5 + level / 2)))


def stand(yes: int, answers: int, clustering: Clustering, evenness: Evenness) -> Standing:
    """The standing of answers that lie in these clusters, every pair counting alike.

    Raises ValueError without answers.
    """
    clusters = min(clustering.players.clusters, clustering.pairs.clusters)
    effect = even_effect(design_effect(yes, answers, clustering), answers, evenness)
    return Standing(yes, answers, effect, clusters, evenness.share)


def even_effect(alike: float, answers: int, evenness: Evenness) -> float:
    """How many answers count as one where every pair counts alike.

    ``alike`` is the design effect of the plain share. What unequal numbers of answers cost multiplies it, as
    weights and clusters do (Kish 1987, The Survey Statistician 17:26; Gabler, Haeder & Lahiri 1999, Survey
    Methodology 25:105). That holds where the weights have nothing to do with whose answers they are. Where a
    few players gave all answers to pairs that have few, they are worth less still: in such simulated boards
    (`tests/stats/test_newcomers_intervals.py`) the interval for one look is wrong two or three times as
    often as it says, while the one for all looks has room enough.
    """
    return alike * (1 + evenness.excess(answers))


def design_effect(yes: int, answers: int, clustering: Clustering) -> float:
    """How many times larger the variance of the share is than with independent answers; at least 1.

    Raises ValueError without answers.

    Two-way cluster-robust variance (Cameron, Gelbach & Miller 2011): players' plus pairs' minus the single
    answers', each sum of squares scaled by G / (G - 1) for its G clusters. Where the data cannot show how
    alike answers are (one cluster, or everybody said the same), answers of one cluster count as one: the
    Kish bound, sum of n^2 over sum of n.
    """
    if answers <= 0:
        raise ValueError("Without answers there is no share.")
    share = yes / answers
    ways = (clustering.players, clustering.pairs)
    kish = max(way.nn / answers for way in ways)
    if yes in (0, answers) or min(way.clusters for way in ways) < 2:
        return max(1.0, kish)
    independent = answers * share * (1 - share)
    total = sum(way.squared_residuals(share) * way.clusters / (way.clusters - 1) for way in ways)
    return max(1.0, (total - independent) / independent)


def beta_interval(
    yes: int, answers: int, *, prior_share: float, prior_answers: float, level: float = 0.95
) -> Interval:
    """A share shrunk towards ``prior_share``: posterior mean and central interval of a beta prior.

    For one player's few answers, where the raw share of 2 out of 2 would read as certainty.
    """
    alpha = yes + prior_share * prior_answers
    beta = answers - yes + (1 - prior_share) * prior_answers
    tail = (1 - level) / 2
    return Interval(
        alpha / (alpha + beta),
        float(betaincinv(alpha, beta, tail)),
        float(betaincinv(alpha, beta, 1 - tail)),
    )
