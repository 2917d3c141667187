"""The published ranker: of what the samplers found, the items that promise the fewest slates.

One network per sampler's space, three fully connected layers with ReLU (the article of eBay, figures 8, 9).
It is trained by `search.engine.training.ranking`; here it runs in numpy, so that a web process can ask it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from search.engine.encoders.base import WeightsDamaged
from search.engine.encoders.trained_files import read_trained_card, weights_path
from search.engine.navigation.belief import Belief
from search.engine.navigation.history import History
from search.engine.navigation.policies.base import draw_unseen, draws_of, find_unseen
from search.engine.navigation.policies.bayesian import MODEL
from search.engine.navigation.situations import Believing, Observer, Situation, Watching
from search.engine.navigation.terrain import Items, Terrain, Vectors

LAYERS = 3
_PARTS = ("weights", "biases")
Layers = tuple[tuple[Vectors, Vectors], ...]  # weights (out, in) and biases (out,), input side first


@dataclass(frozen=True)
class Ranker:
    """Trained networks, one per sampler in the terrain's order; ``believes``: told what is believed."""

    networks: tuple[Layers, ...]
    believes: bool

    @property
    def size(self) -> int:
        """Numbers held in memory."""
        return sum(array.size for network in self.networks for pair in network for array in pair)

    def value(self, told: Vectors, samplers: NDArray[np.int64]) -> Vectors:
        """What each candidate promises, (c,); from what is told of it (c, f), by its sampler's network."""
        values = np.empty(len(told), np.float32)
        for number, layers in enumerate(self.networks):
            own = samplers == number
            values[own] = _run(layers, told[own])
        return values


class DeepQ:
    """Fills the slate place by place with the candidate of the highest value; before a pick, with any."""

    def __init__(self, terrain: Terrain, ranker: Ranker, *, seed: int = 0) -> None:
        self._terrain, self._ranker, self._seed = terrain, ranker, seed
        self._observer = make_observer(terrain, believes=ranker.believes, seed=seed)

    def choose(self, history: History, k: int) -> Items:
        """See `Policy`."""
        if history.current is None:
            unseen = find_unseen(self._terrain, history)
            return draw_unseen(self._terrain, unseen, k, draws_of(self._seed, history))
        situation = self._observer.look(history, k)
        return situation.sampled.items[fill_slate(situation, k, self._find_best)]

    def _find_best(self, situation: Situation, chosen: Sequence[int]) -> int:
        values = self._ranker.value(situation.describe(chosen), situation.sampled.samplers)
        values[~situation.is_free(chosen)] = -np.inf
        return int(values.argmax())


def make_observer(terrain: Terrain, *, believes: bool, seed: int) -> Observer:
    """Who tells a ranker what there is to see."""
    if not believes:
        return Watching(terrain)
    return Believing(terrain, Belief(terrain, [terrain.whole], MODEL), seed=seed)


def fill_slate(situation: Situation, k: int, find: Callable[[Situation, Sequence[int]], int]) -> list[int]:
    """Places of at most ``k`` candidates that look different, each found when those before it were placed."""
    chosen: list[int] = []
    while len(chosen) < k and situation.is_free(chosen).any():
        chosen.append(find(situation, chosen))
    return chosen


def pack_ranker(ranker: Ranker) -> bytes:
    """A ranker's networks as the bytes of a safetensors file."""
    return safetensors.numpy.save(
        {
            f"{number}.{layer}.{part}": np.ascontiguousarray(array)
            for number, layers in enumerate(ranker.networks)
            for layer, pair in enumerate(layers)
            for part, array in zip(_PARTS, pair, strict=True)
        }
    )


def read_ranker(folder: Path) -> tuple[Ranker, dict[str, Any]]:
    """The ranker in a folder, and its card. Raises WeightsDamaged."""
    card = read_trained_card(folder)
    path = weights_path(folder, card)
    try:
        packed = path.read_bytes()
        if sha256(packed).hexdigest() != card["sha256"]:
            raise WeightsDamaged(f"{path} is damaged: its card names another checksum. Train it again.")
        arrays = safetensors.numpy.load(packed)
        networks = tuple(
            tuple(
                (arrays[f"{number}.{layer}.weights"], arrays[f"{number}.{layer}.biases"])
                for layer in range(LAYERS)
            )
            for number in range(len(card["architecture"]["samplers"]))
        )
        return Ranker(networks, bool(card["architecture"]["believes"])), card
    except (OSError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise WeightsDamaged(f"{path} holds no ranker ({error!r}). Train it again.") from error


def _run(layers: Layers, told: Vectors) -> Vectors:
    *hidden, (weights, biases) = layers
    for own_weights, own_biases in hidden:
        told = np.maximum(told @ own_weights.T + own_biases, 0)
    return np.asarray((told @ weights.T + biases)[:, 0])
