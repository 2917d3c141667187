"""Trains a small network to tell categories and aspects apart, and to know an item in another picture.

The loop is deterministic on a CPU: the order of items and every augmentation depend on the seed and the
step alone, so that a run resumed from a checkpoint ends with the same weights as an uninterrupted one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from search.engine.arrays import Facts, read_arrays, write_arrays
from search.engine.augmentation import augment
from search.engine.errors import ArtifactDamaged, EngineError

Network = TypeVar("Network", bound=nn.Module)

MISSING = -1  # the label of an item that an aspect does not apply to
# How the arrays of a checkpoint are named: a weight's name, a parameter's number and what is kept of it.
_WEIGHTS = "weights."
_MOMENTS = "moments."


class TrainingFailed(EngineError):
    """Training cannot go on: the loss is not a number, or a checkpoint belongs to another run."""


@dataclass(frozen=True)
class TrainingSet:
    """Pictures of items and what is known about them.

    ``catalogue`` and ``lifestyle`` are (n, side, side, 3) uint8, two pictures of the same n items (arrays or
    memory maps); ``labels`` is (n, aspects) int64, an index into the aspect's values or MISSING;
    ``aspects`` gives each column's name and values, the category first.
    """

    catalogue: NDArray[np.uint8]
    lifestyle: NDArray[np.uint8]
    labels: NDArray[np.int64]
    aspects: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class TrainingConfig:
    """How to train.

    ``steps`` batches of ``items`` items, two pictures each; learning rate rising to ``peak_rate`` over the
    first tenth, then falling along a cosine. The first ``small_share`` of the steps see pictures reduced to
    ``small_side``, which takes a third of the time and teaches the coarse things first. ``contrast_weight``
    weighs the term that pulls an item's two pictures together, ``temperature`` is that term's.
    """

    steps: int
    items: int = 24
    small_side: int = 64
    small_share: float = 0.7
    peak_rate: float = 2e-3
    weight_decay: float = 0.02
    category_weight: float = 3.0
    contrast_weight: float = 0.2
    temperature: float = 0.1
    smoothing: float = 0.05
    checkpoint_every: int = 200
    seed: int = 0


@dataclass(frozen=True)
class StepReport:
    """Where training stands: steps done of all, and the loss averaged over the last steps."""

    step: int
    steps: int
    loss: float


class AspectHeads(nn.Module):
    """One softmax layer per aspect on top of a layer that they share."""

    def __init__(self, dimensions: int, aspects: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        super().__init__()
        self.sizes = [len(values) for _, values in aspects]
        self.linear = nn.Linear(dimensions, sum(self.sizes))

    def forward(self, values: Tensor) -> tuple[Tensor, ...]:
        """(n, d) -> one (n, values) tensor of logits per aspect."""
        return tuple(self.linear(values).split(self.sizes, dim=1))


def initialise(make: Callable[[], Network], seed: int) -> Network:
    """Make a network whose first weights depend on the seed alone."""
    torch.manual_seed(seed)
    return make()


def train(
    network: nn.Module,
    samples: TrainingSet,
    config: TrainingConfig,
    *,
    report: Callable[[StepReport], None],
    checkpoint: Path | None = None,
) -> AspectHeads:
    """Train ``network`` in place on the CPU and return the heads it was trained with.

    The network maps (n, side, side, 3) uint8 to layers, the last of which the heads stand on. A
    ``checkpoint`` file is written every ``config.checkpoint_every`` steps, and continued from where it
    exists. Its weights are initialised by the caller. Raises TrainingFailed, DiskFull.
    """
    torch.manual_seed(config.seed)  # the heads' first weights
    dimensions = _count_dimensions(network, samples)
    heads = AspectHeads(dimensions, samples.aspects)
    both = nn.ModuleList([network, heads])
    optimiser = torch.optim.AdamW(_decayed_and_not(both, config), lr=config.peak_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate_at(step, config))
    run = _Run(both, optimiser, schedule, config)
    first = run.resume(checkpoint)
    both.train()
    recent: list[float] = []
    for step in range(first, config.steps):
        catalogue, lifestyle, labels = _draw_batch(samples, config, step)
        loss = _loss(network, heads, catalogue, lifestyle, labels, config)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        recent = [*recent[-49:], float(loss.detach())]
        if not math.isfinite(recent[-1]):
            raise TrainingFailed(
                f"The loss is not a number at step {step + 1}. Lower peak_rate (it is {config.peak_rate})."
            )
        due = (step + 1) % config.checkpoint_every == 0 or step + 1 == config.steps
        if checkpoint is not None and due:
            run.keep(checkpoint, step + 1)
        report(StepReport(step + 1, config.steps, sum(recent) / len(recent)))
    both.eval()
    return heads


def measure_accuracy(
    network: nn.Module, heads: AspectHeads, samples: TrainingSet, *, batch: int = 128
) -> dict[str, dict[str, float]]:
    """Share of right answers per aspect, on catalogue and lifestyle pictures, where the aspect applies."""
    shares: dict[str, dict[str, float]] = {}
    for view, pictures in (("catalogue", samples.catalogue), ("lifestyle", samples.lifestyle)):
        guesses: list[NDArray[np.int64]] = []
        for start in range(0, len(pictures), batch):
            with torch.inference_mode():
                logits = heads(network(torch.from_numpy(np.array(pictures[start : start + batch])))[-1])
            guesses.append(np.stack([part.argmax(dim=1).numpy() for part in logits], axis=1))
        right, applies = np.concatenate(guesses) == samples.labels, samples.labels != MISSING
        shares[view] = {
            name: float(right[applies[:, column], column].mean())
            for column, (name, _) in enumerate(samples.aspects)
            if applies[:, column].any()
        }
    return shares


@dataclass
class _Run:
    """What must be kept to continue a run: tensors and a few numbers, in a file that can run nothing."""

    modules: nn.Module
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    config: TrainingConfig

    def keep(self, checkpoint: Path, step: int) -> None:
        """Write a checkpoint."""
        tensors = {f"{_WEIGHTS}{name}": tensor for name, tensor in self.modules.state_dict().items()}
        optimiser = self.optimiser.state_dict()
        for number, moments in optimiser["state"].items():
            tensors |= {f"{_MOMENTS}{number}.{name}": tensor for name, tensor in moments.items()}
        facts: Facts = {
            "step": step,
            "config": json.dumps(asdict(self.config)),
            "groups": json.dumps(optimiser["param_groups"]),
            "schedule": json.dumps(self.schedule.state_dict()),
        }
        write_arrays(checkpoint, {name: tensor.numpy() for name, tensor in tensors.items()}, facts)

    def resume(self, checkpoint: Path | None) -> int:
        """Load a checkpoint where there is one; return the step to go on from.

        Raises TrainingFailed for one that is damaged, or of a run with other settings or another network.
        """
        if checkpoint is None or not checkpoint.exists():
            return 0
        try:
            arrays, facts = read_arrays(checkpoint)
        except ArtifactDamaged as error:
            raise TrainingFailed(f"{checkpoint} is no whole checkpoint. Delete it to start anew.") from error
        if facts.get("config") != json.dumps(asdict(self.config)):
            raise TrainingFailed(f"{checkpoint} was written with other settings. Delete it to start anew.")
        tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        moments: dict[int, dict[str, Tensor]] = {}
        for number, name in (key.split(".")[1:] for key in tensors if key.startswith(_MOMENTS)):
            moments.setdefault(int(number), {})[name] = tensors[f"{_MOMENTS}{number}.{name}"]
        try:
            self.modules.load_state_dict(
                {
                    name.removeprefix(_WEIGHTS): tensor
                    for name, tensor in tensors.items()
                    if name.startswith(_WEIGHTS)
                }
            )
            self.optimiser.load_state_dict({"state": moments, "param_groups": json.loads(facts["groups"])})
        except (RuntimeError, ValueError) as error:
            raise TrainingFailed(f"{checkpoint} is of another network. Delete it to start anew.") from error
        self.schedule.load_state_dict(json.loads(facts["schedule"]))
        return int(facts["step"])


def _count_dimensions(network: nn.Module, samples: TrainingSet) -> int:
    network.eval()
    with torch.inference_mode():
        return int(network(torch.from_numpy(np.array(samples.catalogue[:1])))[-1].shape[1])


def _decayed_and_not(module: nn.Module, config: TrainingConfig) -> list[dict[str, Any]]:
    """Weights of layers decay; biases and normalisations do not."""
    parameters = list(module.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _rate_at(step: int, config: TrainingConfig) -> float:
    """The learning rate as a share of its peak: up over the first tenth, then down along a cosine."""
    warm = max(1, config.steps // 10)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, config.steps - warm)))


def _draw_batch(samples: TrainingSet, config: TrainingConfig, step: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw a step's items and augment both pictures of each; depends on seed and step alone."""
    count = min(config.items, len(samples.labels))
    per_epoch = len(samples.labels) // count
    epoch, place = divmod(step, per_epoch)
    order = np.random.default_rng([config.seed, epoch]).permutation(len(samples.labels))
    chosen = np.sort(order[place * count : (place + 1) * count])  # sorted: memory maps are read forwards
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    small = step < config.small_share * config.steps
    catalogue, lifestyle = (
        augment(_reduce(pictures[chosen], config.small_side if small else pictures.shape[1]), generator)
        for pictures in (samples.catalogue, samples.lifestyle)
    )
    return catalogue, lifestyle, torch.from_numpy(samples.labels[chosen])


