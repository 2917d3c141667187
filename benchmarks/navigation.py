"""Navigation: how long a slate takes to be chosen for what its answer tells, in small and large catalogues.

Drawn vectors of 64 dimensions in clusters of clusters; the policy `information` with the exact user. What a
slate takes includes learning from the pick before it. Nobody else chooses slates so, so what is measured is
held against the time that a player may be kept waiting: 50, 100 and 250 ms, by the 95th percentile.
"""

import time
from collections.abc import Sequence

import numpy as np

from benchmarks.rows import Row
from search.engine.navigation.episodes import draw_games, play
from search.engine.navigation.policies.bayesian import Information
from search.engine.navigation.terrain import Space, Terrain
from search.engine.navigation.users import ExactUser

SIZES = {"navigation-5k": (5_000, 50), "navigation-100k": (100_000, 100), "navigation-1m": (1_000_000, 250)}
DIMENSIONS, CLUSTERS, WITHIN = 64, 40, 25
GAMES, SLATES, K = 8, 10, 4


def measure() -> Sequence[Row]:
    return [_measure(name, items, allowed_ms) for name, (items, allowed_ms) in SIZES.items()]


def _measure(name: str, items: int, allowed_ms: float) -> Row:
    terrain = Terrain(Space("drawn", draw_vectors(items)), (), np.arange(items))
    user, policy = ExactUser(terrain.whole), Information(terrain)
    seconds: list[float] = []
    worked = 0.0  # processor seconds, of which other processes take none
    for number, (start, target) in enumerate(draw_games(terrain, GAMES, seed=0).tolist()):
        begun = time.process_time()
        episode = play(
            policy,
            user,
            terrain,
            target=target,
            start=start,
            k=K,
            draws=np.random.default_rng(number),
            cap=SLATES,
        )
        # What is worked out once per catalogue, such as norms, is there from the second game on.
        if number:
            seconds += episode.seconds
            worked += time.process_time() - begun
    taken_ms = 1e3 * float(np.quantile(seconds, 0.95))
    notes = {
        "against": f"{allowed_ms} ms a slate",
        "p50_ms": round(1e3 * float(np.median(seconds)), 1),
        "p95_ms": round(taken_ms, 1),
        "cpu_ms": round(1e3 * worked / len(seconds), 1),
        "slates": len(seconds),
        "items": items,
        "dimensions": DIMENSIONS,
        "k": K,
        "seed": 0,
    }
    return Row(name, 1e3 / taken_ms, 1e3 / allowed_ms, allowed_ms / taken_ms, 1.0, "slates/s", notes)


def draw_vectors(items: int) -> np.ndarray:
    """(items, DIMENSIONS) float32, in clusters that lie in clusters."""
    draws = np.random.default_rng(0)
    large = draws.normal(size=(CLUSTERS, DIMENSIONS))
    small = np.repeat(large, WITHIN, axis=0) + 0.5 * draws.normal(size=(CLUSTERS * WITHIN, DIMENSIONS))
    vectors = small[draws.integers(0, len(small), items)].astype(np.float32)
    vectors += 0.25 * draws.standard_normal((items, DIMENSIONS), dtype=np.float32)
    return vectors
