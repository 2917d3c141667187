"""The one loop of all kinds: steps, judgements, checkpoints, and the ways in which it may end.

On a CPU it is deterministic: what a step draws depends on the seed and the step alone, so that a run resumed
from a checkpoint ends with the same weights as an uninterrupted one.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search.engine.training.devices import multiplies_bfloat16
from search.engine.training.failures import TrainingFailed, memory_errors
from search.engine.training.typed_settings import Settings

POINTS = 200  # of a loss curve, at most
FOLLOWED_AFTER = 4  # steps: moving 14 million averaged weights after each takes a tenth of a step's time
State = dict[str, NDArray[Any]]


class Learner(Protocol):
    """One kind of training over one set of samples.

    ``module`` holds everything that learns. A step may depend on the seed, the step's number, the weights and
    `state`, and on nothing else.
    """

    @property
    def module(self) -> nn.Module: ...

    @property
    def validation(self) -> NDArray[np.int64]:
        """The items to judge by while learning."""
        ...

    def begin_step(self, step: int) -> None:
        """Whatever comes before a step once in a while, such as looking for harder negatives."""
        ...

    def loss(self, step: int) -> Tensor:
        """The loss of a step's batch, a scalar."""
        ...

    def judge(self, module: Any, rows: NDArray[np.int64]) -> dict[str, float]:
        """Measures of ``module``, which is like `module`, on items; the first one decides."""
        ...

    def state(self) -> State:
        """What must be kept besides weights."""
        ...

    def restore(self, state: State) -> None:
        """Take back what `state` gave."""
        ...


@dataclass(frozen=True)
class Point:
    """Where training stood: ``loss`` averaged since the point before, measures where it was judged."""

    step: int
    loss: float
    rate: float
    measures: dict[str, float]


@dataclass
class Progress:
    """All of a run that is told to people and goes on after a restart."""

    step: int = 0
    curve: list[Point] = field(default_factory=list)
    best_step: int = 0
    best: dict[str, float] = field(default_factory=dict)
    without_gain: int = 0
    losses: list[float] = field(default_factory=list)  # since the last point
    ahead: int = 0  # steps that the averaged weights have not followed yet


@dataclass(frozen=True)
class Fitted:
    """How training ended: the curve, the step whose weights were kept, and its measures."""

    curve: list[Point]
    best_step: int
    measures: dict[str, float]
    stopped_early: bool


