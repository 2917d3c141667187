"""Does the interval of an approval hold the truth as often as it says, and how wide is it?

60 people give 25 votes each and differ by one logit. Beside ours: Wilson's for independent votes, and an
oracle's, which knows how far people and pairs spread and so by how much answers of one cluster are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from evaluation.stats.evenness import Evenness
from evaluation.stats.intervals import Clustering, Moments, stand, wilson
from evaluation.stats.simulated.crowd import NODES, Floats, marginal
from evaluation.stats.simulated.study import Outcome, Study, error_of, mean_of
from evaluation.stats.votes import sum_evenness

PEOPLE, VOTES, PAIRS = 60, 25, 150
PLAYER_SD, PAIR_SD, LEVEL = 1.0, 0.3, 0.4


def repeat(rng: np.random.Generator) -> Outcome:
    """One board: whether each interval held the truth, and how wide they were."""
    people, good = rng.normal(0, PLAYER_SD, (PEOPLE, 1)), rng.normal(LEVEL, PAIR_SD, PAIRS)
    shown = rng.random((PEOPLE, PAIRS)).argsort(axis=1)[:, :VOTES]  # nobody judges a pair twice
    said = rng.random(shown.shape) < expit(good[shown] + people)
    standing = stand(int(said.sum()), said.size, cluster(said, shown), spread_evenly(said, shown))
    truth = float(marginal(np.array(LEVEL), float(np.hypot(PLAYER_SD, PAIR_SD))))
    naive, ours = wilson(standing.yes, standing.answers), standing.interval()
    oracle = wilson(standing.yes, standing.answers, effect=oracle_effect(shown))
    return {
        "naive": naive.low <= truth <= naive.high,
        "design": ours.low <= truth <= ours.high,
        "oracle": oracle.low <= truth <= oracle.high,
        "width": ours.high - ours.low,
        "oracle_width": oracle.high - oracle.low,
    }


def sum_up(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    ratio = mean_of(outcomes, "width") / mean_of(outcomes, "oracle_width")
    ratios = [{"ratio": one["width"] / one["oracle_width"]} for one in outcomes]
    names = ("naive", "design", "oracle")
    coverage = {name: mean_of(outcomes, name) for name in names}
    errors = {f"{name}_se": error_of(outcomes, name) for name in names}
    return {
        "coverage": coverage | errors,
        "width_ratio": ratio,
        "width_ratio_se": error_of(ratios, "ratio"),
    }


def cluster(said: NDArray[np.bool_], shown: NDArray[np.int64]) -> Clustering:
    """How answers, (people, votes), on the pairs of these numbers lie over people and pairs."""
    count = int(shown.max()) + 1
    answers = np.bincount(shown.ravel(), minlength=count)
    yes = np.bincount(shown.ravel(), weights=said.ravel(), minlength=count).astype(np.int64)
    people = moments_of(said.sum(axis=1), np.full(len(said), said.shape[1]))
    return Clustering(people, moments_of(yes, answers))


def spread_evenly(said: NDArray[np.bool_], shown: NDArray[np.int64]) -> Evenness:
    """How answers on the pairs of these numbers, of any one shape, lie over the pairs."""
    answers = np.bincount(shown.ravel())
    return sum_evenness(np.bincount(shown[said], minlength=len(answers)), answers)


def moments_of(yes: NDArray[np.int64], answers: NDArray[np.int64]) -> Moments:
    """The sums over clusters with so many yes among so many answers."""
    sums = (int((one * other).sum()) for one, other in ((yes, yes), (yes, answers), (answers, answers)))
    return Moments(int((answers > 0).sum()), *sums)


def oracle_effect(shown: NDArray[np.int64]) -> float:
    """By how much the variance is larger than of independent answers, by the spreads that made the answers.

    Kish: 1 + sum over clusters of n (n - 1) / answers times the correlation of two answers of one cluster.
    """
    answers = np.bincount(shown.ravel())
    alike = float((answers * (answers - 1)).sum()) / shown.size
    within_person, within_pair = correlation(PLAYER_SD, PAIR_SD), correlation(PAIR_SD, PLAYER_SD)
    return 1 + (VOTES - 1) * within_person + alike * within_pair


def correlation(shared: float, other: float) -> float:
    """Of two answers whose logits share a normal effect of one spread and have another of their own."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights = weights / weights.sum()
    chances: Floats = marginal(LEVEL + shared * nodes, other)
    middle = float(chances @ weights)
    return float((chances - middle) ** 2 @ weights) / (middle * (1 - middle))


COVERAGE = Study("coverage", repeat, sum_up, effort=10)
