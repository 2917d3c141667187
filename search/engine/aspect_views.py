"""What an encoder sees of one query, aspect by aspect, and how alike every item is to it by each of them.

Two kinds of networks know aspects. One tells the values of each (Slyce's filters): the similarity of two
items is then the chance that they have the same value. One has a mask per aspect (a conditional network):
there it falls with the distance under the mask. Whoever ranks sees no difference. Nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.engine.aspect_similarity import similarities
from search.engine.calibration import softmax
from search.engine.navigation.terrain import Space

Vectors = NDArray[np.float32]

SHARPNESS = 8.0  # of similarity: exp(-SHARPNESS d2), where two items are at a mean squared distance of one
NEAREST = 10  # items by whose similarity a mask tells how certain it is
_LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class AspectView:
    """One query as K aspects show it beside the n items of a catalogue.

    ``embedding`` (d,) lies around the items' centre. Of each aspect (K,), all 0 to 1: ``certainty`` (the
    likeliest value's chance; under a mask, how alike the nearest items are), ``spread`` (the entropy of the
    values' chances, or of how similarity is shared out among items, as a share of the greatest) and
    ``rarity`` (minus the logarithm of the mean similarity, as a share of that of a single item). ``values``
    are what it was told to be, blank where a mask tells none. ``similarities`` (n, 1 + K), 0 to 1: by the
    whole embedding, then by each aspect.
    """

    aspects: tuple[str, ...]
    embedding: Vectors
    certainty: Vectors
    spread: Vectors
    rarity: Vectors
    values: tuple[str, ...]
    similarities: Vectors


class AspectGround(Protocol):
    """The items of a catalogue, as one encoder that knows aspects sees them."""

    @property
    def aspects(self) -> tuple[str, ...]: ...

    @property
    def layers(self) -> tuple[str, ...]:
        """Which vectors of a photo `look` is given: by the masks' names, "" for the whole embedding."""
        ...

    def __len__(self) -> int: ...

    def look(self, vectors: Mapping[str, Vectors]) -> AspectView:
        """A photo, from its vectors (d,) by layer."""
        ...

    def look_at(self, place: int) -> AspectView:
        """One of the items."""
        ...


class MaskGround:
    """Items under a conditional network: a space, and one per mask."""

    def __init__(self, whole: Space, masks: Mapping[str, Space]) -> None:
        self._spaces = {"": whole, **masks}
        self._n = len(whole.vectors)

    @property
    def aspects(self) -> tuple[str, ...]:
        """See `AspectGround`."""
        return tuple(name for name in self._spaces if name)

    @property
    def layers(self) -> tuple[str, ...]:
        """See `AspectGround`."""
        return tuple(self._spaces)

    def __len__(self) -> int:
        return self._n

    def look(self, vectors: Mapping[str, Vectors]) -> AspectView:
        """See `AspectGround`."""
        found = [space.from_outside(vectors[name][None])[0] for name, space in self._spaces.items()]
        return self._view(vectors[""], found)

    def look_at(self, place: int) -> AspectView:
        """See `AspectGround`."""
        ones = np.array([place])
        found = [space.to_all(ones)[0] for space in self._spaces.values()]
        return self._view(self._spaces[""].vectors[place], found)

    def _view(self, vector: Vectors, apart: Sequence[Vectors]) -> AspectView:
        alike = np.stack([_from_distances(line) for line in apart])
        masked = alike[1:]
        shares = masked / np.maximum(masked.sum(axis=1, keepdims=True), _LEAST)
        most = min(NEAREST, self._n)
        nearest = np.partition(masked, self._n - most, axis=1)[:, -most:]
        return AspectView(
            aspects=self.aspects,
            embedding=self._spaces[""].place(vector[None])[0],
            certainty=nearest.mean(axis=1),
            spread=_entropy(shares),
            rarity=_rarity(masked),
            values=("",) * len(masked),
            similarities=alike.T,
        )


@dataclass(frozen=True)
class AspectHeads:
    """What tells the values of aspects from a hidden layer: (values, d) weights and (values,) biases.

    ``values`` of each aspect, in the order of the rows; ``temperatures`` one per aspect; ``share`` scales the
    hidden layer (`trained_networks.DenseHead`).
    """

    values: Mapping[str, tuple[str, ...]]
    weights: Vectors
    biases: Vectors
    temperatures: tuple[float, ...]
    share: float

    def tell(self, hidden: Vectors) -> list[Vectors]:
        """(n, d) -> the chances of each aspect's values, (n, values) each."""
        logits = hidden @ (self.weights.T * np.float32(self.share)) + self.biases
        cuts = np.cumsum([len(values) for values in self.values.values()])[:-1]
        parts = np.split(logits, cuts, axis=1)
        return [
            softmax(part, temperature).astype(np.float32)
            for part, temperature in zip(parts, self.temperatures, strict=True)
        ]


class HeadGround:
    """Items under a network that tells values."""

    def __init__(self, whole: Space, heads: AspectHeads) -> None:
        self._whole, self._heads = whole, heads

    @property
    def aspects(self) -> tuple[str, ...]:
        """See `AspectGround`."""
        return tuple(self._heads.values)

    @property
    def layers(self) -> tuple[str, ...]:
        """See `AspectGround`."""
        return ("",)

    def __len__(self) -> int:
        return len(self._whole.vectors)

    @cached_property
    def _told(self) -> list[Vectors]:
        return self._heads.tell(self._whole.vectors)

    def look(self, vectors: Mapping[str, Vectors]) -> AspectView:
        """See `AspectGround`."""
        hidden = vectors[""][None]
        return self._view(hidden[0], self._whole.from_outside(hidden)[0], self._heads.tell(hidden))

    def look_at(self, place: int) -> AspectView:
        """See `AspectGround`."""
        apart = self._whole.to_all(np.array([place]))[0]
        told = [part[place : place + 1] for part in self._told]
        return self._view(self._whole.vectors[place], apart, told)

    def _view(self, vector: Vectors, apart: Vectors, told: Sequence[Vectors]) -> AspectView:
        by_aspect = [similarities(part, own)[0] for part, own in zip(told, self._told, strict=True)]
        alike = np.stack([_from_distances(apart), *by_aspect])
        names = self._heads.values.values()
        return AspectView(
            aspects=self.aspects,
            embedding=self._whole.place(vector[None])[0],
            certainty=np.array([part.max() for part in told], np.float32),
            spread=np.array([_entropy(part)[0] for part in told], np.float32),
            rarity=_rarity(alike[1:]),
            values=tuple(known[int(part.argmax())] for known, part in zip(names, told, strict=True)),
            similarities=alike.T,
        )


def _from_distances(apart: Vectors) -> Vectors:
    return np.asarray(np.exp(np.float32(-SHARPNESS) * apart))


def _entropy(chances: Vectors) -> Vectors:
    """(k, v), each row summing to one -> (k,), as a share of the greatest there can be."""
    surprise = np.where(chances > 0, -np.log(np.maximum(chances, _LEAST)), 0)
    return np.asarray((chances * surprise).sum(axis=1) / np.log(max(2, chances.shape[1])), np.float32)


def _rarity(alike: Vectors) -> Vectors:
    """(k, n) -> (k,)."""
    n = max(2, alike.shape[1])
    mean = np.clip(alike.mean(axis=1), 1 / n, 1)
    return np.asarray(-np.log(mean) / np.log(n), np.float32)
