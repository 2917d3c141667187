"""What a navigation game is played on: the items of a catalogue, and how far apart they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.engine.errors import EngineError

Items = NDArray[np.int64]  # places of items in the catalogue
Vectors = NDArray[np.float32]

_FEW = 4096  # pairs whose differences are looked at one by one
_LEAST_SPREAD = 1e-30  # of a space in which all items lie in one place


class TooFewItems(EngineError):
    """A catalogue with fewer different items than a slate shows."""


class Distances(Protocol):
    """How far items are apart: squared distances, of which the mean over all pairs is about one."""

    @property
    def name(self) -> str: ...

    def between(self, ones: Items, others: Items) -> Vectors:
        """Of some items to some others, (len(ones), len(others)); exactly where they are few."""
        ...

    def to_all(self, ones: Items) -> Vectors:
        """Of a few items to every item, (len(ones), n); those of near ones are rounded."""
        ...


@dataclass(frozen=True)
class Space:
    """One embedding space over n items: (n, d) float32 vectors, under a mask's weights where it is one's."""

    name: str
    vectors: Vectors

    @cached_property
    def _norms(self) -> Vectors:
        return np.asarray(np.einsum("nd,nd->n", self.vectors, self.vectors))

    @cached_property
    def _scale(self) -> np.float32:
        """One over the mean squared distance of two items, which is twice their spread about the centre."""
        centre = self.vectors.mean(axis=0, dtype=np.float64)
        spread = float(self._norms.mean(dtype=np.float64)) - float(centre @ centre)
        return np.float32(1 / max(2 * spread, _LEAST_SPREAD))

    def between(self, ones: Items, others: Items) -> Vectors:
        """See `Distances`. Of many pairs from products, as `to_all`."""
        if len(ones) * len(others) > _FEW:
            return self._from_products(ones, self.vectors[others], self._norms[others])
        apart = self.vectors[ones][:, None, :] - self.vectors[others][None, :, :]
        return np.asarray(np.einsum("abd,abd->ab", apart, apart) * self._scale)

    def to_all(self, ones: Items) -> Vectors:
        """See `Distances`. From products, which is several times as fast as from differences."""
        return self._from_products(ones, self.vectors, self._norms)

    def _from_products(self, ones: Items, vectors: Vectors, norms: Vectors) -> Vectors:
        products = self.vectors[ones] @ vectors.T
        products *= -2
        products += norms
        products += self._norms[ones][:, None]
        products *= self._scale
        return np.asarray(np.maximum(products, 0, out=products))


@dataclass(frozen=True)
class Blend:
    """Several spaces looked at together, each with its weight."""

    spaces: tuple[Space, ...]
    weights: tuple[float, ...]

    @property
    def name(self) -> str:
        return " + ".join(space.name for space in self.spaces)

    def between(self, ones: Items, others: Items) -> Vectors:
        """See `Distances`."""
        return self._add(space.between(ones, others) for space in self.spaces)

    def to_all(self, ones: Items) -> Vectors:
        """See `Distances`."""
        return self._add(space.to_all(ones) for space in self.spaces)

    def _add(self, parts: Iterable[Vectors]) -> Vectors:
        weighted = (part * np.float32(weight) for part, weight in zip(parts, self.weights, strict=True))
        return np.asarray(sum(weighted))


@dataclass(frozen=True)
class Terrain:
    """n items in a space, and in one space per mask (none: the space itself serves as the only one).

    ``identity`` (n,) numbers what items show: those of one number look the same, so that one stands for all.
    """

    whole: Space
    masks: tuple[Space, ...]
    identity: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.identity)

    @property
    def samplers(self) -> tuple[Space, ...]:
        """The spaces in which neighbours are looked for: one per mask."""
        return self.masks or (self.whole,)

    @cached_property
    def different(self) -> int:
        """How many different items there are."""
        return len(np.unique(self.identity))

    def require(self, k: int) -> None:
        """Raise TooFewItems where a slate of ``k`` different items cannot be shown."""
        if self.different < k:
            raise TooFewItems(
                f"The catalogue has {self.different} different items, and a slate shows {k}. "
                "Choose a smaller slate or a larger catalogue."
            )

    def alike(self, items: Items) -> NDArray[np.bool_]:
        """Which items look the same as one of these, (n,)."""
        return np.isin(self.identity, self.identity[items])
