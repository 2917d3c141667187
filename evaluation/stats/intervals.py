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
    effect = design_effect(find_likeness(yes, answers, clustering), answers, evenness)
    return Standing(yes, answers, effect, clusters, evenness.share)


@dataclass(frozen=True)
class Likeness:
    """How alike two answers are: their correlation where a player gave both, and where both are on one pair.

    ``each`` is how many answers the player of an answer gave, averaged over answers. ``shown`` is False where
    the answers cannot tell how alike they are: then either correlation may be 1.
    """

    players: float
    pairs: float
    each: float
    shown: bool = True


def find_likeness(yes: int, answers: int, clustering: Clustering) -> Likeness:
    """From how the plain share varies between clusters. Raises ValueError without answers.

    Nothing is shown where there is one cluster, or where everybody said the same.
    """
    if answers <= 0:
        raise ValueError("Without answers there is no share.")
    players, pairs, share = clustering.players, clustering.pairs, yes / answers
    each = players.nn / answers
    if yes in (0, answers) or min(players.clusters, pairs.clusters) < 2:
        return Likeness(1.0, 1.0, each, shown=False)
    return Likeness(_correlate(players, share, answers), _correlate(pairs, share, answers), each)


def _correlate(way: Moments, share: float, answers: int) -> float:
    """Two answers of one cluster; 0 where no cluster has two.

    Of G clusters with d yes of n, the sum of (d - share n)^2, scaled by G / (G - 1) as in cluster-robust
    variances (Cameron, Gelbach & Miller 2011), is expected to be share (1 - share) times the answers plus
    the correlation times the sum of n (n - 1).
    """
    both = way.nn - answers
    if not both:
        return 0.0
    scaled = way.squared_residuals(share) * way.clusters / (way.clusters - 1)
    return (scaled / (share * (1 - share)) - answers) / both


def design_effect(alike: Likeness, answers: int, evenness: Evenness) -> float:
    """How many answers count as one where every pair counts alike.

    The mean of m pairs' shares weighs an answer by w = 1 / (m n), n the answers on its pair. The variance of
    a weighted mean is the sum of w w' cov over all two answers (two-way clusters: Cameron, Gelbach & Miller
    2011). In units of the variance of N independent answers that makes three parts:

    * an answer with itself: N times the sum of w^2, which is `Evenness.excess` and one;
    * two on one pair, alike by ``alike.pairs``: N times the sum over pairs of n (n - 1) w^2, which is N / m
      less the first part. Differences between pairs weigh least where all pairs count alike;
    * two of one player, alike by ``alike.players``: as often as where all answers weigh the same, if weights
      have nothing to do with whose answers they are. `_share_out` says by how much more otherwise.

    Together these are at least the first part: a negative rest is nearly always chance. Where nothing shows
    how alike answers are, those of one player or those on one pair count as one, whichever says less.
    """
    uneven, even = 1 + evenness.excess(answers), answers / evenness.pairs
    by_pairs = alike.pairs * (even - uneven)
    by_players = alike.players * (alike.each - 1) * _share_out(alike, answers, evenness)
    rest = by_pairs + by_players if alike.shown else max(by_pairs, by_players)
    return uneven + max(0.0, rest)


def _share_out(alike: Likeness, answers: int, evenness: Evenness) -> float:
    """How much more players being alike costs since pairs with few answers may have them from few players.

    That takes the sum of each player's weights, squared, which no running count can hold: each vote changes
    the weights of all who judged its pair. But why numbers of answers are unequal can be told. Had players
    drawn their pairs by lot, n would vary by its mean less the sum over players of (answers / m)^2, and the
    mean of 1 / n be about 1 / (1 - c) times that of equal numbers, c being the former over the mean squared.
    So much is chance, and chance does not ask whose answers they are. What is beyond it is because some
    pairs were there longer, or are dealt more often. Where groups of pairs were judged by different players,
    who gave as many answers each, the cost of a group's players is that of its answers, and so the sum over
    groups grows by about the factor by which the first part does (Gabler, Haeder & Lahiri 1999, Survey
    Methodology 25:105). It is less where players are the same, and more where the few gave more answers each,
    or where numbers are more even within groups than by lot: then less is chance than is divided out.
    """
    chance = max(0.0, (evenness.pairs - alike.each) / answers)
    return max(1.0, (1 + evenness.excess(answers)) * (1 - chance))


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