class Run:
    """What changes while a learner learns."""

    def __init__(self, learner: Learner, settings: Settings, device: torch.device) -> None:
        self.learner, self.settings = learner, settings
        self._device, self._autocasts = device, multiplies_bfloat16(device)
        self.averaged = copy.deepcopy(learner.module).requires_grad_(False).eval()
        self.best = copy.deepcopy(learner.module.state_dict())
        now = learner.module.state_dict()
        pairs = [(kept, now[name]) for name, kept in self.averaged.state_dict().items()]
        # The very tensors that learn and that follow them; numbers of batches seen have no average.
        self._kept, self._learning = zip(
            *(pair for pair in pairs if pair[0].is_floating_point()), strict=True
        )
        self._counts = [pair for pair in pairs if not pair[0].is_floating_point()]
        learning = [weight for weight in learner.module.parameters() if weight.requires_grad]
        self.optimiser = torch.optim.AdamW(_decayed_and_not(learning, settings), lr=settings.rate, fused=True)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser, lambda step: rate_at(step, settings)
        )
        self.progress = Progress()

    def step(self) -> None:
        """Learn from one batch. Raises TrainingFailed where the loss is no number."""
        number = self.progress.step
        torch.manual_seed(self.settings.seed * 1_000_003 + number)  # what layers draw, such as dropout
        self.learner.begin_step(number)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._autocasts):
            loss = self.learner.loss(number)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingFailed(
                f"The loss is not a number at step {number + 1}. "
                f"Lower the rate (it is {self.settings.rate:g})."
            )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.schedule.step()
        self.progress.losses.append(value)
        self.progress.step = number + 1
        self.progress.ahead += 1
        if self.progress.ahead == FOLLOWED_AFTER:
            self._follow()

    def judge_start(self) -> None:
        """Judge first weights that are worth keeping: later ones must be better than they are."""
        with torch.no_grad():
            self.learner.begin_step(0)
            self.progress.losses.append(float(self.learner.loss(0)))
        self.judge()

    def judge(self) -> None:
        """Measure the averaged weights and keep them where they are the best so far."""
        progress = self.progress
        self._follow()
        with torch.inference_mode():
            measures = self.learner.judge(self.averaged, self.learner.validation)
        self.note(measures)
        [decides, *_] = measures
        if not progress.best or measures[decides] > progress.best[decides]:
            progress.best, progress.best_step, progress.without_gain = measures, progress.step, 0
            self.best = {name: tensor.clone() for name, tensor in self.averaged.state_dict().items()}
        elif not self.settings.is_warming_up(progress.step - 1):
            progress.without_gain += 1

    def note(self, measures: dict[str, float]) -> None:
        """Add a point to the curve."""
        progress = self.progress
        loss = sum(progress.losses) / max(1, len(progress.losses))
        rate = float(self.schedule.get_last_lr()[0])
        progress.curve.append(Point(progress.step, loss, rate, measures))
        progress.losses.clear()

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the averaged weights towards those that learn; faster in the beginning."""
        progress = self.progress
        kept = min(self.settings.averaging, progress.step / (9 + progress.step))
        share = 1 - kept**progress.ahead
        progress.ahead = 0
        torch._foreach_lerp_(self._kept, self._learning, share)
        for count, learning in self._counts:
            count.copy_(learning)


def fit(
    learner: Learner,
    settings: Settings,
    *,
    checkpoint: Checkpoint,
    report: Callable[[Progress], None],
    device: torch.device,
) -> Fitted:
    """Train ``learner.module`` and leave the best weights in it.

    ``checkpoint`` is continued from where there is one, and written every so many steps. ``report`` is called
    after each step and may raise to stop. Raises TrainingFailed, DiskFull.
    """
    with memory_errors():
        run = Run(learner, settings, device)
        checkpoint.resume(run)
        learner.module.train()
        progress = run.progress
        if settings.starts_learned and not progress.curve:
            run.judge_start()
        every_point = max(1, settings.steps // POINTS)
        while progress.step < settings.steps and not _is_over(progress, settings):
            run.step()
            is_last = progress.step == settings.steps
            if progress.step % settings.validate_every == 0 or is_last:
                run.judge()
            elif progress.step % every_point == 0:
                run.note({})
            if progress.step % settings.checkpoint_every == 0 or is_last or _is_over(progress, settings):
                checkpoint.keep(run)
            report(progress)
    learner.module.load_state_dict(run.best)
    learner.module.eval()
    return Fitted(progress.curve, progress.best_step, progress.best, progress.step < settings.steps)


class Checkpoint(Protocol):
    """Where a run is kept; see `checkpoints`."""

    def keep(self, run: Run) -> None: ...

    def resume(self, run: Run) -> None: ...


def rate_at(step: int, settings: Settings) -> float:
    """The learning rate as a share of its peak: up over the first tenth, then down along a cosine."""
    warm = max(1, settings.steps // 10)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, settings.steps - warm)))


def initialise(make: Callable[[], Any], seed: int) -> Any:
    """Make modules whose first weights depend on the seed alone."""
    torch.manual_seed(seed)
    return make()


def _is_over(progress: Progress, settings: Settings) -> bool:
    return 0 < settings.patience <= progress.without_gain


def _decayed_and_not(parameters: list[nn.Parameter], settings: Settings) -> list[dict[str, Any]]:
    """Weights of layers decay; biases and normalisations do not."""
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
