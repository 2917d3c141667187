"""How the published ranker learns: double deep Q-learning from simulated games.

The article of eBay names a deep Q-network, three fully connected layers and Huber loss; how it was trained
beyond that it does not say. Ours: each step shows one slate of a simulated game, filled place by place. All
its places learn the same return: a slate costs one, and what follows is worth what the target network says
of the best first place of the next slate, as the learning network chooses it (van Hasselt, Guez and Silver,
"Deep reinforcement learning with double Q-learning", 2016). Getting nearer is rewarded by a potential,
which leaves the best policy what it was (Ng, Harada and Russell, "Policy invariance under reward
transformations", 1999).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from search.engine.navigation.episodes import CAP, draw_games, play_all
from search.engine.navigation.history import History
from search.engine.navigation.policies.dqn import DeepQ, Layers, Ranker, fill_slate, make_observer
from search.engine.navigation.situations import Situation
from search.engine.navigation.terrain import Items, Terrain, Vectors
from search.engine.navigation.users import ExactUser
from search.engine.training.failures import TrainingFailed
from search.engine.training.loop import State, initialise
from search.engine.training.replay import Replay, Slate
from search.engine.training.samples import Division
from search.engine.training.settings import LEAST_REMEMBERED, DqnSettings

MOST_BYTES = 2 << 30  # of what is remembered, which checkpoints hold as well


class RankingLearner:
    """Teaches one network per sampler of a terrain.

    ``division`` holds places of the terrain: a game's start and target are of one side.
    Raises TrainingFailed where there are too few items for a game, or too much to remember.
    """

    def __init__(
        self, terrain: Terrain, settings: DqnSettings, division: Division, *, device: torch.device
    ) -> None:
        for rows in (division.learned, division.validation):
            _require_two(terrain, rows)
        self._terrain, self._settings, self._device = terrain, settings, device
        self.division, self._user = division, ExactUser(terrain.whole)
        self._observer = make_observer(terrain, believes=settings.belief, seed=settings.seed)
        self._game = self._begin(np.random.default_rng([settings.seed, 1]))
        self._situation: Situation | None = None  # of the game, where it has been looked at
        told = self._look(self._game).describe([])
        self._replay = _make_replay(settings, *told.shape)
        self.module = initialise(
            lambda: nn.ModuleList(_make_network(told.shape[1], settings.hidden) for _ in terrain.samplers),
            settings.seed,
        ).to(device)
        self._target = copy.deepcopy(self.module).requires_grad_(False)

    @property
    def validation(self) -> NDArray[np.int64]:
        """See `Learner`."""
        return self.division.validation

    def begin_step(self, step: int) -> None:
        """Let the target network follow, and show one slate."""
        with torch.no_grad():
            for kept, learning in zip(self._target.parameters(), self.module.parameters(), strict=True):
                kept.lerp_(learning, self._settings.follow)
        draws = np.random.default_rng([self._settings.seed, 2, step])
        self._show(draws, exploring=self._exploring_at(step))
        while len(self._replay) < LEAST_REMEMBERED:
            self._show(draws, exploring=1.0)

    def loss(self, step: int) -> Tensor:
        """See `Learner`: Huber's, between what was promised and what came, over places of past slates."""
        draws = np.random.default_rng([self._settings.seed, 3, step])
        batch = self._replay.draw(self._settings.batch, draws, self._device)
        with torch.autocast(
            self._device.type, enabled=False
        ):  # what slates differ by is less than bfloat16 tells
            promised = _ask(self.module, batch.told, batch.samplers)
            with torch.no_grad():
                wished = _ask(self.module, batch.next_told, batch.next_samplers)
                best = wished.masked_fill(~batch.next_there, -torch.inf).argmax(dim=1, keepdim=True)
                worth = _ask(self._target, batch.next_told, batch.next_samplers).gather(1, best)[:, 0]
                came = batch.reward + self._settings.discount * worth * ~batch.over
            loss = functional.huber_loss(promised, came[:, None].expand_as(promised), reduction="none")
        return loss[batch.there].mean()

    def judge(self, module: Any, rows: NDArray[np.int64]) -> dict[str, float]:
        """See `Learner`: the share of ``CAP`` slates that games between these items do without."""
        games = draw_games(self._terrain, self._settings.judged, seed=0, among=rows)
        policy = DeepQ(self._terrain, read_networks(module, believes=self._settings.belief))
        episodes = play_all(
            policy, lambda draws: self._user, self._terrain, games, k=self._settings.slate, seed=0
        )
        slates = float(np.mean([episode.slates for episode in episodes]))
        return {"slates_spared": 1 - slates / CAP, "slates": slates}

    def state(self) -> State:
        """See `Learner`."""
        target = {
            f"target.{name}": tensor.cpu().numpy() for name, tensor in self._target.state_dict().items()
        }
        return {**self._replay.state(), **target, "game": self._game.as_rows()}

    def restore(self, state: State) -> None:
        """See `Learner`."""
        kept = {name: torch.tensor(state[f"target.{name}"]) for name in self._target.state_dict()}
        self._target.load_state_dict(kept)
        self._replay.restore(state)
        self._game, self._situation = _Game.from_rows(state["game"]), None

    def _begin(self, draws: Generator) -> _Game:
        seed = int(draws.integers(1 << 62))
        [[start, target]] = draw_games(self._terrain, 1, seed=seed, among=self.division.learned).tolist()
        return _Game(target, History(start=start))

    def _look(self, game: _Game) -> Situation:
        return self._observer.look(game.history, self._settings.slate)

    def _show(self, draws: Generator, *, exploring: float) -> None:
        """Show the next slate of the game that is played, and remember what came of it."""
        game, ranker = self._game, read_networks(self.module, believes=self._settings.belief)
        before = self._situation or self._look(game)
        told: list[Vectors] = []

        def find(situation: Situation, chosen: Sequence[int]) -> int:
            told.append(situation.describe(chosen))
            free = situation.is_free(chosen)
            if draws.random() < exploring:
                return int(draws.choice(np.flatnonzero(free)))
            values = ranker.value(told[-1], situation.sampled.samplers)
            return int(np.where(free, values, -np.inf).argmax())

        places = fill_slate(before, self._settings.slate, find)
        after = game.after(tuple(before.sampled.items[places].tolist()), self._terrain, self._user, draws)
        following = None if after.is_found(self._terrain) else self._look(after)
        self._replay.add(
            Slate(
                told=np.stack([rows[place] for rows, place in zip(told, places, strict=True)]),
                samplers=before.sampled.samplers[places],
                next_told=None if following is None else following.describe([]),
                next_samplers=None if following is None else following.sampled.samplers,
                reward=self._reward(game, after),
            )
        )
        is_over = following is None or len(after.history.steps) >= CAP
        self._game, self._situation = (self._begin(draws), None) if is_over else (after, following)

    def _reward(self, before: _Game, after: _Game) -> float:
        """-1 for the slate, and what the potential gained by it."""
        gained = -self._hope(before)
        if not after.is_found(self._terrain):
            gained += self._settings.discount * self._hope(after)
        return -1 + self._settings.shaping * gained

    def _hope(self, game: _Game) -> float:
        """Minus the binary logarithm of the target's rank around the current pick."""
        assert game.history.current is not None
        apart = self._terrain.whole.to_all(np.array([game.history.current]))[0]
        return -float(np.log2(1 + (apart < apart[game.target]).sum()))

    def _exploring_at(self, step: int) -> float:
        """The share of places filled by chance: from all, down to what stays."""
        left = 1 - step / max(1, self._settings.explored * self._settings.steps)
        return max(self._settings.exploring, left)


