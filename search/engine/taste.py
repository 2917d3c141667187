"""One person's taste: how much each mask of a conditional network weighs for them, by what they said.

Parts are embedding spaces of the same items: first the whole one, then one per mask. The private distance of
two items is the sum over parts k of w_k d_k / s_k, with d_k the squared distance in the part and s_k the mean
of it over what was answered. A person is taken to say dope with 1 / (1 + exp(distance - b)), and to pick a
rather than c for a target with 1 / (1 + exp(distance(a) - distance(c))). Learned are b and w, none below
zero: those under which the answers are likeliest, the weights of masks drawn to zero by a normal prior. At
zero the distance orders items as the whole space does, which is everybody's. How strong the prior is, up to
masks that weigh nothing, is chosen by cross-validation over questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from search.engine.metrics import Gallery

Floats = NDArray[np.float64]
FOLDS = 5
SPREADS = (0.0, 1.0, 3.0, 10.0)  # of the prior of the masks' weights; nought: everybody's
LEVEL_SPREAD = 10.0  # of the prior of b and of the whole space's weight: nearly none
AT_ONCE = 64  # questions searched for together


@dataclass(frozen=True)
class Said:
    """n votes and m picks of one person, as squared distances by part.

    ``votes`` (n, parts) from the question to the candidate, ``dope`` (n,); ``picked`` and ``passed``
    (m, parts) from the target to what was picked and to something else on the slate, ``weights`` (m,) how
    much each counts. ``questions`` (n + m,) number what was asked, votes first. Raises ValueError where the
    columns do not belong together.
    """

    votes: Floats
    dope: NDArray[np.bool_]
    picked: Floats
    passed: Floats
    weights: Floats
    questions: NDArray[np.int64]

    def __post_init__(self) -> None:
        told = len(self.votes) + len(self.picked)
        alike = len(self.votes) == len(self.dope), len(self.picked) == len(self.passed) == len(self.weights)
        if not all(alike) or len(self.questions) != told or self.votes.shape[1:] != self.picked.shape[1:]:
            raise ValueError("Columns of votes and picks do not belong together.")


@dataclass(frozen=True)
class Taste:
    """``weights`` (parts,) of squared distances, the masks' all nought where everybody's order does as well.

    ``shares`` (parts,) sum to one: how much of a distance, on the whole, comes from each part.
    """

    weights: Floats
    shares: Floats

    @property
    def is_own(self) -> bool:
        return bool(self.weights[1:].any())


def learn_taste(said: Said, *, seed: int) -> Taste:
    """The weights that answers ask for; the same for the same answers. ``seed`` draws the folds."""
    signs = np.where(said.dope, 1.0, -1.0)
    # A row's part in the likelihood is weight * log(1 + exp(-(slopes @ (b, w)))).
    slopes = np.vstack(
        [
            np.column_stack([signs, -signs[:, None] * said.votes]),
            np.column_stack([np.zeros(len(said.picked)), said.passed - said.picked]),
        ]
    )
    weights = np.concatenate([np.ones(len(said.votes)), said.weights])
    # By what was answered, not by what was said: so a scale tells nothing of the answers.
    scales = np.vstack([said.votes, said.picked, said.passed]).mean(axis=0)
    scales[scales <= 0] = 1.0
    slopes[:, 1:] /= scales
    losses = [_validate(slopes, weights, said.questions, spread, seed=seed) for spread in SPREADS]
    best = SPREADS[int(np.argmin(losses))]
    learned = _fit(slopes, weights, best)[1:]
    if not learned.any():  # the answers contradict every distance there is
        learned[0] = 1.0
    return Taste(learned / scales, learned / learned.sum())


def _validate(
    slopes: Floats, weights: Floats, questions: NDArray[np.int64], spread: float, *, seed: int
) -> float:
    """Minus the mean log likelihood of answers on questions that were kept from learning."""
    known, number = np.unique(questions, return_inverse=True)
    fold = (np.random.default_rng(seed).permutation(len(known)) % FOLDS)[number]
    total = 0.0
    for turn in range(min(FOLDS, len(known))):
        kept = fold == turn
        learned = _fit(slopes[~kept], weights[~kept], spread)
        total += float(weights[kept] @ np.logaddexp(0.0, -(slopes[kept] @ learned)))
    return total / float(weights.sum())


def _fit(slopes: Floats, weights: Floats, spread: float) -> Floats:
    """(1 + parts,): b, then the parts' weights. The problem is convex, so there is one answer."""
    width = slopes.shape[1]
    spreads = np.full(width, LEVEL_SPREAD)
    spreads[2:] = spread or 1.0

    def measure(values: Floats) -> tuple[float, Floats]:
        logits = slopes @ values
        loss = weights @ np.logaddexp(0.0, -logits) + np.square(values / spreads).sum() / 2
        slope = -slopes.T @ (weights * expit(-logits)) + values / np.square(spreads)
        return float(loss), slope

    masks = (0.0, None) if spread else (0.0, 0.0)
    start = np.zeros(width)
    start[1] = 1.0
    bounds: Sequence[tuple[float | None, float | None]] = [(None, None), (0.0, None), *[masks] * (width - 2)]
    found = minimize(measure, start, jac=True, method="L-BFGS-B", bounds=bounds)
    learned: Floats = np.asarray(found.x, float)
    return learned


def find_nearest(
    parts: Sequence[NDArray[np.float32]],
    weights: Floats,
    asked: NDArray[np.int64],
    identity: NDArray[np.int64],
    *,
    report: Callable[[int], None],
) -> NDArray[np.int64]:
    """(q,): of each asked row the row nearest to it by the private distance; -1 where there is none.

    Rows of equal ``identity`` (n,) are identical, and none is another's nearest; of equals the first is
    taken. ``parts`` are (n, d) each, in the order of the weights. ``report`` is told how many are found.
    """
    weighed = [
        (Gallery("l2", vectors), vectors, weight)
        for vectors, weight in zip(parts, weights.tolist(), strict=True)
        if weight > 0
    ]
    nearest = np.full(len(asked), -1, np.int64)
    for rows in _in_blocks(len(asked)):
        block = asked[rows]
        total = np.zeros((len(block), len(identity)), np.float32)
        for gallery, vectors, weight in weighed:
            total += np.float32(weight) * np.square(gallery.distances(vectors[block]))
        total[identity[block][:, None] == identity] = np.inf
        first = total.argmin(axis=1)
        nearest[rows] = np.where(np.isfinite(total[np.arange(len(block)), first]), first, -1)
        report(rows.stop)
    return nearest


def _in_blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, AT_ONCE):
        yield slice(start, min(start + AT_ONCE, count))
