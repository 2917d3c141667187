"""Simulated navigation: several policies play the same games, and are compared on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from search.engine.navigation.bounds import fewest_slates
from search.engine.navigation.choices import calibrate
from search.engine.navigation.episodes import (
    Episode,
    Ratio,
    Summary,
    compare,
    draw_games,
    play_all,
    summarise,
)
from search.engine.navigation.policies.base import Policy
from search.engine.navigation.policies.dqn import DeepQ
from search.engine.navigation.policies.registry import create_policy
from search.engine.navigation.terrain import Items, TooFewItems
from search.engine.navigation.users import ExactUser, NoisyUser, UnsureUser, UserMaker, draw_opinionated
from search.models import Catalogue, Item, Split
from search.services.inventory import Walk, read_inventory, sum_up_walks
from search.services.navigation_terrain import OpenTerrain, open_space, open_terrain
from search.services.rankers import find_ranker, is_trained

WEIGHTS = "weights"  # of an `other` user who judges by masks weighted anew in each game
Say = Callable[[str, int, int], None]  # what is done, games played, games in all


class BadUser(Exception):
    """A simulated user that there is not; the text says which there are."""


@dataclass(frozen=True)
class Question:
    """What is to be simulated; ``user`` as on the command line. ``unsure``: see `UnsureUser`, 0 for never."""

    catalogue: Catalogue
    space: str
    policies: tuple[str, ...]
    user: str
    slate: int
    episodes: int
    seed: int
    keeps: bool = False
    unsure: float = 0.0


@dataclass(frozen=True)
class NavigationTable:
    """``rows`` and ``walks`` in the order asked; ``ratios`` of each policy against each one before it.

    ``targets`` says which items starts and targets were drawn from.
    """

    question: Question
    n: int
    targets: str
    different: int  # items that look different, among which starts and targets are drawn
    bound: float
    versions: dict[str, str]
    rows: list[tuple[str, Summary]]
    walks: list[Walk]
    ratios: list[tuple[str, str, Ratio]]

    def as_json(self) -> dict[str, Any]:
        """The table under the keys that do not change."""
        asked = self.question
        return {
            "n": self.n,
            "slate": asked.slate,
            "user": asked.user,
            "bound": self.bound,
            "rows": [
                {"policy": policy, **asdict(summary), **asdict(walk)}
                for (policy, summary), walk in zip(self.rows, self.walks, strict=True)
            ],
            "ratios": [
                {"policy": policy, "against": against, **asdict(ratio)}
                for policy, against, ratio in self.ratios
            ],
            "different": self.different,
            "targets": self.targets,
            "catalogue": asked.catalogue.slug,
            "space": asked.space,
            "episodes": asked.episodes,
            "seed": asked.seed,
            "keeps": asked.keeps,
            "unsure": asked.unsure,
            "versions": {
                "catalogue": asked.catalogue.content_hash,
                "spaces": self.versions,
                "numpy": version("numpy"),
            },
        }


def simulate(asked: Question, *, say: Say) -> NavigationTable:
    """Play every game with every policy.

    Raises ``NoSuchSpace``, ``BadUser``, ``NoRanker``, ``UnknownPolicy``, ``TooFewItems`` and
    ``ArtifactDamaged``.
    """
    opened = open_terrain(catalogue=asked.catalogue, space=asked.space)
    terrain = opened.terrain
    terrain.require(asked.slate + 1)  # the start is not shown again
    policies = {name: _create_policy(name, asked, opened) for name in asked.policies}
    make_user = _make_user(asked, opened)
    targets = _list_targets(asked, opened)
    games = draw_games(terrain, asked.episodes, seed=asked.seed, among=targets)
    played: dict[str, list[Episode]] = {}
    for name, policy in policies.items():
        played[name] = play_all(
            policy,
            make_user,
            terrain,
            games,
            k=asked.slate,
            seed=asked.seed,
            keeps=asked.keeps,
            report=lambda done, name=name: say(name, done, len(games)),  # type: ignore[misc]
        )
    names = list(played)
    inventory = read_inventory(catalogue=asked.catalogue, opened=opened)
    return NavigationTable(
        question=asked,
        n=len(terrain),
        targets="all" if targets is None else Split.EVALUATION,
        different=(different := len(terrain.representatives)),
        bound=fewest_slates(
            different - 1, asked.slate, answers=asked.slate + asked.keeps + (asked.unsure > 0)
        ),
        versions=opened.versions,
        rows=[(name, summarise(episodes)) for name, episodes in played.items()],
        walks=[sum_up_walks(inventory, episodes) for episodes in played.values()],
        ratios=[
            (one, other, compare(played[one], played[other]))
            for place, one in enumerate(names)
            for other in names[:place]
        ],
    )


def _list_targets(asked: Question, opened: OpenTerrain) -> Items | None:
    """Where a trained policy plays, the evaluation-only items: it learned from games among the others."""
    if not any(is_trained(name) for name in asked.policies):
        return None
    items = Item.objects.filter(catalogue=asked.catalogue, split=Split.EVALUATION)
    places = np.flatnonzero(np.isin(opened.items, list(items.values_list("position", flat=True))))
    if len(np.unique(opened.terrain.identity[places])) < 2:
        raise TooFewItems(
            "Trained policies look for evaluation-only items, and fewer than two look different. "
            "Import more items, or leave trained policies out."
        )
    return places


def _create_policy(name: str, asked: Question, opened: OpenTerrain) -> Policy:
    if not is_trained(name):
        return create_policy(name, opened.terrain, seed=asked.seed)
    ranker = find_ranker(opened, catalogue=asked.catalogue, space=asked.space, policy=name)
    return DeepQ(opened.terrain, ranker, seed=asked.seed)


def _make_user(asked: Question, opened: OpenTerrain) -> UserMaker:
    make = _make_sure_user(asked, opened)
    if not asked.unsure:
        return make
    return lambda draws: UnsureUser(make(draws), asked.unsure)


def _make_sure_user(asked: Question, opened: OpenTerrain) -> UserMaker:
    kind, _, rest = asked.user.partition(":")
    terrain = opened.terrain
    if kind == "exact" and not rest:
        return _always(ExactUser(terrain.whole))
    if kind == "noisy":
        try:
            model = calibrate(terrain, float(rest), asked.slate)
        except ValueError as error:
            raise BadUser(f"noisy:AGREEMENT needs a share such as noisy:0.79. {error}") from error
        return _always(NoisyUser(terrain.whole, model))
    if kind == "other" and rest == WEIGHTS:
        if len(terrain.masks) < 2:
            raise BadUser(f"other:{WEIGHTS} weighs masks, and {asked.space} has none: name another space.")
        return lambda draws: draw_opinionated(terrain.masks, draws)
    if kind == "other" and rest:
        return _always(ExactUser(open_space(catalogue=asked.catalogue, space=rest, items=opened.items)))
    raise BadUser(
        f"There is no simulated user '{asked.user}'. "
        f"There are: exact, noisy:AGREEMENT, other:SPACE, other:{WEIGHTS}."
    )


def _always(user: ExactUser | NoisyUser) -> UserMaker:
    return lambda draws: user
