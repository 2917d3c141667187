"""What a ranker remembers of slates that it showed, to learn from more than once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from search.engine.navigation.terrain import Vectors
from search.engine.training.loop import State


@dataclass(frozen=True)
class Slate:
    """What was told of the items of a slate (k, f), by which samplers (k,), and what came of it.

    ``next_told`` (c, f) and ``next_samplers`` (c,) are of all candidates of the next slate; None where the
    game is over.
    """

    told: Vectors
    samplers: NDArray[np.int64]
    next_told: Vectors | None
    next_samplers: NDArray[np.int64] | None
    reward: float


@dataclass(frozen=True)
class Batch:
    """b remembered slates; ``there`` and ``next_there`` are False where there was no place or candidate."""

    told: Tensor  # (b, k, f)
    samplers: Tensor  # (b, k)
    there: Tensor  # (b, k)
    next_told: Tensor  # (b, c, f)
    next_samplers: Tensor  # (b, c)
    next_there: Tensor  # (b, c)
    reward: Tensor  # (b,)
    over: Tensor  # (b,)


class Replay:
    """The last ``size`` slates of at most ``k`` items of ``candidates``, each told in ``width`` numbers."""

    def __init__(self, size: int, k: int, candidates: int, width: int) -> None:
        self._rows: dict[str, NDArray[Any]] = {
            "told": np.zeros((size, k, width), np.float32),
            "samplers": np.zeros((size, k), np.int64),
            "there": np.zeros((size, k), np.uint8),
            "next_told": np.zeros((size, candidates, width), np.float32),
            "next_samplers": np.zeros((size, candidates), np.int64),
            "next_there": np.zeros((size, candidates), np.uint8),
            "reward": np.zeros(size, np.float32),
            "over": np.zeros(size, np.uint8),
        }
        self._added = 0

    def __len__(self) -> int:
        return min(self._added, len(self._rows["reward"]))

    def add(self, slate: Slate) -> None:
        """Remember a slate, and forget the oldest where there is no room."""
        rows, place = self._rows, self._added % len(self._rows["reward"])
        for name in rows:
            rows[name][place] = 0
        _fill(rows, place, "", slate.told, slate.samplers)
        if slate.next_told is not None and slate.next_samplers is not None:
            _fill(rows, place, "next_", slate.next_told, slate.next_samplers)
        rows["reward"][place] = slate.reward
        rows["over"][place] = slate.next_told is None
        self._added += 1

    def draw(self, count: int, draws: Generator, device: torch.device) -> Batch:
        """``count`` slates, evenly drawn with replacement."""
        places = draws.integers(0, len(self), count)
        drawn = {name: torch.from_numpy(array[places]).to(device) for name, array in self._rows.items()}
        flags = {name: drawn[name].bool() for name in ("there", "next_there", "over")}
        return Batch(**{field.name: (drawn | flags)[field.name] for field in fields(Batch)})

    def state(self) -> State:
        """What is remembered, for a checkpoint."""
        kept = {f"replay.{name}": array[: len(self)] for name, array in self._rows.items()}
        return {**kept, "replay.added": np.array([self._added], np.int64)}

    def restore(self, state: State) -> None:
        """Take back what `state` gave."""
        self._added = int(state["replay.added"][0])
        for name, array in self._rows.items():
            array[: len(self)] = state[f"replay.{name}"]


def _fill(
    rows: dict[str, NDArray[Any]], place: int, which: str, told: Vectors, samplers: NDArray[np.int64]
) -> None:
    count = len(told)
    rows[f"{which}told"][place, :count] = told
    rows[f"{which}samplers"][place, :count] = samplers
    rows[f"{which}there"][place, :count] = 1
