"""Episodes: simulated games, and what they say of policies that played the same ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from search.engine.navigation.history import History
from search.engine.navigation.policies.base import Policy
from search.engine.navigation.terrain import Items, Terrain
from search.engine.navigation.users import SimulatedUser, UserMaker

CAP = 50  # slates after which a game ends; one that did not find its target counts as many
DRAWS = 2000
_AT_ONCE = 50  # draws in memory
_TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Episode:
    """One simulated game. ``slates`` counts the one with the target; ``seconds``, what choosing each took."""

    target: int
    history: History
    slates: int
    found: bool
    seconds: tuple[float, ...]


@dataclass(frozen=True)
class Summary:
    """How a policy did over its episodes; ``low`` and ``high`` are the mean's 95 % interval."""

    mean: float
    low: float
    high: float
    median: float
    p90: float
    found: float
    ms_p50: float
    ms_p95: float


@dataclass(frozen=True)
class Ratio:
    """Mean slates of one policy over those of another on the same games, with the 95 % interval."""

    ratio: float
    low: float
    high: float


def play(
    policy: Policy,
    user: SimulatedUser,
    terrain: Terrain,
    *,
    target: int,
    start: int | None,
    k: int,
    draws: Generator,
    keeps: bool = False,
    cap: int = CAP,
) -> Episode:
    """Play until an item that looks like the target is on a slate, or ``cap`` slates were shown."""
    history, seconds = History(start=start, keeps=keeps), []
    wanted = terrain.identity[target]
    for number in range(1, cap + 1):
        begin = time.perf_counter()
        slate = tuple(policy.choose(history, k).tolist())
        seconds.append(time.perf_counter() - begin)
        if wanted in terrain.identity[list(slate)]:
            return Episode(target, history.after(slate, None), number, True, tuple(seconds))
        if not slate:
            break
        history = history.after(slate, user.pick(target, history.options(slate), draws))
    return Episode(target, history, cap, False, tuple(seconds))


def draw_games(terrain: Terrain, count: int, *, seed: int, among: Items | None = None) -> NDArray[np.int64]:
    """(count, 2): a start and a target that look different, evenly drawn of the different items.

    ``among`` these, or all. Raises ValueError where all of them look the same.
    """
    looks = terrain.representatives
    if among is not None:
        looks = among[np.unique(terrain.identity[among], return_index=True)[1]]
    if len(looks) < 2:
        raise ValueError("All items look the same: there is nothing to look for.")
    generator = np.random.default_rng(seed)
    start = generator.integers(0, len(looks), count)
    target = (start + generator.integers(1, len(looks), count)) % len(looks)
    return looks[np.stack([start, target], axis=1)]


def play_all(
    policy: Policy,
    make_user: UserMaker,
    terrain: Terrain,
    games: NDArray[np.int64],
    *,
    k: int,
    seed: int,
    keeps: bool = False,
    report: Callable[[int], None] = lambda done: None,
) -> list[Episode]:
    """One episode of each game; what the user of a game draws is the same whatever the policy."""
    episodes = []
    for number, (start, target) in enumerate(games.tolist()):
        draws = np.random.default_rng([seed, number])
        user = make_user(draws)
        episodes.append(
            play(policy, user, terrain, target=target, start=start, k=k, draws=draws, keeps=keeps)
        )
        report(number + 1)
    return episodes


def summarise(episodes: Sequence[Episode]) -> Summary:
    """Raises ValueError where there is no episode."""
    if not episodes:
        raise ValueError("There is no episode to summarise.")
    slates = np.array([episode.slates for episode in episodes], float)
    low, high = np.quantile(_resample(lambda places: slates[places].mean(axis=1), len(slates)), _TAILS)
    milliseconds = 1e3 * np.concatenate([episode.seconds for episode in episodes])
    return Summary(
        mean=float(slates.mean()),
        low=float(low),
        high=float(high),
        median=float(np.median(slates)),
        p90=float(np.quantile(slates, 0.9)),
        found=float(np.mean([episode.found for episode in episodes])),
        ms_p50=float(np.median(milliseconds)),
        ms_p95=float(np.quantile(milliseconds, 0.95)),
    )


def compare(ones: Sequence[Episode], others: Sequence[Episode]) -> Ratio:
    """In pairs: both played the same games, in the same order.

    Raises ValueError where they did not, or there is none.
    """
    played = [[(episode.history.start, episode.target) for episode in part] for part in (ones, others)]
    if not ones or played[0] != played[1]:
        raise ValueError("The policies played other games, or none.")
    one, other = (np.array([episode.slates for episode in part], float) for part in (ones, others))
    drawn = _resample(lambda places: one[places].mean(axis=1) / other[places].mean(axis=1), len(one))
    low, high = np.quantile(drawn, _TAILS)
    return Ratio(float(one.mean() / other.mean()), float(low), float(high))


def _resample(
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]], count: int
) -> NDArray[np.float64]:
    """A statistic of rows of places, drawn again and again (the percentile bootstrap), (DRAWS,)."""
    generator = np.random.default_rng(0)
    blocks = range(0, DRAWS, _AT_ONCE)
    return np.concatenate([statistic(generator.integers(0, count, (_AT_ONCE, count))) for _ in blocks])
