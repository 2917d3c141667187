"""Policies by name."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from search.engine.errors import EngineError
from search.engine.navigation.policies.base import Policy
from search.engine.navigation.policies.bayesian import Information, PosteriorSampling
from search.engine.navigation.policies.nearest import Nearest
from search.engine.navigation.policies.rules import Rule, RuleSampler
from search.engine.navigation.terrain import Blend, Distances, Terrain


class UnknownPolicy(EngineError):
    """A policy that there is not."""


def list_sights(terrain: Terrain) -> list[Distances]:
    """Ways in which a player may see: the whole space, each mask, and each two masks together."""
    pairs = [Blend(((one, 0.5), (other, 0.5))) for one, other in combinations(terrain.masks, 2)]
    return [terrain.whole, *terrain.masks, *pairs]


def _make_nearest_per_mask(terrain: Terrain, *, seed: int = 0) -> Policy:
    return Nearest(terrain, spaces=terrain.samplers, seed=seed)


def _make_multi(terrain: Terrain, *, seed: int = 0) -> Policy:
    return Information(terrain, sights=list_sights(terrain), seed=seed)


POLICIES: dict[str, Callable[..., Policy]] = {
    "nearest": Nearest,
    "nearest-per-mask": _make_nearest_per_mask,
    "rule-sampler": RuleSampler,
    "rule": Rule,
    "posterior-sampling": PosteriorSampling,
    "information": Information,
    "information-multi": _make_multi,
}


def create_policy(name: str, terrain: Terrain, *, seed: int = 0) -> Policy:
    """Raises UnknownPolicy."""
    if name not in POLICIES:
        raise UnknownPolicy(f"There is no policy named '{name}'. There are: {', '.join(POLICIES)}.")
    return POLICIES[name](terrain, seed=seed)
