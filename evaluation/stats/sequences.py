"""Confidence sequences: intervals that may be looked at after every vote.

An interval of 95 % is right about one look. Somebody who watches a board while votes arrive looks hundreds of
times, and an interval that is right 95 % of the times is wrong at some look in two of five boards. A sequence
is wrong at any look at all in at most 5 % of them, and pays for it by being some 1.5 times as wide.
"""

from __future__ import annotations

from math import log, sqrt

from scipy.optimize import brentq
from scipy.special import ndtr, stdtrit

from evaluation.stats.intervals import Interval, Standing, score_interval

TIGHTEST = 200.0  # effective answers at which the sequence is as narrow as one can be


def watched_interval(standing: Standing, *, level: float = 0.95) -> Interval:
    """An approval's interval, right at all looks together with probability ``level``.

    Wilson's interval on the effective number of answers, with the quantile of Robbins' normal mixture at this
    number (`mixture_quantile`). With few clusters the design effect is itself uncertain, so the quantile is
    Student's of the same tail, with one degree of freedom less than there are clusters.

    The mixture bounds sums whose parts are independent of each other. Here they are not: a player comes
    again, and so does a pair. That errs on the safe side. With n_c(t) answers of cluster c up to t, the sums
    up to s < t have the covariance sum over c of n_c(s) n_c(t), at least the variance of the sum up to s:
    they are more alike than independent ones that spread as far, and by Slepian's inequality (Slepian 1962)
    the likelier to stay below a bound.

    The promise is of one share, the mean over the pairs that have answers, so it holds while these stay the
    same. With a pair's first answer that mean moves. While a newcomer's own pairs get theirs the interval is
    of the pairs answered so far, mostly those it shares with others, and may miss the share of all of them.
    """
    quantile = mixture_quantile(max(1.0, standing.worth), level=level)
    if standing.clusters is not None:
        quantile = -float(stdtrit(max(1, standing.clusters - 1), ndtr(-quantile)))
    return score_interval(standing.share, standing.worth, quantile)


def mixture_quantile(answers: float, *, level: float = 0.95, tightest: float = TIGHTEST) -> float:
    """How many standard errors wide the sequence is to either side after so many independent answers.

    The Gaussian mixture: sqrt((1 + r) / r * ln((1 + r) / a^2)) with a = 1 - ``level`` and r the answers over
    a scale, chosen so that the quantile is smallest at ``tightest`` answers (Robbins 1970; as an asymptotic
    sequence for whatever has a variance: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024).
    """
    alpha = 1 - level
    ratio = answers / tightest * _best_ratio(alpha)
    return sqrt((1 + ratio) / ratio * log((1 + ratio) / alpha**2))


def _best_ratio(alpha: float) -> float:
    """The r at which `mixture_quantile` is smallest: r = ln((1 + r) / a^2), where its derivative is zero."""
    return float(brentq(lambda r: r - log((1 + r) / alpha**2), 1e-9, 100 - 10 * log(alpha)))
