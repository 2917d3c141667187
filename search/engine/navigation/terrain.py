"""What a navigation game is played on: the items of a catalogue, and how far apart they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.engine.errors import EngineError
from search.engine.navigation import reckoning
from search.engine.navigation.reckoning import IN_ORDER, Laid, Reckoner, Rows, Table, fetch

Items = NDArray[np.int64]  # places of items in the catalogue
Vectors = NDArray[np.float32]

_FEW = 4096  # pairs whose differences are looked at one by one
_NO_SPREAD = 1e-12  # of the vectors' mean square: all items lie in one place, but for rounding


class TooFewItems(EngineError):
    """A catalogue with fewer different items than a slate shows."""


class Distances(Protocol):
    """How far items are apart: squared distances, of which the mean over all pairs is about one."""

    @property
    def name(self) -> str: ...

    @property
    def parts(self) -> tuple[tuple[Space, float], ...]:
        """The spaces that are looked at, each with its weight."""
        ...

    def between(self, ones: Items, others: Items) -> Vectors:
        """Of some items to some others, (len(ones), len(others)); exactly where they are few."""
        ...

    def to_all(self, ones: Items) -> Vectors:
        """Of a few items to every item, (len(ones), n); those of near ones are rounded."""
        ...


@dataclass(frozen=True, eq=False)
class Space:
    """One embedding space over n items: (n, d) float32 vectors, under a mask's weights where it is one's.

    ``reckoner``: where the distances of a large one are worked out, which changes nothing about them.
    """

    name: str
    vectors: Vectors
    reckoner: Reckoner = IN_ORDER

    @property
    def parts(self) -> tuple[tuple[Space, float], ...]:
        """See `Distances`."""
        return ((self, 1.0),)

    @property
    def is_large(self) -> bool:
        """Whether everything about all items is worked out as `reckoning` says."""
        return len(self.vectors) >= reckoning.LARGE

    def between(self, ones: Items, others: Items) -> Vectors:
        """See `Distances`. Of many pairs from products, as `to_all` of a small space."""
        if len(ones) * len(others) > _FEW:
            return _multiply(self._take(ones), self._take(others))
        apart = self._take(ones)[:, None, :] - self._take(others)[None, :, :]
        return np.asarray(np.einsum("abd,abd->ab", apart, apart))

    def to_all(self, ones: Items) -> Vectors:
        """See `Distances`. In a small space from products, as those of many pairs."""
        if self.is_large:
            return fetch(self.lay_out(ones))
        return _multiply(self._take(ones), self._placed, self._norms)

    def lay_out(self, ones: Items) -> Table:
        """`to_all` of a large space, where its reckoner has it."""
        return self._laid.squared(ones)

    def prepare(self, ones: Items) -> None:
        """These will be asked for by several games at once."""
        if self.is_large:
            self._laid.prepare(ones)

    def relative(self, items: Items, to: int) -> Vectors:
        """The vectors of items as seen from one, (len(items), d); on average one long in square."""
        return np.asarray(self._take(items) - self._take(np.array([to])))

    def place(self, vectors: Vectors) -> Vectors:
        """Vectors of the same encoder, (q, d), around the items' centre and in their scale."""
        scale = self._blocked[1] if self.is_large else self._scaled[1]
        return np.asarray((vectors - self._centre) * scale, np.float32)

    def from_outside(self, vectors: Vectors) -> Vectors:
        """Of vectors that need not be items', (q, d), to every item, (q, n); as `to_all`."""
        placed = self.place(vectors)
        if self.is_large:
            return self._blocked[0].measure(placed)
        return _multiply(placed, self._placed, self._norms)

    @cached_property
    def _centre(self) -> Vectors:
        return np.asarray(self.vectors.mean(axis=0, dtype=np.float64), np.float32)

    def _scale(self) -> tuple[Vectors, np.float32]:
        """The vectors around their centre, scaled so that two items' mean squared distance is one.

        With the scale.
        """
        placed = self.vectors - self._centre
        spread = float(np.square(placed).sum(axis=1).mean(dtype=np.float64))
        size = float(np.square(self.vectors).sum(axis=1).mean(dtype=np.float64))
        scale = np.float32(1 / np.sqrt(2 * spread) if spread > _NO_SPREAD * size else 0)
        return np.asarray(np.multiply(placed, scale, out=placed)), scale

    @cached_property
    def _scaled(self) -> tuple[Vectors, np.float32]:
        return self._scale()

    @property
    def _placed(self) -> Vectors:
        return self._scaled[0]

    @cached_property
    def _norms(self) -> Vectors:
        return _square(self._placed)

    @cached_property
    def _blocked(self) -> tuple[Rows, np.float32]:
        """What a large space keeps instead of `_scaled`."""
        placed, scale = self._scale()
        return Rows(placed), scale

    @cached_property
    def _laid(self) -> Laid:
        return self.reckoner.lay(self._blocked[0])

    def _take(self, items: Items) -> Vectors:
        return self._blocked[0].take(items) if self.is_large else np.asarray(self._placed[items])


@dataclass(frozen=True)
class Blend:
    """Several spaces looked at together, each with its weight; the weights sum to one."""

    parts: tuple[tuple[Space, float], ...]

    @property
    def name(self) -> str:
        return " + ".join(space.name for space, _ in self.parts)

    def between(self, ones: Items, others: Items) -> Vectors:
        """See `Distances`."""
        return np.asarray(
            sum(np.float32(weight) * space.between(ones, others) for space, weight in self.parts)
        )

    def to_all(self, ones: Items) -> Vectors:
        """See `Distances`."""
        return np.asarray(sum(np.float32(weight) * space.to_all(ones) for space, weight in self.parts))


@dataclass(frozen=True)
class Terrain:
    """n items in a space, and in one space per mask (none: the space itself serves as the only one).

    ``identity`` (n,) numbers what items show, 0, 1, 2 ...: those of one number look the same, and one of them
    stands for all.
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
    def representatives(self) -> Items:
        """The first item of each look: all different items there are."""
        return np.unique(self.identity, return_index=True)[1].astype(np.int64)

    def require(self, k: int) -> None:
        """Raise TooFewItems where a slate of ``k`` different items cannot be shown."""
        if (different := len(self.representatives)) < k:
            raise TooFewItems(
                f"The catalogue has {different} different items, and {k} are needed. "
                "Choose a smaller slate or a larger catalogue."
            )

    def alike(self, items: Items) -> NDArray[np.bool_]:
        """Which items look the same as one of these, (n,)."""
        looks = np.zeros(len(self.representatives), bool)
        looks[self.identity[items]] = True
        return np.asarray(looks[self.identity])

    def gather(self, chances: Vectors, items: Items) -> Vectors:
        """How likely each of the items is, together with all that look the same, (len(items),)."""
        return np.asarray(np.bincount(self.identity, weights=chances)[self.identity[items]], np.float32)


def _multiply(ones: Vectors, others: Vectors, norms: Vectors | None = None) -> Vectors:
    """Squared distances from a product, (q, d) and (n, d) -> (q, n); ``norms`` are those of the others."""
    products = ones @ others.T
    products *= -2
    products += _square(others) if norms is None else norms
    products += _square(ones)[:, None]
    return np.asarray(np.maximum(products, 0, out=products))


def _square(vectors: Vectors) -> Vectors:
    """How long (m, d) vectors are, in square, (m,)."""
    return np.asarray(np.einsum("nd,nd->n", vectors, vectors))
