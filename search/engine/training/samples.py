"""What is learned from: a catalogue's pictures, in one or two views, and what is known about its items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn import functional

from search.engine.training.augmentation import augment
from search.engine.training.pictures import PictureFile

MISSING = -1  # the label of an item that an aspect does not apply to, or of which it is not known

AT_ONCE = 128  # rows that are looked at together where nothing is learned from them

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Aspect:
    """A property of items and the values it takes, in order of their labels."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Labels:
    """What is known about n items: (n, aspects) int64, places in the aspects' values or MISSING."""

    aspects: tuple[Aspect, ...]
    table: NDArray[np.int64]

    def column(self, aspect: str) -> NDArray[np.int64]:
        """The labels of one aspect, (n,). Raises KeyError."""
        names = [known.name for known in self.aspects]
        if aspect not in names:
            raise KeyError(aspect)
        return self.table[:, names.index(aspect)]

    def of(self, names: tuple[str, ...]) -> Labels:
        """These aspects only, in this order."""
        by_name = {aspect.name: aspect for aspect in self.aspects}
        columns = [self.column(name) for name in names]
        return Labels(tuple(by_name[name] for name in names), np.stack(columns, axis=1))

    def most_common(self, count: int, rows: Rows) -> Labels:
        """Of each aspect the ``count`` values that most of the rows have; the others become MISSING."""
        aspects, table = [], np.full_like(self.table, MISSING)
        for column, aspect in enumerate(self.aspects):
            labels = self.table[rows, column]
            sizes = np.bincount(labels[labels != MISSING], minlength=len(aspect.values))
            kept = np.sort(np.argsort(-sizes, kind="stable")[:count])
            aspects.append(Aspect(aspect.name, tuple(aspect.values[place] for place in kept)))
            for number, place in enumerate(kept):
                table[self.table[:, column] == place, column] = number
        return Labels(tuple(aspects), table)


@dataclass(frozen=True)
class Division:
    """Rows of the items to learn from, to judge by while learning, and to judge by in the end."""

    learned: Rows
    validation: Rows
    held_out: Rows


class Views(Protocol):
    """One view of every item, as tensors on the device that learns."""

    def plain(self, rows: Rows) -> Tensor:
        """The rows as they are."""
        ...

    def changed(self, rows: Rows, strength: str, generator: Generator, *, scale: float = 1.0) -> Tensor:
        """The rows, each changed in its own way and all reduced to ``scale``, where that is possible."""
        ...


class PictureViews:
    """Pictures from a file: (m, side, side, 3) uint8 tensors."""

    def __init__(self, file: PictureFile, device: torch.device) -> None:
        self._file, self._device = file, device

    def plain(self, rows: Rows) -> Tensor:
        """See `Views`."""
        return torch.from_numpy(self._file.read(rows)).to(self._device, non_blocking=True)

    def changed(self, rows: Rows, strength: str, generator: Generator, *, scale: float = 1.0) -> Tensor:
        """See `Views`."""
        with torch.autocast(self._device.type, enabled=False):  # bfloat16 would move pixels off their places
            return augment(_reduce(self.plain(rows), scale), strength, generator)


class FeatureViews:
    """What a frozen backbone answers, computed once: (m, width) float32 tensors, which nothing changes."""

    def __init__(self, features: NDArray[np.float32], device: torch.device) -> None:
        self._features, self._device = features, device

    def plain(self, rows: Rows) -> Tensor:
        """See `Views`."""
        return torch.from_numpy(self._features[rows]).to(self._device, non_blocking=True)

    def changed(self, rows: Rows, strength: str, generator: Generator, *, scale: float = 1.0) -> Tensor:
        """See `Views`."""
        return self.plain(rows)


@dataclass(frozen=True)
class Samples:
    """A catalogue as training sees it; all rows are places in its views and labels.

    ``lifestyle`` is None where no item has a second view; ``has_lifestyle`` (n,) says which have one.
    """

    catalogue: Views
    lifestyle: Views | None
    has_lifestyle: NDArray[np.bool_]
    labels: Labels
    division: Division
    device: torch.device


def _reduce(pictures: Tensor, scale: float) -> Tensor:
    """Reduce the sides of (n, s, s, 3) pictures, averaging."""
    if scale == 1.0:
        return pictures
    side = round(pictures.shape[1] * scale)
    values = functional.interpolate(
        pictures.permute(0, 3, 1, 2).float(), (side, side), mode="bilinear", antialias=True
    )
    return values.round_().clamp_(0, 255).byte().permute(0, 2, 3, 1).contiguous()


@torch.inference_mode()
def answer_in_parts(
    network: Callable[[Tensor], Sequence[Tensor]], views: Views, rows: Rows
) -> list[NDArray[np.float32]]:
    """What a network says of the rows as they are, looking at a few at a time: (m, ...) of each answer."""
    starts = range(0, max(1, len(rows)), AT_ONCE)  # none at all have answers of the right shape too
    parts = [
        [answer.float().cpu() for answer in network(views.plain(rows[start : start + AT_ONCE]))]
        for start in starts
    ]
    return [torch.cat(found).numpy() for found in zip(*parts, strict=True)]


def draw_rows(rows: Rows, count: int, *, seed: int, step: int) -> Rows:
    """The rows of a step, which depend on seed and step alone.

    No row comes twice in an epoch; those that fill no whole batch wait for the next one, in another order.
    """
    count = min(count, len(rows))
    epoch, place = divmod(step, len(rows) // count)
    order = np.random.default_rng([seed, epoch]).permutation(len(rows))
    return rows[np.sort(order[place * count : (place + 1) * count])]  # sorted: files are read forwards


def generator_of(device: torch.device, *, seed: int, step: int) -> Generator:
    """The randomness of a step."""
    return Generator(device).manual_seed(seed * 1_000_003 + step)
