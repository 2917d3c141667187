"""What a ranker sees of a game: candidates beside the current pick, past answers, and each other.

The state of the published ranker is the embeddings of the candidates relative to the current pick (the
article of eBay, figure 7). An answer says that the target is nearer to the pick than to what was left; how
far a candidate agrees is a projection of its relative embedding on the line from the one to the other, so
past answers are told as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.engine.navigation.belief import Belief
from search.engine.navigation.history import History
from search.engine.navigation.policies.base import draws_of
from search.engine.navigation.policies.bayesian import Foreseen, sample_targets
from search.engine.navigation.policies.sampler import Sampled, sample_candidates
from search.engine.navigation.terrain import Items, Terrain, Vectors

RECALLED = 6  # answers that are told one by one, newest first; of all there are shares and means
TARGETS = 500  # over which gains of information are foreseen
_LEAST = np.float32(1e-9)


class Situation:
    """The moment before a slate: candidates, and what is to be known of each when some are placed.

    ``foreseen`` tells what an answer would say, and ``likely`` (c,) how likely each candidate is the target;
    both None where there is no belief.
    """

    def __init__(
        self,
        terrain: Terrain,
        history: History,
        sampled: Sampled,
        *,
        k: int,
        foreseen: Foreseen | None = None,
        likely: Vectors | None = None,
    ) -> None:
        assert history.current is not None
        self.sampled = sampled
        self._k, self._foreseen, self._likely = k, foreseen, likely
        current = np.array([history.current])
        self._apart = terrain.whole.between(sampled.items, sampled.items)
        self._looks = terrain.identity[sampled.items]
        fixed = [
            self._relate(terrain, history.current),
            np.sqrt(terrain.whole.between(sampled.items, current)),
            _recall(terrain, history, sampled.items),
        ]
        if likely is not None:
            fixed.append(np.log1p(len(terrain) * likely)[:, None] / 5)
        self._fixed = np.concatenate(fixed, axis=1)

    def describe(self, chosen: Sequence[int]) -> Vectors:
        """What a ranker is told of each candidate when those at ``chosen`` are on the slate, (c, f)."""
        count = len(self.sampled)
        nearest = np.sqrt(self._apart[:, list(chosen)].min(axis=1, initial=4.0))
        columns = [nearest, np.full(count, len(chosen) / self._k)]
        if self._foreseen is not None:
            columns.append(self._foreseen.gains(chosen))
        return np.concatenate([self._fixed, np.stack(columns, axis=1)], axis=1).astype(np.float32)

    def is_free(self, chosen: Sequence[int]) -> NDArray[np.bool_]:
        """Which candidates look like none that is placed, (c,)."""
        return np.asarray(~np.isin(self._looks, self._looks[list(chosen)]))

    def _relate(self, terrain: Terrain, current: int) -> Vectors:
        """Each candidate from the current pick, in the space of the sampler that found it, (c, d)."""
        spaces = terrain.samplers
        relative = np.zeros((len(self.sampled), spaces[0].vectors.shape[1]), np.float32)
        for number, space in enumerate(spaces):
            own = self.sampled.samplers == number
            relative[own] = space.relative(self.sampled.items[own], current)
        return relative


class Observer(Protocol):
    """Tells what there is to be seen before a slate."""

    def look(self, history: History, k: int) -> Situation:
        """Raises ValueError where nothing was picked yet."""
        ...


class Watching:
    """Sees candidates and past answers."""

    def __init__(self, terrain: Terrain) -> None:
        self._terrain = terrain

    def look(self, history: History, k: int) -> Situation:
        """See `Observer`."""
        return Situation(self._terrain, history, sample_candidates(self._terrain, history, k), k=k)


class Believing:
    """Sees besides what is believed: how likely each candidate is the target, and what it would tell."""

    def __init__(self, terrain: Terrain, belief: Belief, *, seed: int) -> None:
        self._terrain, self._belief, self._seed = terrain, belief, seed

    def look(self, history: History, k: int) -> Situation:
        """See `Observer`."""
        terrain, sampled = self._terrain, sample_candidates(self._terrain, history, k)
        chances = self._belief.of_items(history)
        targets, weights = sample_targets(chances, TARGETS, draws_of(self._seed, history))
        likely = terrain.gather(chances, sampled.items)
        foreseen = Foreseen(
            squared=terrain.whole.between(targets, _with_kept(sampled.items, history)),
            alike=terrain.identity[targets][:, None] == terrain.identity[sampled.items][None, :],
            weights=weights,
            own=likely,
            model=self._belief.model,
        )
        return Situation(terrain, history, sampled, k=k, foreseen=foreseen, likely=likely)


def _with_kept(items: Items, history: History) -> Items:
    return np.append(items, [history.current or 0]) if history.keeps else items


def _recall(terrain: Terrain, history: History, items: Items) -> Vectors:
    """How far each candidate agrees with past answers, (c, RECALLED + 4).

    Of an answer, (r - p) / (r + p) with the squared distances p to the pick and r to the nearest of what was
    left: from -1 to 1, and above 0 where the candidate would have been answered for so.
    """
    answers = _list_answers(history)
    if not answers:
        return np.tile(np.array([0] * RECALLED + [0, 0, 1, 0], np.float32), (len(items), 1))
    involved, places = np.unique(np.concatenate(answers), return_inverse=True)
    squared = terrain.whole.between(items, involved)
    agreeing = np.empty((len(items), len(answers)), np.float32)
    begin = 0
    for number, answer in enumerate(answers):
        own = squared[:, places[begin : begin + len(answer)]]
        begin += len(answer)
        picked, left = own[:, 0], own[:, 1:].min(axis=1)
        agreeing[:, number] = (left - picked) / (left + picked + _LEAST)
    recalled = np.zeros((len(items), RECALLED), np.float32)
    newest = agreeing[:, ::-1][:, :RECALLED]
    recalled[:, : newest.shape[1]] = newest
    fits = (agreeing >= 0).mean(axis=1)
    summary = [agreeing.mean(axis=1), agreeing.min(axis=1), fits, np.full(len(items), len(answers) / 50)]
    return np.concatenate([recalled, np.stack(summary, axis=1)], axis=1).astype(np.float32)


def _list_answers(history: History) -> list[Items]:
    """Of each answer, in order: the pick, then what was left. Those with nothing left say nothing."""
    answers, game = [], history
    while game.steps:
        step, game = game.steps[-1], game.before
        options = [item for item in game.options(step.slate) if item != step.pick]
        if step.pick is not None and options:
            answers.append(np.array([step.pick, *options]))
    return answers[::-1]
