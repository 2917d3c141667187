"""Policies that believe: slates drawn from the belief, or chosen for what an answer will tell.

Information gain: Cox et al., "The Bayesian image retrieval system, PicHunter", 2000, section IV. That asking
for the most information each time is best over a whole search is known of noisy questions about any set of
targets (Jedynak, Frazier and Sznitman, "Twenty questions with noise", 2012), not of slates, which are fewer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from search.engine.navigation.belief import Belief
from search.engine.navigation.choices import ChoiceModel
from search.engine.navigation.history import History
from search.engine.navigation.policies.base import draws_of, find_unseen, take_different, take_lowest
from search.engine.navigation.terrain import Distances, Items, Terrain, Vectors

MODEL = ChoiceModel(exponent=32.0)
TARGETS = 1500  # over which an expectation is taken
CANDIDATES = 64
FLATTENED = 0.5  # power of the belief that candidates are drawn by
_LEAST = np.float32(1e-30)


class PosteriorSampling:
    """Draws the slate from the belief: each item as often as it is believed to be the target."""

    def __init__(self, terrain: Terrain, *, model: ChoiceModel = MODEL, seed: int = 0) -> None:
        self._terrain, self._seed = terrain, seed
        self.belief = Belief(terrain, [terrain.whole], model)

    def choose(self, history: History, k: int) -> Items:
        """See `Policy`."""
        unseen = np.flatnonzero(find_unseen(self._terrain, history))
        order = _draw_order(self.belief.of_items(history)[unseen], draws_of(self._seed, history))
        return take_different(self._terrain, unseen[order].tolist(), k)


class Information:
    """Chooses the slate whose answer is expected to say most about the target.

    "It is this one" is an answer as well: looking around turns into finding by itself. With several
    ``sights`` it learns how the player sees besides, and foresees answers by the likeliest way.
    """

    def __init__(
        self,
        terrain: Terrain,
        *,
        sights: Sequence[Distances] = (),
        model: ChoiceModel = MODEL,
        seed: int = 0,
    ) -> None:
        self._terrain, self._model, self._seed = terrain, model, seed
        self.belief = Belief(terrain, sights or [terrain.whole], model)

    def choose(self, history: History, k: int) -> Items:
        """See `Policy`."""
        draws = draws_of(self._seed, history)
        chances = self.belief.of_items(history)
        targets, weights = sample_targets(chances, TARGETS, draws)
        candidates = self._draw_candidates(history, chances, targets, k, draws)
        if not len(candidates):
            return candidates
        sight = self.belief.sights[int(self.belief.of_sights(history).argmax())]
        kept = np.array([] if history.current is None or not history.keeps else [history.current], np.int64)
        foreseen = Foreseen(
            squared=sight.between(targets, np.concatenate([candidates, kept])),
            alike=self._terrain.identity[targets][:, None] == self._terrain.identity[candidates][None, :],
            weights=weights,
            own=self._terrain.gather(chances, candidates),
            model=self._model,
        )
        return candidates[foreseen.build(min(k, len(candidates)))]

    def _draw_candidates(
        self, history: History, chances: Vectors, targets: Items, k: int, draws: Generator
    ) -> Items:
        """The likeliest unseen items and others drawn by a flattened belief, that look different."""
        unseen = find_unseen(self._terrain, history)
        likeliest = take_lowest(self._terrain, -chances, k, unseen)
        others = targets[unseen[targets]]
        drawn = others[_draw_order(chances[others] ** FLATTENED, draws)]
        return take_different(self._terrain, [*likeliest.tolist(), *drawn.tolist()], max(CANDIDATES, k))


class Foreseen:
    """What m possible targets would make a player answer, were some of c candidates on the slate.

    ``squared`` (m, c) distances, or (m, c + 1) with those to the pick that may be kept; ``alike`` (m, c),
    whether a candidate shows what the target does; ``weights`` (m,) of the targets; ``own`` (c,) how likely
    each candidate shows the target itself.
    """

    def __init__(
        self,
        *,
        squared: Vectors,
        alike: NDArray[np.bool_],
        weights: Vectors,
        own: Vectors,
        model: ChoiceModel,
    ) -> None:
        self._logits, self._kept = np.split(model.logits(squared), [len(own)], axis=1)
        self._alike, self._weights, self._own, self._lapse = alike, weights, own, np.float32(model.lapse)

    def build(self, k: int) -> list[int]:
        """Places of ``k`` candidates, each the one that adds most to what an answer tells.

        Gains that differ by rounding only count as equal, and the first one is taken.
        """
        chosen: list[int] = []
        while len(chosen) < k:
            gains = np.round(self.gains(chosen), 4)
            gains[chosen] = -np.inf
            chosen.append(int(gains.argmax()))
        return chosen

    def gains(self, chosen: Sequence[int]) -> Vectors:
        """The information in nats of an answer to the chosen candidates with each one besides, (c,).

        I(Q) = -sum over q in Q of p_q log p_q + H[m] - sum over t not in Q of p_t H[P(.|t, Q)], where
        m_a = sum over t not in Q of p_t P(a|t, Q); the first sum is for answers that end the game.
        """
        places = list(chosen)
        left = (self._weights * ~self._alike[:, places].any(axis=1))[:, None] * ~self._alike
        others = np.concatenate([self._logits[:, places], self._kept], axis=1)
        top = np.maximum(self._logits, others.max(axis=1, keepdims=True, initial=-np.inf))
        pulls = [np.exp(self._logits - top), *(np.exp(other[:, None] - top) for other in others.T)]
        total = np.asarray(sum(pulls))
        gain = _surprise(self._own[places]).sum() + _surprise(self._own)
        for pull in pulls:
            chance = pull / total
            chance *= 1 - self._lapse
            chance += self._lapse / len(pulls)
            gain += _surprise(np.einsum("mc,mc->c", left, chance))
            gain -= np.einsum("mc,mc->c", left, _surprise(chance))
        return np.asarray(gain)


def sample_targets(chances: Vectors, count: int, draws: Generator) -> tuple[Items, Vectors]:
    """At most ``count`` items that stand for a belief, and their weights, which sum to one.

    Items likelier than one in ``count`` are all there with the weight that they have; the others are drawn by
    systematic sampling (Madow, "On the theory of systematic
    sampling, II", 1949) and weigh alike, so that no region of a flat belief is left out.
    """
    if len(chances) <= count:
        return np.arange(len(chances)), np.asarray(chances / chances.sum(), np.float32)
    heavy = np.zeros(len(chances), bool)
    step = 1 / count  # of belief per drawn item: less, the more of it the heavy ones take
    while (more := (chances >= step) & ~heavy).any() and heavy.sum() + more.sum() < count:
        heavy |= more
        step = float(chances[~heavy].sum(dtype=np.float64)) / (count - int(heavy.sum()))
    light = np.flatnonzero(~heavy)
    sums = np.cumsum(chances[light], dtype=np.float64)
    marks = (draws.random() + np.arange(count - int(heavy.sum()))) * step
    drawn = np.unique(light[np.searchsorted(sums, marks, side="right").clip(max=len(light) - 1)])
    items = np.concatenate([np.flatnonzero(heavy), drawn])
    weights = np.concatenate([chances[heavy], np.full(len(drawn), step, np.float32)])
    return items, np.asarray(weights / weights.sum(dtype=np.float64), np.float32)


def _draw_order(chances: Vectors, draws: Generator) -> Items:
    """Places drawn without replacement by their chances, in order (Gumbel's trick)."""
    keys = np.log(np.maximum(chances, _LEAST)) + draws.gumbel(size=len(chances))
    return np.argsort(-keys, kind="stable")


def _surprise(chances: Vectors) -> Vectors:
    """-p log p, nought at nought."""
    return np.asarray(-chances * np.log(np.maximum(chances, _LEAST)))
