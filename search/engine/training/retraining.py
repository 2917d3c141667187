"""A trained encoder taught once more, by triplets of items: what people found alike, and what not.

People are taken to find a positive p more like an anchor a than a negative n with
1 / (1 + exp(-sharpness (d(a, n) - d(a, p)) / s)), where d are squared distances of the network's first layer
and s is their mean under the parent's weights, so that one sharpness suits networks of any scale. Learned are
the weights under which the triplets are likeliest, less ``pull`` times how far they are from the parent's:
|w - w0|^2 / |w0|^2 (Li, Grandvalet, Davoine, "Explicit Inductive Bias for Transfer Learning", ICML 2018).
Triplets of some anchors are kept to judge by, the parent's own weights too; what is no better is not kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from search.engine.trained_networks import (
    Architecture,
    CsnHead,
    DenseHead,
    TrainedNetwork,
)
from search.engine.training.failures import TrainingFailed
from search.engine.training.loop import State
from search.engine.training.samples import Rows, Views, answer_in_parts, generator_of
from search.engine.training.settings import ALL, MASKS, RetrainSettings
from search.engine.triplets import Triplets

JUDGED_TRIPLETS = 5000  # at most; spread evenly over more
MEASURE = "triplet_accuracy"


@dataclass(frozen=True)
class Lessons:
    """k triplets of rows, (k, 3), and how much each one counts, (k,), above nought."""

    triplets: Triplets
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.triplets)

    def only(self, kept: NDArray[Any]) -> Lessons:
        return Lessons(self.triplets[kept], self.weights[kept])


@dataclass(frozen=True)
class Taught:
    """Triplets to learn from and, of other anchors, to judge by."""

    learned: Lessons
    judged: Lessons


def divide_lessons(lessons: Lessons, copies: NDArray[np.int64], *, share: float, seed: int) -> Taught:
    """Keep this share of the anchors to judge by, at least one.

    ``copies`` (n,) numbers rows so that near duplicates have one number: they lie on one side. Raises
    TrainingFailed where all anchors are one.
    """
    anchors = copies[lessons.triplets[:, 0]]
    drawn = np.random.default_rng(seed).permutation(np.unique(anchors))
    if len(drawn) < 2:
        raise TrainingFailed(
            "All triplets have one anchor: whether anything was learned can only be judged by another one. "
            "Wait for votes on more questions."
        )
    judged = np.isin(anchors, drawn[: max(1, round(share * len(drawn)))])
    return Taught(lessons.only(~judged), lessons.only(judged))


class RetrainingLearner:
    """See the module. ``views`` are what the network looks at: features where its trunk is left out."""

    def __init__(
        self,
        network: TrainedNetwork[Any],
        views: Views,
        taught: Taught,
        settings: RetrainSettings,
        device: torch.device,
    ) -> None:
        self.module = network
        self._views, self._settings, self._device = views, settings, device
        self._learned = taught.learned
        self._judged = taught.judged.only(np.arange(len(taught.judged))[:: _every(len(taught.judged))])
        self.validation: Rows = np.unique(self._judged.triplets)
        self._most_items = settings.items if settings.learn == ALL else 3 * settings.triplets
        self._parent = {
            name: weight.detach().clone()
            for name, weight in network.named_parameters()
            if weight.requires_grad
        }
        self._length = sum(float(weight.square().sum()) for weight in self._parent.values())
        self._scale = self._measure_scale()

    def begin_step(self, step: int) -> None:
        """Layers that count what they see go on with the parent's counts: so the encoder is used."""
        self.module.eval()

    def loss(self, step: int) -> Tensor:
        """See `Learner`."""
        settings = self._settings
        lessons = self._draw(step)
        rows, places = np.unique(lessons.triplets, return_inverse=True)
        generator = generator_of(self._device, seed=settings.seed, step=step)
        vectors = self.module(self._views.changed(rows, settings.augmentation, generator))[0].float()
        near, far = _distances(vectors, places.reshape(-1, 3))
        weights = torch.from_numpy(lessons.weights).to(self._device)
        likely = functional.softplus(settings.sharpness * (near - far) / self._scale)
        return (likely * weights).sum() / weights.sum() + settings.pull * self._drift()

    def judge(self, module: TrainedNetwork[Any], rows: Rows) -> dict[str, float]:
        """The share, by weight, of triplets kept to judge by whose positive is nearer; a tie is half."""
        vectors = answer_in_parts(lambda seen: module(seen)[:1], self._views, self.validation)[0]
        near, far = measure_distances(vectors, np.searchsorted(self.validation, self._judged.triplets))
        right = np.where(near == far, 0.5, near < far)
        return {MEASURE: float(np.average(right, weights=self._judged.weights))}

    def state(self) -> State:
        """See `Learner`."""
        return {}

    def restore(self, state: State) -> None:
        """See `Learner`."""

    def _draw(self, step: int) -> Lessons:
        """A step's triplets, by seed and step alone, as many as the pictures allow that a step looks at."""
        settings = self._settings
        draws = np.random.default_rng([settings.seed, step])
        drawn = draws.integers(0, len(self._learned), settings.triplets)
        triplets = self._learned.triplets[drawn]
        _, first = np.unique(triplets, return_index=True)
        needed = np.cumsum(np.bincount(first // 3, minlength=len(triplets)))
        return self._learned.only(drawn[: int(np.searchsorted(needed, self._most_items, side="right"))])

    def _drift(self) -> Tensor:
        weights = dict(self.module.named_parameters())
        moved = [(weights[name] - kept).square().sum() for name, kept in self._parent.items()]
        return torch.stack(moved).sum() / max(self._length, 1e-12)

    def _measure_scale(self) -> float:
        """The mean squared distance in triplets under the parent's weights."""
        self.module.eval()
        some = self._learned.triplets[:: _every(len(self._learned))]
        rows, places = np.unique(some, return_inverse=True)
        vectors = answer_in_parts(lambda seen: self.module(seen)[:1], self._views, rows)[0]
        scale = float(np.mean(measure_distances(vectors, places.reshape(-1, 3))))
        if not np.isfinite(scale) or scale <= 0:
            raise TrainingFailed(
                "The parent sees all that the triplets are about in one place. Choose another parent."
            )
        return scale


@dataclass(frozen=True)
class Pupil:
    """A parent about to be taught: all of it, the part that learns, and what the whole becomes."""

    network: TrainedNetwork[Any]
    learning: TrainedNetwork[Any]
    architecture: Architecture


def prepare_pupil(network: TrainedNetwork[Any], architecture: Architecture, learn: str) -> Pupil:
    """Let a part of a parent learn, `settings.LEARN`, in place; where the trunk does not, it is left out.

    What masks alone learn is a mask of taste over the embedding, which is what is served without a mask: the
    masks of aspects mean what they meant. Raises TrainingFailed for a network without masks.
    """
    if learn == MASKS:
        if architecture.kind != "csn" or not architecture.masks:
            raise TrainingFailed("This encoder has no masks: let its head learn instead, or choose another.")
        if not architecture.taste:
            architecture = replace(architecture, taste=True)
            head = CsnHead(network.head.linear.in_features, architecture)
            head.load_state_dict(head.state_dict() | network.head.state_dict())
            network = TrainedNetwork(network.trunk, head)
    network.requires_grad_(False).eval()
    head = network.head
    if learn == MASKS:
        head.raw_taste.requires_grad_(True)
    else:
        (head.hidden if isinstance(head, DenseHead) else head.linear).requires_grad_(True)
    if learn == ALL:
        network.trunk.requires_grad_(True)
        return Pupil(network, network, architecture)
    return Pupil(network, TrainedNetwork(nn.Identity(), head), architecture)


def measure_distances(
    vectors: NDArray[np.floating], triplets: Triplets
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Squared distances (k,) of positives and of negatives from their anchors."""
    anchor, positive, negative = (vectors[part] for part in triplets.T)
    return np.square(anchor - positive).sum(axis=1), np.square(anchor - negative).sum(axis=1)


def _distances(vectors: Tensor, places: Triplets) -> tuple[Tensor, Tensor]:
    anchor, positive, negative = (vectors[torch.from_numpy(part)] for part in places.T)
    return (anchor - positive).square().sum(dim=1), (anchor - negative).square().sum(dim=1)


def _every(count: int) -> int:
    return -(-count // JUDGED_TRIPLETS) or 1
