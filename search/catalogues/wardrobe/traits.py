"""Named, repeatable chance: every number of a design comes from hashing its name, never from a stream.

Because a draw depends on its name alone, adding a detail to one garment does not move any other detail, and
two members of a design family share whatever they do not deliberately vary.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


def hash_unit(key: str) -> float:
    """A number in [0, 1) that depends on `key` only (blake2b, so the same on every machine and release)."""
    return int.from_bytes(blake2b(key.encode(), digest_size=6).digest(), "big") / 2**48


class Traits:
    """The chances of one item: the family's draws, moved a little by the member's own.

    `spread` (0..1) is how far a member may stray from its family on continuous numbers; the names in
    `rethrown` are drawn afresh for this member, categories included.
    """

    def __init__(
        self, family: str, member: str, spread: float, rethrown: frozenset[str] = frozenset()
    ) -> None:
        self._family = family
        self._member = member
        self._spread = spread
        self._rethrown = rethrown

    def unit(self, name: str) -> float:
        """A number in [0, 1) near the family's; folded back at the ends so that no value piles up there."""
        if name in self._rethrown:
            return hash_unit(f"{self._member}/{name}")
        value = hash_unit(f"{self._family}/{name}")
        value += self._spread * (hash_unit(f"{self._member}/{name}") - 0.5)
        return min(abs(value) if value < 1 else 2 - value, 0.999999)

    def between(self, name: str, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.unit(name)

    def own(self, name: str, low: float, high: float) -> float:
        """A number in [low, high) of this member alone (pose, light, background)."""
        return low + (high - low) * hash_unit(f"{self._member}/{name}")

    def chance(self, name: str, probability: float) -> bool:
        """True with `probability`, the same for the whole family."""
        return self._steady(name) < probability

    def pick(self, name: str, options: Sequence[T]) -> T:
        """One of `options`, the same for the whole family unless rethrown."""
        return options[int(self._steady(name) * len(options))]

    def weigh(self, name: str, weights: Mapping[T, float]) -> T:
        """One key of `weights`, with chances in proportion, the same for the whole family unless rethrown."""
        point = self._steady(name) * sum(weights.values())
        for option, weight in weights.items():
            point -= weight
            if point < 0:
                return option
        return next(reversed(list(weights)))

    def _steady(self, name: str) -> float:
        return hash_unit(f"{self._member if name in self._rethrown else self._family}/{name}")
