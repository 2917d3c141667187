"""How much one player, and everybody behind one address, may do in a minute.

Kept in the memory of each web process, never stored: under keyed hashes whose key changes every hour, in
tables of bounded size. See docs/decisions/limits.md for the budgets.
"""

import secrets
import socket
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from math import ceil
from typing import Final

from django.conf import settings

MOST_REMEMBERED: Final = 50_000
HASH_LIFE_S: Final = 3600.0
# One person looks at a pair for two seconds or more when many play at once.
VOTES_IN_A_CROWD: Final = 30


class TooFast(Exception):
    """More than the budget; ``wait_s`` whole seconds later there is room again."""

    def __init__(self, wait: float) -> None:
        self.wait_s = max(1, ceil(wait))
        super().__init__(f"That was too quick. Your answers are kept; go on in {self.wait_s} seconds.")


class Limiter:
    """A budget per key that refills evenly (GCRA: one number per key, the time at which it is full again).

    ``minutes`` of the budget can be spent at once. Call it from one thread. A key that is forgotten, because
    others came after it or because the hour is over, starts with a full budget.
    """

    def __init__(
        self, per_minute: Callable[[], float], *, minutes: float, most_remembered: int = MOST_REMEMBERED
    ) -> None:
        self._per_minute = per_minute
        self._tolerance = minutes * 60
        self._most = most_remembered
        self._full_at: OrderedDict[bytes, float] = OrderedDict()
        self._hash_key = b""
        self._hash_until = float("-inf")

    def find_wait(self, key: bytes, cost: float = 1, *, now: float) -> float:
        """Seconds until ``cost`` fits into the budget; 0 where it fits now. A full budget fits any cost."""
        full_at = self._full_at.get(self._hash(key, now), now)
        return max(0.0, max(full_at, now) - now + self._price(cost) - self._tolerance)

    def spend(self, key: bytes, cost: float = 1, *, now: float) -> None:
        name = self._hash(key, now)
        self._full_at[name] = max(self._full_at.get(name, now), now) + self._price(cost)
        self._full_at.move_to_end(name)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)

    def take(self, key: bytes, cost: float = 1, *, now: float) -> float:
        """Spend what fits; otherwise nothing, and answer how long to wait."""
        wait = self.find_wait(key, cost, now=now)
        if not wait:
            self.spend(key, cost, now=now)
        return wait

    def _price(self, cost: float) -> float:
        return min(cost * 60 / self._per_minute(), self._tolerance)

    def _hash(self, key: bytes, now: float) -> bytes:
        if now >= self._hash_until:
            self._hash_key, self._hash_until = secrets.token_bytes(16), now + HASH_LIFE_S
            self._full_at.clear()
        return blake2b(key, key=self._hash_key, digest_size=12).digest()


def network_of(address: str) -> bytes:
    """What one subscriber holds: an IPv4 address, or the first 64 bits of an IPv6 one.

    What is no address (a Unix socket has none) is one network of its own.
    """
    try:
        if ":" not in address:
            return socket.inet_pton(socket.AF_INET, address)
        packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    except (OSError, ValueError):
        return b""
    return packed[12:] if packed.startswith(b"\0" * 10 + b"\xff\xff") else packed[:8]


def votes_of_a_player() -> float:
    return float(settings.VOTES_PER_MINUTE)


def votes_of_a_network() -> float:
    return float(settings.PLAYERS_PER_NETWORK * VOTES_IN_A_CROWD)


class PlayLimits:
    """Votes, and requests for pairs (deals and undo), each per player and per network.

    ``clock`` gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._votes = Limiter(votes_of_a_player, minutes=2), Limiter(votes_of_a_network, minutes=1)
        self._asks = Limiter(votes_of_a_player, minutes=2), Limiter(votes_of_a_network, minutes=1)

    def spend_votes(self, key: uuid.UUID, address: str, votes: int) -> None:
        """Raises TooFast, and then nothing was spent: a refused request never lengthens the wait."""
        self._spend(self._votes, key, address, votes)

    def spend_ask(self, key: uuid.UUID, address: str) -> None:
        """Raises TooFast, as `spend_votes` does."""
        self._spend(self._asks, key, address, 1)

    def _spend(self, limiters: tuple[Limiter, Limiter], key: uuid.UUID, address: str, cost: int) -> None:
        now = self._clock()
        of_player, of_network = limiters
        network = network_of(address)
        wait = max(
            of_player.find_wait(key.bytes, cost, now=now), of_network.find_wait(network, cost, now=now)
        )
        if wait:
            raise TooFast(wait)
        of_player.spend(key.bytes, cost, now=now)
        of_network.spend(network, cost, now=now)


play_limits = PlayLimits()
