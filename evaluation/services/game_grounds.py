"""What games are played on, opened: terrains and policies, some of which each process keeps.

Nothing here is state: whatever is not kept is worked out again from the game's rows, with the same answer.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Final, Generic, TypeVar

import numpy as np

from evaluation.models import Puzzle
from evaluation.stats.navigation import NEED_MASKS, STAND_IN, measure_bits
from search.engine.errors import ArtifactDamaged
from search.engine.navigation.belief import Belief
from search.engine.navigation.history import History
from search.engine.navigation.policies.base import Policy
from search.engine.navigation.policies.bayesian import MODEL, Information, PosteriorSampling
from search.engine.navigation.policies.dqn import DeepQ, Ranker
from search.engine.navigation.policies.registry import create_policy, list_sights
from search.engine.navigation.reckoning import IN_ORDER, Reckoner
from search.engine.navigation.terrain import Items, Space, Terrain
from search.models import EmbeddingSpace, Item
from search.services.navigation_terrain import NoSuchSpace, open_spaces
from search.services.played_rankers import open_played
from search.services.rankers import NoRanker

Frozen = tuple[tuple[int, str], ...]  # (id, sha256) of a space and of its masks
Value = TypeVar("Value")
# In numbers of four bytes.
ROOM_FOR_GROUNDS: Final = 128_000_000
ROOM_FOR_GUIDES: Final = 64_000_000
_BELIEFS: Final = 4  # that a policy remembers at once

log = logging.getLogger(__name__)


class GroundLost(Exception):
    """The files that a game is played on are gone, damaged or others than those it was begun on."""


class Kept(Generic[Value]):
    """The values that were used last, as many as there is room for, and always the very last one.

    May be asked from several threads; what is missing is made by one of them while the others wait.
    """

    def __init__(self, room: int, measure: Callable[[Value], int]) -> None:
        self._room, self._measure = room, measure
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of this key; what ``make`` raises is raised here, and nothing is kept."""
        with self._lock:
            if key not in self._values:
                self._values[key] = make()
            self._values.move_to_end(key)
            while len(self._values) > 1 and sum(map(self._measure, self._values.values())) > self._room:
                self._values.popitem(last=False)
            return self._values[key]

    def __len__(self) -> int:
        return len(self._values)

    def clear(self) -> None:
        """Forget all: for tests, whose databases begin anew with the same ids."""
        with self._lock:
            self._values.clear()


@dataclass(frozen=True)
class Ground:
    """A terrain and the rows of its items: ``pks[place]`` is `Item.pk`."""

    terrain: Terrain
    pks: Items

    @cached_property
    def _order(self) -> Items:
        return np.argsort(self.pks)

    def find_places(self, pks: Sequence[int]) -> tuple[int, ...]:
        """Where these items stand in the terrain."""
        found = self._order[np.searchsorted(self.pks, np.array(pks, np.int64), sorter=self._order)]
        return tuple(found.tolist())

    def find_pks(self, places: Sequence[int]) -> list[int]:
        """The rows of the items at these places."""
        return [int(self.pks[place]) for place in places]

    @property
    def size(self) -> int:
        """Numbers held in memory."""
        return sum(space.vectors.size for space in (self.terrain.whole, *self.terrain.masks))


@dataclass(frozen=True)
class Choice:
    """The ids of a slate's items, and how many bits are left to know of the target before its answer."""

    items: list[int]
    bits: float


@dataclass(frozen=True)
class Recipe:
    """All that the slates of a puzzle follow from, besides what its player picks.

    ``ranker``: the sha256 of a trained policy's networks, blank for any other policy.
    """

    spaces: Frozen
    policy: str
    seed: int
    ranker: str = ""


class Guide:
    """Chooses the slates of a puzzle. What is left to know is measured in one way, whatever the policy.

    Raises NoRanker where a trained policy's networks are gone or damaged.
    """

    def __init__(self, ground: Ground, recipe: Recipe) -> None:
        self._ground, self.recipe = ground, recipe
        ranker = open_played(recipe.ranker) if recipe.ranker else None
        self._policy = _create_policy(recipe, ground.terrain, ranker)
        self._belief = self._find_belief()
        self._lock = Lock()  # beliefs are remembered while they are worked out
        sights = len(list_sights(ground.terrain)) if recipe.policy == "information-multi" else 1
        self.size = len(ground.terrain) * _BELIEFS * (sights + 1) + (ranker.size if ranker else 0)

    def _find_belief(self) -> Belief:
        """In items alone; where the policy has one, that one, which is worked out already."""
        terrain, policy = self._ground.terrain, self._policy
        if isinstance(policy, Information | PosteriorSampling) and policy.belief.sights == (terrain.whole,):
            return policy.belief
        return Belief(terrain, [terrain.whole], MODEL)

    @property
    def spaces(self) -> tuple[Space, ...]:
        """Those in which every slate is chosen by how far its options lie from all items."""
        terrain = self._ground.terrain
        return (terrain.whole, *(terrain.masks if self.recipe.policy in NEED_MASKS else ()))

    def choose(self, history: History, k: int) -> Choice:
        """The next slate; empty where every item was shown.

        Its order is drawn, so that it tells nothing of how the items were chosen.
        """
        terrain = self._ground.terrain
        with self._lock:
            chosen = self._policy.choose(history, k)
            bits = measure_bits(self._belief.of_items(history), terrain.identity)
        order = np.random.default_rng([self.recipe.seed, len(history.steps)])
        return Choice(self._ground.find_pks(order.permutation(chosen).tolist()), bits)


