"""What the simulated user makes of a puzzle with each policy, for the end of a game."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from evaluation.models import Puzzle
from evaluation.services.game_grounds import Ground, GroundLost, find_ground
from evaluation.services.games import find_start
from evaluation.stats.navigation import NEED_MASKS, NEED_RANKERS
from search.engine.navigation.bounds import fewest_slates
from search.engine.navigation.episodes import play
from search.engine.navigation.policies.base import Policy
from search.engine.navigation.policies.dqn import DeepQ, Ranker
from search.engine.navigation.policies.registry import create_policy
from search.engine.navigation.users import ExactUser
from search.models import EmbeddingSpace
from search.services.played_rankers import list_playable, open_played
from search.services.rankers import NoRanker

SIMULATED: Final = (
    "information",
    "information-multi",
    "posterior-sampling",
    "rule",
    "dqn",
    "dqn-belief",
    "nearest-per-mask",
)
# In a large catalogue only what takes milliseconds a slate.
QUICK: Final = ("posterior-sampling", "dqn", "nearest-per-mask")
LARGE: Final = 10_000


@dataclass(frozen=True)
class Simulation:
    """A puzzle that the simulated user is to play; playing needs no database, and any thread can do it.

    ``rankers``: those that there are, by the policy's name.
    """

    puzzle: Puzzle
    ground: Ground
    target: int
    rankers: Mapping[str, Ranker] = field(default_factory=dict)

    @property
    def _place(self) -> int:
        return self.ground.find_places([self.target])[0]

    def play(self) -> dict[str, Any]:
        """How the exact user finds the target by each policy, from the puzzle's start and seed.

        {different, bound, policies: [{policy, slates, found, path}]}; the bound is for who always picks,
        a path has the ids of the picks and of what was found.
        """
        terrain, puzzle = self.ground.terrain, self.puzzle
        missing = NEED_RANKERS.difference(self.rankers) | (frozenset() if terrain.masks else NEED_MASKS)
        able = [name for name in (QUICK if len(terrain) > LARGE else SIMULATED) if name not in missing]
        different = len(terrain.representatives)
        return {
            "different": different,
            # The start of a game with a target is never the one looked for.
            "bound": fewest_slates(different - (puzzle.target_id is not None), puzzle.k),
            "policies": [self._play_by(name) for name in able],
        }

    def _play_by(self, policy: str) -> dict[str, Any]:
        episode = play(
            self._create_policy(policy),
            ExactUser(self.ground.terrain.whole),
            self.ground.terrain,
            target=self._place,
            start=find_start(self.puzzle, self.ground),
            k=self.puzzle.k,
            draws=np.random.default_rng(self.puzzle.seed),
        )
        picks = [step.pick for step in episode.history.steps if step.pick is not None]
        path = self.ground.find_pks([*picks, *([self._place] if episode.found else [])])
        return {"policy": policy, "slates": episode.slates, "found": episode.found, "path": path}

    def _create_policy(self, name: str) -> Policy:
        terrain, seed = self.ground.terrain, self.puzzle.seed
        if name in self.rankers:
            return DeepQ(terrain, self.rankers[name], seed=seed)
        return create_policy(name, terrain, seed=seed)


def plan_simulation(puzzle: Puzzle, target: int) -> Simulation | None:
    """What is to be played for this target; None where it was, and where the puzzle's ground is lost."""
    if puzzle.simulated is not None:
        return None
    try:
        return Simulation(puzzle, find_ground(puzzle), target, _open_rankers(puzzle))
    except GroundLost:
        return None


def _open_rankers(puzzle: Puzzle) -> dict[str, Ranker]:
    """By the policy's name: the puzzle's own ranker, and of the other policies the newest for such games."""
    rows = EmbeddingSpace.objects.in_bulk([pk for pk, _ in puzzle.spaces])
    spaces = [rows[pk] for pk, sha256 in puzzle.spaces if pk in rows and rows[pk].sha256 == sha256]
    is_whole = len(spaces) == len(puzzle.spaces)  # else it is gone, and its ground only kept in memory
    known = list_playable(spaces=spaces, slate=puzzle.k) if is_whole else {}
    if puzzle.ranker:
        known[puzzle.policy] = puzzle.ranker
    opened = {}
    for policy, sha256 in known.items():
        with contextlib.suppress(NoRanker):  # the path of a ranker that is lost is not shown
            opened[policy] = open_played(sha256)
    return opened


def keep_simulated(puzzle: Puzzle, simulated: dict[str, Any]) -> None:
    """Keep what was played with the puzzle, for whoever looks next."""
    Puzzle.objects.filter(pk=puzzle.pk, simulated__isnull=True).update(simulated=simulated)
    puzzle.simulated = simulated
