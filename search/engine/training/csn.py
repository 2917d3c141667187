"""The conditional similarity network: one embedding, one mask per aspect, with eBay's three changes.

Veit, Belongie, Karaletsos, "Conditional Similarity Networks", CVPR 2017: the loss of a triplet is
max(0, margin + d(a, p) - d(a, n)) with Euclidean distances between masked embeddings. Without masks the same
code trains the baselines: one space for the triplets of all aspects, or a specialist for those of one.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from search.engine.trained_networks import CsnHead, TrainedNetwork
from search.engine.training.loop import State
from search.engine.training.samples import Rows, Samples, Views, draw_rows, generator_of
from search.engine.training.settings import CsnSettings
from search.engine.triplets import Triplets, draw_overlap_triplets, draw_triplets

MAGNITUDE_WEIGHT = 5e-3  # of the squared length of embeddings; 5e-3 as in the published code of CSN
MASK_WEIGHT = 5e-4  # of the masks' sum, where they do not sum to one anyway; likewise
GLOBAL_WEIGHT = 0.5
JUDGED_TRIPLETS = 2000  # per aspect
JUDGED_AT_ONCE = 128
_EPSILON = 1e-12  # under the root, whose slope at nought is infinite


class CsnLearner:
    """Learns from triplets drawn among the items of a batch, so that each picture serves in many."""

    def __init__(self, network: TrainedNetwork[CsnHead], samples: Samples, settings: CsnSettings) -> None:
        self.module = network
        self._samples, self._settings = samples, settings
        self.validation = samples.division.validation

    def begin_step(self, step: int) -> None:
        """See `Learner`."""

    def loss(self, step: int) -> Tensor:
        """See `Learner`."""
        settings, samples = self._settings, self._samples
        rows = draw_rows(samples.division.learned, settings.items, seed=settings.seed, step=step)
        generator = generator_of(samples.device, seed=settings.seed, step=step)
        pictures = samples.catalogue.changed(
            rows, settings.augmentation, generator, scale=settings.scale_at(step)
        )
        head = self.module.head
        embedding = head.embed(self.module.trunk(pictures)).float()
        draws = np.random.default_rng([settings.seed, step, 1])
        table = samples.labels.table[rows]
        masks = head.masks()
        losses = []
        for column in range(table.shape[1]):
            triplets = draw_triplets(table[:, column], settings.triplets, draws)
            if len(triplets):
                masked = embedding * masks[column] if settings.masks else embedding
                losses.append(hinge(masked, triplets, settings.margin))
        total = torch.stack(losses).mean() if losses else embedding.sum() * 0
        if settings.global_consistency:
            triplets = draw_overlap_triplets(table, settings.triplets * 2, draws)
            if len(triplets):
                total = total + GLOBAL_WEIGHT * hinge(embedding, triplets, settings.margin)
        if settings.magnitude_penalty:
            total = total + MAGNITUDE_WEIGHT * embedding.square().sum(dim=1).mean()
        if settings.masks and not settings.masks_sum_to_one:
            total = total + MASK_WEIGHT * masks.sum() / len(rows)
        return total

    def judge(self, module: TrainedNetwork[CsnHead], rows: Rows) -> dict[str, float]:
        """Triplet accuracy: its mean, then that of each aspect of which there are triplets to judge by."""
        table, seed = self._samples.labels.table, self._settings.seed
        judged = draw_judged_triplets(table, rows, JUDGED_TRIPLETS, seed=seed)
        embedding = embed(module, self._samples.catalogue, rows)
        shares = triplet_accuracies(
            embedding, module.head.masks().detach().cpu().numpy() if self._settings.masks else None, judged
        )
        names = [aspect.name for aspect in self._samples.labels.aspects]
        by_name = {
            f"triplet_accuracy {name}": share
            for name, share in zip(names, shares, strict=True)
            if not np.isnan(share)
        }
        return {"triplet_accuracy": float(np.mean(list(by_name.values()) or 0)), **by_name}

    def state(self) -> State:
        """See `Learner`."""
        return {}

    def restore(self, state: State) -> None:
        """See `Learner`."""


def hinge(embedding: Tensor, triplets: Triplets, margin: float) -> Tensor:
    """The mean of max(0, margin + d(a, p) - d(a, n)) over triplets (k, 3) of rows of ``embedding`` (n, d)."""
    anchor, positive, negative = (embedding[torch.from_numpy(part)] for part in triplets.T)
    return functional.relu(margin + _distance(anchor, positive) - _distance(anchor, negative)).mean()


def _distance(one: Tensor, other: Tensor) -> Tensor:
    return ((one - other).square().sum(dim=1) + _EPSILON).sqrt()


@torch.inference_mode()
def embed(network: TrainedNetwork[CsnHead], views: Views, rows: Rows) -> NDArray[np.float32]:
    """Embeddings of the rows without a mask, (m, width)."""
    head = network.head
    found = [np.empty((0, head.linear.out_features), np.float32)]
    for start in range(0, len(rows), JUDGED_AT_ONCE):
        features = network.trunk(views.plain(rows[start : start + JUDGED_AT_ONCE]))
        found.append(head.embed(features).float().cpu().numpy())
    return np.concatenate(found)


def draw_judged_triplets(table: NDArray[np.int64], rows: Rows, count: int, *, seed: int) -> list[Triplets]:
    """Triplets of every aspect among the rows, as places in ``rows``: the same ones for every network."""
    return [
        draw_triplets(table[rows, column], count, np.random.default_rng([seed, column, 2]))
        for column in range(table.shape[1])
    ]


def triplet_accuracies(
    embedding: NDArray[np.float32], masks: NDArray[np.float32] | None, judged: list[Triplets]
) -> list[float]:
    """Each aspect's share of triplets whose positive is nearer, under its mask; ``masks`` None: without."""
    shares = []
    for column, triplets in enumerate(judged):
        masked = embedding if masks is None else embedding * masks[column]
        shares.append(float(is_nearer(masked, triplets).mean()) if len(triplets) else float("nan"))
    return shares


def is_nearer(embedding: NDArray[np.float32], triplets: Triplets) -> NDArray[np.bool_]:
    """(k,): whether the positive of each triplet is nearer to the anchor than its negative."""
    anchor, positive, negative = (embedding[part] for part in triplets.T)
    near, far = (np.square(anchor - other).sum(axis=1) for other in (positive, negative))
    nearer: NDArray[np.bool_] = near < far
    return nearer
