"""Kinds that learn by telling values apart: transfer (one aspect, the category) and aspects (several)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from search.engine.trained_networks import DenseHead, TrainedNetwork
from search.engine.training.loop import State
from search.engine.training.samples import (
    MISSING,
    Rows,
    Samples,
    Views,
    answer_in_parts,
    draw_rows,
    generator_of,
)
from search.engine.training.settings import AspectsSettings, TransferSettings

JUDGED_ITEMS = 5000  # at most; spread evenly over more


class ClassifyingLearner:
    """Cross-entropy of every aspect's softmax, over the items whose value is known.

    ``network`` takes what ``samples.catalogue`` gives.
    """

    def __init__(
        self,
        network: TrainedNetwork[DenseHead],
        samples: Samples,
        settings: TransferSettings | AspectsSettings,
    ) -> None:
        self.module = network
        self._samples, self._settings = samples, settings
        self._labels = torch.from_numpy(samples.labels.table)
        known = (samples.labels.table != MISSING).any(axis=1)
        self._learned = samples.division.learned[known[samples.division.learned]]
        self.validation = samples.division.validation

    def begin_step(self, step: int) -> None:
        """See `Learner`."""

    def loss(self, step: int) -> Tensor:
        """See `Learner`."""
        settings, samples = self._settings, self._samples
        rows = draw_rows(self._learned, settings.batch, seed=settings.seed, step=step)
        generator = generator_of(samples.device, seed=settings.seed, step=step)
        pictures = samples.catalogue.changed(
            rows, settings.augmentation, generator, scale=settings.scale_at(step)
        )
        labels = self._labels[rows].to(samples.device)
        logits = self.module.head.classify(self.module.trunk(pictures))
        return mean_loss(logits, labels, smoothing=settings.smoothing)

    def judge(self, module: TrainedNetwork[DenseHead], rows: Rows) -> dict[str, float]:
        """The mean of the aspects' accuracies."""
        rows = rows[:: -(-len(rows) // JUDGED_ITEMS) or 1]
        logits = predict(module, self._samples.catalogue, rows)
        labels = self._samples.labels.table[rows]
        shares = accuracies(logits, labels)
        known = [share for share in shares if share is not None]
        return {"accuracy": float(np.mean(known)) if known else 0.0}

    def state(self) -> State:
        """See `Learner`."""
        return {}

    def restore(self, state: State) -> None:
        """See `Learner`."""


def mean_loss(logits: tuple[Tensor, ...], labels: Tensor, *, smoothing: float) -> Tensor:
    """The mean over aspects of each one's cross-entropy; items without a value do not count."""
    losses = [
        functional.cross_entropy(
            part.float(), labels[:, column], ignore_index=MISSING, label_smoothing=smoothing
        )
        for column, part in enumerate(logits)
        if bool((labels[:, column] != MISSING).any())
    ]
    return torch.stack(losses).mean()


def predict(network: TrainedNetwork[DenseHead], views: Views, rows: Rows) -> list[NDArray[np.float32]]:
    """Logits of every aspect for the rows, (m, values) each."""
    return answer_in_parts(lambda pictures: network.head.classify(network.trunk(pictures)), views, rows)


def accuracies(logits: list[NDArray[np.float32]], labels: NDArray[np.int64]) -> list[float | None]:
    """Each aspect's share of right answers where a value is known; None where none is."""
    shares: list[float | None] = []
    for column, part in enumerate(logits):
        known = labels[:, column] != MISSING
        right = part.argmax(axis=1)[known] == labels[known, column]
        shares.append(float(right.mean()) if known.any() else None)
    return shares