@dataclass(frozen=True)
class Wanted:
    """A slate that is to be chosen; choosing it needs no database, and any thread can do it."""

    ground: Ground
    guide: Guide
    history: History
    k: int

    def choose(self) -> Choice:
        """The slate; empty where every item was shown."""
        return self.guide.choose(self.history, self.k)


grounds: Kept[Ground] = Kept(ROOM_FOR_GROUNDS, lambda ground: ground.size)
guides: Kept[Guide] = Kept(ROOM_FOR_GUIDES, lambda guide: guide.size)


def freeze(spaces: Sequence[EmbeddingSpace]) -> Frozen:
    """What names these spaces and their very bytes."""
    return tuple((space.pk, space.sha256) for space in spaces)


def open_ground(frozen: Frozen, reckoner: Reckoner = IN_ORDER) -> Ground:
    """Raises GroundLost."""
    return grounds.get((frozen, reckoner), lambda: _open(frozen, reckoner))


def find_ground(puzzle: Puzzle) -> Ground:
    """What a puzzle is played on. Raises GroundLost."""
    return open_ground(_thaw(puzzle))


def find_guide(puzzle: Puzzle) -> tuple[Ground, Guide]:
    """What a puzzle is played on, and what chooses its slates. Raises GroundLost.

    Where the networks of its policy are lost, another policy stands in, as the guide's recipe says.
    """
    recipe = Recipe(_thaw(puzzle), puzzle.policy, puzzle.seed, puzzle.ranker)
    try:
        return open_guide(recipe)
    except NoRanker as error:
        log.warning("“%s” stands in for the ranker %s (%s).", STAND_IN, puzzle.ranker, error)
        return open_guide(replace(recipe, policy=STAND_IN, ranker=""))


def open_guide(recipe: Recipe, reckoner: Reckoner = IN_ORDER) -> tuple[Ground, Guide]:
    """Where slates are chosen after this recipe, and what chooses them. Raises GroundLost and NoRanker.

    ``reckoner`` works out distances in large spaces, which changes nothing about the slates.
    """
    ground = open_ground(recipe.spaces, reckoner)
    return ground, guides.get((recipe, reckoner), lambda: Guide(ground, recipe))


def prepare(together: Sequence[Wanted]) -> None:
    """Have what several slates are chosen by worked out in one go, where it is kept: on a GPU."""
    needed: dict[Space, set[int]] = {}
    for wanted in together:
        if wanted.history.steps:
            step, before = wanted.history.steps[-1], wanted.history.before
            for space in wanted.guide.spaces:
                needed.setdefault(space, set()).update(before.options(step.slate))
    for space, items in needed.items():
        space.prepare(np.array(sorted(items)))


def _create_policy(recipe: Recipe, terrain: Terrain, ranker: Ranker | None) -> Policy:
    if ranker is not None:
        return DeepQ(terrain, ranker, seed=recipe.seed)
    return create_policy(recipe.policy, terrain, seed=recipe.seed)


def _thaw(puzzle: Puzzle) -> Frozen:
    return tuple((pk, sha256) for pk, sha256 in puzzle.spaces)


def _open(frozen: Frozen, reckoner: Reckoner) -> Ground:
    rows = EmbeddingSpace.objects.in_bulk([pk for pk, _ in frozen])
    if any(pk not in rows or rows[pk].sha256 != sha256 for pk, sha256 in frozen):
        raise GroundLost("The space has been built anew since.")
    try:
        opened = open_spaces([rows[pk] for pk, _ in frozen], reckoner=reckoner)
    except (ArtifactDamaged, FileNotFoundError, NoSuchSpace) as error:
        raise GroundLost(str(error)) from error
    catalogue = rows[frozen[0][0]].catalogue_id
    pks = dict(Item.objects.filter(catalogue=catalogue).values_list("position", "pk"))
    return Ground(opened.terrain, np.array([pks[position] for position in opened.items.tolist()], np.int64))
