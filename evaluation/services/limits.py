"""How much one player, and everybody behind one address, may do in a minute and in a day.

Kept in the memory of each web process, never stored: under keyed hashes whose key changes every hour (that
of what is counted by the day, every day), in tables of bounded size. See docs/decisions/limits.md for the
budgets.
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
DAY_S: Final = 24 * 3600.0
# Of the votes that all its players could give in a day.
NETWORK_SHARE: Final = 0.25
DAY_OF_PLAYER: Final = (
    "You have had as many pairs as one player may in a day. Your answers are kept; go on in {}."
)
DAY_OF_NETWORK: Final = (
    "Your network has judged as many pairs as one may in a day. Your answers are kept; go on in {}, or "
    "elsewhere."
)


class TooFast(Exception):
    """More than the budget; ``wait_s`` whole seconds later there is room again."""

    def __init__(self, wait: float) -> None:
        self.wait_s = max(1, ceil(wait))
        super().__init__(f"That was too quick. Your answers are kept; go on in {self.wait_s} seconds.")


class DayOver(TooFast):
    """A day's budget is spent."""

    def __init__(self, wait: float, message: str) -> None:
        super().__init__(wait)
        hours = ceil(wait / 3600)
        self.args = (message.format("an hour" if hours == 1 else f"{hours} hours"),)


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


class DayLimiter:
    """So many a day and key. The day begins with the first look, and ends for all keys at once.

    What was counted is forgotten with it: the hash key is another one then. Call it from one thread.
    """

    def __init__(self, per_day: Callable[[], int], *, most_remembered: int = MOST_REMEMBERED) -> None:
        self._per_day = per_day
        self._most = most_remembered
        self._counts: OrderedDict[bytes, int] = OrderedDict()
        self._hash_key = b""
        self._until = float("-inf")

    def find_wait(self, key: bytes, *, now: float) -> float:
        """Seconds until there is a budget again; 0 where something of this day's is left."""
        is_left = self._counts.get(self._hash(key, now), 0) < self._per_day()
        return 0.0 if is_left else self._until - now

    def spend(self, key: bytes, cost: int = 1, *, now: float) -> None:
        name = self._hash(key, now)
        self._counts[name] = self._counts.get(name, 0) + cost
        self._counts.move_to_end(name)
        if len(self._counts) > self._most:
            self._counts.popitem(last=False)

    def _hash(self, key: bytes, now: float) -> bytes:
        if now >= self._until:
            self._hash_key, self._until = secrets.token_bytes(16), now + DAY_S
            self._counts.clear()
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


def pairs_of_a_players_day() -> int:
    return int(settings.VOTES_PER_DAY)


def votes_of_a_networks_day() -> int:
    """A player who is alone there has their whole day."""
    of_all = int(settings.PLAYERS_PER_NETWORK * settings.VOTES_PER_DAY * NETWORK_SHARE)
    return max(pairs_of_a_players_day(), of_all)


class PlayLimits:
    """Votes, and requests for pairs (deals and undo), each per player and per network.

    A day ends new pairs alone: what was dealt can be answered whatever the day. It counts what came about,
    pairs dealt anew to a player and votes newly stored from a network; not attempts, which may fail for
    reasons that are not theirs.

    ``clock`` gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._votes = Limiter(votes_of_a_player, minutes=2), Limiter(votes_of_a_network, minutes=1)
        self._days = DayLimiter(pairs_of_a_players_day), DayLimiter(votes_of_a_networks_day)
        self._asks = Limiter(votes_of_a_player, minutes=2), Limiter(votes_of_a_network, minutes=1)

    def spend_votes(self, key: uuid.UUID, address: str, votes: int) -> None:
        """Raises TooFast, and then nothing was spent: a refused request never lengthens the wait."""
        self._spend(self._votes, key, address, votes)

    def spend_ask(self, key: uuid.UUID, address: str) -> None:
        """Raises TooFast, as `spend_votes` does."""
        self._spend(self._asks, key, address, 1)

    def find_end_of_day(self, key: uuid.UUID, address: str) -> DayOver | None:
        """Why this player gets no new pairs today; None where they do."""
        now = self._clock()
        players, networks = self._days
        if wait := players.find_wait(key.bytes, now=now):
            return DayOver(wait, DAY_OF_PLAYER)
        if wait := networks.find_wait(network_of(address), now=now):
            return DayOver(wait, DAY_OF_NETWORK)
        return None

    def count_pairs(self, key: uuid.UUID, pairs: int) -> None:
        """Pairs dealt anew to a player: for the day."""
        self._days[0].spend(key.bytes, pairs, now=self._clock())

    def count_votes(self, address: str, votes: int) -> None:
        """Votes newly stored that came from a network: for the day."""
        self._days[1].spend(network_of(address), votes, now=self._clock())

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
