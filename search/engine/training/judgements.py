"""A simulated user learned from people's answers: it places things so that what they call alike lies near.

A thing is placed by its likeness to those that were judged: place(x) = sum over judged i of c_i k(x, i),
where k(x, i) = sum over spaces s of w_s exp(-width d_s(x, i)^2). So what nobody ever judged has a place too.
The weight w_s of a space grows with how much more often than chance its own exact user answers as people do.
People are believed to choose a with (d(ref, a)^2 + softness)^-exponent over the sum of the same of a and b,
and the coefficients are those under which what they chose is likeliest, less ``strength`` times the square of
their length in the kernel's own norm: with a hundred things to learn from, keeping it short is what counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from search.engine.navigation.judgements import share_choosing_first

Places = NDArray[np.int64]
Floats = NDArray[np.float64]

_STEPS = 400
_SINGULAR = 1e-6  # of a kernel's eigenvalues, below which a direction says nothing
_WEAKEST = 0.01  # of the people's answers beyond chance, so that no space's weight is nought
# Measures on these materials say so: whoever settled a value has seen what it is measured on.
SETTLED = "dimensions, exponent and softness were settled on folds of seeds 0 and 1 of material100"


@dataclass(frozen=True)
class JudgementSettings:
    """What the module's text names; of several widths and strengths those are taken that foretell best.

    How well they do is looked at on things left out of what may be learned from, in ``inner_folds`` parts.
    Squared distances in a space are in units of their mean. On what the other values were settled: `SETTLED`.
    """

    widths: tuple[float, ...] = (0.25, 0.5, 1.0)
    strengths: tuple[float, ...] = (0.0003, 0.001, 0.003)
    dimensions: int = 8
    softness: float = 0.3
    exponent: float = 2.0
    inner_folds: int = 3


DEFAULTS = JudgementSettings()


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is learned from: q answered questions about m things that s spaces see.

    ``squared`` (s, m, m): squared distances in each space. ``triplets`` (q, 3): places of ref, a and b, and
    ``votes`` (q, 2): how many chose a, and b. ``units`` (m,): things of one number, as copies of one picture
    are, are left out together.
    """

    squared: Floats
    triplets: Places
    votes: Places
    units: Places

    @property
    def judged(self) -> Places:
        """The things that questions are about."""
        return np.unique(self.triplets)

    def among(self, things: NDArray[np.bool_]) -> Lesson:
        """The questions all three of whose things are among these, (m,)."""
        kept = things[self.triplets].all(axis=1)
        return replace(self, triplets=self.triplets[kept], votes=self.votes[kept])


@dataclass(frozen=True, eq=False)
class Learned:
    """Where things lie that were likened to the ``judged`` (j,): by which settings, and each space's weight.

    ``places`` (m, d) float32 are those of the lesson's things, ``scales`` (s,) mean squared distances, and
    ``directions`` (j, d) what likeness to each of the judged adds to a place.
    """

    places: NDArray[np.float32]
    width: float
    strength: float
    weights: Floats
    scales: Floats
    judged: Places
    directions: Floats

    def place(self, space: int, squared: NDArray[np.floating]) -> Floats:
        """What one space adds to the places of x things, (x, d); a place is the sum over all spaces.

        ``squared`` (x, m): their squared distances in that space to the lesson's things.
        """
        kernel = _liken(squared[:, self.judged], self.weights[space], self.width, self.scales[space])
        return np.asarray(kernel @ self.directions)


def learn_places(lesson: Lesson, settings: JudgementSettings = DEFAULTS, *, seed: int = 0) -> Learned:
    """Learn from answers; ``seed`` draws where the search begins. Raises ValueError without answers."""
    _require_answers(lesson)
    width, strength = _choose(lesson, settings, seed)
    return _learn(lesson, settings, width, strength, seed)


def remember_places(
    lesson: Lesson, settings: JudgementSettings = DEFAULTS, *, seed: int = 0
) -> NDArray[np.float32]:
    """Places by heart, (m, d): each judged thing has its own, and looks play no part.

    What a learned user must be held against: it answers well about what it has seen. What it never saw is
    drawn to the middle, so that from there it takes whichever of two things lies nearer to the middle.
    """
    _require_answers(lesson)
    features = np.eye(lesson.squared.shape[1])
    mapped = _fit(features, lesson, settings, strength=min(settings.strengths), seed=seed)
    return mapped.astype(np.float32)


def agreement_beyond_chance(squared: Floats, lesson: Lesson) -> float:
    """How much more often than by lot the nearer option is the majority's; at least `_WEAKEST`."""
    decided = lesson.votes[:, 0] != lesson.votes[:, 1]
    if not decided.any():
        return _WEAKEST
    chosen = share_choosing_first(_apart(squared, lesson.triplets))
    right = np.where(lesson.votes[:, 0] > lesson.votes[:, 1], chosen, 1 - chosen)
    return max(_WEAKEST, float(right[decided].mean()) - 0.5)


def divide_things(things: Places, units: Places, folds: int, *, seed: int) -> Iterator[Places]:
    """The things in so many parts, drawn by ``seed``, of nearly the same number of units (things,)."""
    drawn = np.random.default_rng(seed).permutation(np.unique(units))
    for fold in range(folds):
        yield things[np.isin(units, drawn[fold::folds])]


def _require_answers(lesson: Lesson) -> None:
    if not lesson.votes.any():
        raise ValueError("There is no answer to learn from.")


