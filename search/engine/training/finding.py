"""Teaches a finder where items lie and how they are turned, by composites, whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from search.engine.training.composites import Truth, compose
from search.engine.training.cutouts import Cutouts
from search.engine.training.loop import State
from search.engine.training.samples import Rows, generator_of
from search.engine.training.settings import FindingSettings
from search.engine.upright import Finder, Pose, centres, put, solve_pose

FOUND = 0.15  # of an item's half side: how far its corners may lie from where they are
_CORNERS = 0.8  # where the pose is compared; the very corners are rarely covered
_FARTHEST = 1.5  # places that are asked for: beyond, nothing of the item lies
_SHARP = 0.1  # errors below it count squared
_UNSEEN = 0.3  # how much cells count where something lies before the item
_WARM = 0.1  # share of the steps in which a pose that makes no sense yet hardly counts
_JUDGED_SEED = 1 << 20


@dataclass
class FindingLearner:
    """See `Learner`: ``module`` is the finder; ``validation`` are places in ``judged``, others' cutouts."""

    module: Finder
    cutouts: Cutouts
    judged: Cutouts
    settings: FindingSettings

    @property
    def validation(self) -> NDArray[np.int64]:
        return np.arange(len(self.judged))

    def begin_step(self, step: int) -> None:
        """See `Learner`."""

    def loss(self, step: int) -> Tensor:
        """See `Learner`: of the places of cells, of which show the item, and of the pose that follows."""
        device = self.cutouts.half.device
        generator = generator_of(device, seed=self.settings.seed, step=step)
        with torch.autocast(device.type, enabled=False), torch.no_grad():
            rows = torch.randint(
                len(self.cutouts), (self.settings.batch,), generator=generator, device=device
            )
            pictures, truth = compose(self.cutouts, rows, generator)
        answers = look(self.module, pictures).float()
        with torch.autocast(device.type, enabled=False):
            share = 2.0 if step > _WARM * self.settings.steps else 0.2
            error = measure_error(solve_pose(answers), truth)
            posed = functional.smooth_l1_loss(error, torch.zeros_like(error), beta=_SHARP, reduction="none")
            return _compare_cells(answers, truth) + share * posed.clamp_max(3).mean()

    def judge(self, module: Finder, rows: Rows) -> dict[str, float]:
        """The share of composites of the rows whose corners were found, and the median error."""
        device = self.judged.half.device
        errors = []
        for start in range(0, len(rows), self.settings.batch):
            generator = generator_of(device, seed=_JUDGED_SEED, step=start)
            part = torch.from_numpy(rows[start : start + self.settings.batch]).to(device)
            pictures, truth = compose(self.judged, part, generator)
            error = measure_error(solve_pose(look(module, pictures)), truth)
            errors.append(error.norm(dim=-1).mean(dim=(1, 2)))
        found = torch.cat(errors)
        return {"found": float((found < FOUND).float().mean()), "middle_error": float(found.median())}

    def state(self) -> State:
        """See `Learner`: there is nothing but weights."""
        return {}

    def restore(self, state: State) -> None:
        """See `Learner`."""


def look(finder: Finder, pictures: Tensor) -> Tensor:
    """A finder's answers to (n, 3, s, s) pictures from 0 to 255."""
    values = (pictures - 127.5) / 63.75
    answers: Tensor = finder(values.contiguous(memory_format=torch.channels_last))
    return answers


def measure_error(pose: Pose, truth: Truth) -> Tensor:
    """How far from where they should the corners of a pose lie, in halves of the item: (n, 2, 2, 2)."""
    corners = centres(2, pose.shift)[None] * (2 * _CORNERS)
    return truth.places(put(pose, corners)) - corners


def _compare_cells(answers: Tensor, truth: Truth) -> Tensor:
    places = truth.places(centres(answers.shape[2], answers)[None]).permute(0, 3, 1, 2)
    near = (places.abs() < _FARTHEST).all(dim=1, keepdim=True).float()
    weight = (truth.seen + _UNSEEN * truth.there) * near
    off = functional.smooth_l1_loss(
        answers[:, :2], places.clamp(-_FARTHEST, _FARTHEST), beta=_SHARP, reduction="none"
    )
    placed = (off * weight).sum() / weight.sum().clamp_min(1)
    return 4 * placed + functional.binary_cross_entropy_with_logits(answers[:, 2:3], truth.seen)