@dataclass(frozen=True)
class _Game:
    """A simulated game that has not ended, with what only the user knows."""

    target: int
    history: History

    def after(self, slate: tuple[int, ...], terrain: Terrain, user: ExactUser, draws: Generator) -> _Game:
        pick = user.pick(self.target, self.history.options(slate), draws)
        return _Game(self.target, self.history.after(slate, pick))

    def is_found(self, terrain: Terrain) -> bool:
        """Whether the last slate showed the target."""
        last = self.history.steps[-1].slate
        return bool((terrain.identity[list(last)] == terrain.identity[self.target]).any())

    def as_rows(self) -> NDArray[np.int64]:
        """For a checkpoint: the target and the start, then a row per slate, its pick last."""
        rows = [[*step.slate, step.pick] for step in self.history.steps]
        width = max((len(row) for row in rows), default=2)
        first = [self.target, self.history.start, *[-1] * (width - 2)]
        return np.array(
            [first, *([*row[:-1], *[-1] * (width - len(row)), row[-1]] for row in rows)], np.int64
        )

    @classmethod
    def from_rows(cls, rows: NDArray[np.int64]) -> _Game:
        first, *steps = rows.tolist()
        history = History(start=first[1])
        for *slate, pick in steps:
            history = history.after(tuple(item for item in slate if item >= 0), pick)
        return cls(first[0], history)


def read_networks(module: Any, *, believes: bool) -> Ranker:
    """What a module of networks weighs, for numpy; on a CPU its very memory, which goes on learning."""
    networks = tuple(
        tuple(
            (layer.weight.detach().cpu().numpy(), layer.bias.detach().cpu().numpy())
            for layer in network
            if isinstance(layer, nn.Linear)
        )
        for network in module
    )
    return Ranker(cast(tuple[Layers, ...], networks), believes)


def _make_replay(settings: DqnSettings, candidates: int, width: int) -> Replay:
    size = settings.remembered * (settings.slate + candidates) * width * np.dtype(np.float32).itemsize
    if size > MOST_BYTES:
        raise TrainingFailed(
            f"{settings.remembered:,} slates of {candidates} candidates in a space of so many dimensions are "
            f"{size / 2**30:.1f} GiB to remember; at most {MOST_BYTES >> 30} are. Set remembered lower."
        )
    return Replay(settings.remembered, settings.slate, candidates, width)


def _make_network(width: int, hidden: int) -> nn.Sequential:
    half = max(1, hidden // 2)
    return nn.Sequential(
        nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, half), nn.ReLU(), nn.Linear(half, 1)
    )


def _ask(networks: nn.Module, told: Tensor, samplers: Tensor) -> Tensor:
    """What each network says of the rows of its sampler, (b, c) from (b, c, f)."""
    values = torch.stack([network(told)[..., 0] for network in cast(nn.ModuleList, networks)], dim=-1)
    return values.gather(-1, samplers[..., None])[..., 0]


def _require_two(terrain: Terrain, items: Items) -> None:
    if len(np.unique(terrain.identity[items])) < 2:
        raise TrainingFailed(
            "A game needs a start and a target that look different, and too few items are left for it. "
            "Import more items."
        )