def _choose(lesson: Lesson, settings: JudgementSettings, seed: int) -> tuple[float, float]:
    """The width and the strength that foretell best about things left out, of what may be learned from."""
    ways = list(product(settings.widths, settings.strengths))
    if len(ways) == 1:
        return ways[0]
    right = np.zeros(len(ways))
    judged = lesson.judged
    for left_out in divide_things(judged, lesson.units[judged], settings.inner_folds, seed=seed):
        known = np.ones(lesson.squared.shape[1], bool)
        known[left_out] = False
        inner = lesson.among(known)
        asked = np.flatnonzero(~known[lesson.triplets[:, 0]])
        if not inner.votes.any() or not len(asked):
            continue
        for place, (width, strength) in enumerate(ways):
            learned = _learn(inner, settings, width, strength, seed)
            right[place] += _count_right(learned.places, lesson.triplets[asked], lesson.votes[asked])
    return ways[int(right.argmax())]


def _count_right(places: NDArray[np.float32], triplets: Places, votes: Places) -> float:
    """How many answers of the people are those of an exact user."""
    chosen = share_choosing_first(measure_places(places, triplets))
    return float((chosen * votes[:, 0] + (1 - chosen) * votes[:, 1]).sum())


def measure_places(places: NDArray[np.float32], triplets: Places) -> Floats:
    """Squared distances of a and b from ref, (q, 2), of things in these places (m, d)."""
    ref, a, b = (places[triplets[:, column]].astype(float) for column in range(3))
    return np.stack([((ref - a) ** 2).sum(axis=1), ((ref - b) ** 2).sum(axis=1)], axis=1)


def _apart(squared: Floats, triplets: Places) -> Floats:
    ref, a, b = triplets.T
    return np.stack([squared[ref, a], squared[ref, b]], axis=1)


def _learn(lesson: Lesson, settings: JudgementSettings, width: float, strength: float, seed: int) -> Learned:
    weights = np.array([agreement_beyond_chance(one, lesson) ** 2 for one in lesson.squared])
    weights /= weights.sum()
    scales = lesson.squared.mean(axis=(1, 2))
    scales[scales == 0] = 1.0  # a space that sees everything in one place
    judged = lesson.judged
    kernel = np.zeros((lesson.squared.shape[1], len(judged)))
    for weight, squared, scale in zip(weights, lesson.squared, scales, strict=True):
        kernel += _liken(squared[:, judged], weight, width, scale)
    basis = _orthogonalise(kernel[judged])
    directions = basis @ _fit(kernel @ basis, lesson, settings, strength=strength, seed=seed)
    places = np.asarray(kernel @ directions, np.float32)
    return Learned(places, width, strength, weights, scales, judged, directions)


def _liken(squared: NDArray[np.floating], weight: float, width: float, scale: float) -> Floats:
    """One space's part of the kernel."""
    return np.asarray(weight * np.exp(-width * squared / scale), float)


def _orthogonalise(kernel: Floats) -> Floats:
    """(j, f): kernel @ this are features whose products among the judged things are the kernel (j, j)."""
    values, vectors = np.linalg.eigh(kernel)
    kept = values > _SINGULAR * values[-1]
    return np.asarray(vectors[:, kept] / np.sqrt(values[kept]))


def _fit(
    features: Floats, lesson: Lesson, settings: JudgementSettings, *, strength: float, seed: int
) -> Floats:
    """The likeliest linear map (f, d) of the features (m, f) to places (m, d)."""
    shape = (features.shape[1], settings.dimensions)
    start = np.random.default_rng(seed).normal(scale=0.3, size=shape)
    things = len(features)
    ref, a, b = lesson.triplets.T
    pairs = np.concatenate([ref * things + a, ref * things + b])
    shares = lesson.votes / lesson.votes.sum()

    def cost(flat: Floats) -> tuple[float, Floats]:
        exponent, mapped = settings.exponent, flat.reshape(shape)
        placed = features @ mapped
        logs, slopes = _log_distances(placed, ref, a, b, settings.softness)
        gap = logs[1] - logs[0]  # of b over a: above nought where a is nearer
        chance = 1 / (1 + np.exp(-np.clip(exponent * gap, -50, 50)))
        loss = -(shares[:, 0] @ np.log(chance + 1e-12) + shares[:, 1] @ np.log(1 - chance + 1e-12))
        pull = shares.sum(axis=1) * chance - shares[:, 0]  # derivative by exponent * gap
        by_pair = np.concatenate([-pull * exponent * slopes[0], pull * exponent * slopes[1]])
        forces = np.bincount(pairs, by_pair, things * things).reshape(things, things)
        forces += forces.T
        by_place = 2 * (forces.sum(axis=1)[:, None] * placed - forces @ placed)
        slope = features.T @ by_place + 2 * strength * mapped
        return float(loss + strength * np.square(mapped).sum()), slope.ravel()

    found = minimize(cost, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    return np.asarray(found.x.reshape(shape))


def _log_distances(
    placed: Floats, ref: Places, a: Places, b: Places, softness: float
) -> tuple[Sequence[Floats], Sequence[Floats]]:
    """log(d^2 + softness) from ref to a and to b, and its derivative by d^2."""
    norms = np.square(placed).sum(axis=1)
    squared = np.maximum(norms[:, None] + norms[None, :] - 2 * placed @ placed.T, 0)
    shifted = [squared[ref, other] + softness for other in (a, b)]
    return [np.log(one) for one in shifted], [1 / one for one in shifted]