def _reduce(pictures: NDArray[np.uint8], side: int) -> Tensor:
    """Reduce (n, s, s, 3) pictures to a smaller side, averaging; larger ones stay as they are."""
    whole = torch.from_numpy(np.array(pictures))
    if side >= whole.shape[1]:
        return whole
    values = functional.interpolate(
        whole.permute(0, 3, 1, 2).float(), (side, side), mode="bilinear", antialias=True
    )
    return values.round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()


def _loss(
    network: nn.Module,
    heads: AspectHeads,
    catalogue: Tensor,
    lifestyle: Tensor,
    labels: Tensor,
    config: TrainingConfig,
) -> Tensor:
    """Cross-entropy of every aspect on both pictures, and of finding the one picture from the other.

    The last term is the symmetric InfoNCE loss (van den Oord et al., 2018) between the batch's catalogue
    and lifestyle pictures, under cosine similarity of the last layer.
    """
    layer: Tensor = network(torch.cat([catalogue, lifestyle]))[-1]
    total = layer.new_zeros(())
    both = torch.cat([labels, labels])
    for column, logits in enumerate(heads(layer)):
        known = both[:, column]
        if bool((known != MISSING).any()):
            weight = config.category_weight if column == 0 else 1.0
            total = total + weight * functional.cross_entropy(
                logits, known, ignore_index=MISSING, label_smoothing=config.smoothing
            )
    total = total / (config.category_weight + labels.shape[1] - 1)
    first, second = functional.normalize(layer, dim=1).chunk(2)
    similarity = first @ second.T / config.temperature
    own = torch.arange(len(first))
    contrast = functional.cross_entropy(similarity, own) + functional.cross_entropy(similarity.T, own)
    return total + config.contrast_weight * contrast / 2
