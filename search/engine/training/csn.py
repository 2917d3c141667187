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
from search.engine.training.samples import Rows, Samples, Views, answer_in_parts, generator_of
from search.engine.training.settings import CsnSettings
from search.engine.training.triplet_sources import LabelTriplets, TripletSource
from search.engine.triplets import Triplets

MAGNITUDE_WEIGHT = 5e-3  # of the embeddings' length; as in the published code of CSN
MASK_WEIGHT = 5e-4  # of the masks' sum, where they do not sum to one anyway; likewise
GLOBAL_WEIGHT = 0.5
_EPSILON = 1e-12  # under the root, whose slope at nought is infinite


class CsnLearner:
    """Learns from triplets among the items of a batch, each of which is embedded once.

    ``triplets`` None: they are drawn from the samples' labels, whose aspects name the masks in any case.
    """

    def __init__(
        self,
        network: TrainedNetwork[CsnHead],
        samples: Samples,
        settings: CsnSettings,
        triplets: TripletSource | None = None,
    ) -> None:
        self.module = network
        self._samples, self._settings = samples, settings
        self._triplets = triplets or LabelTriplets(samples.labels, samples.division)
        self.validation = samples.division.validation

    def begin_step(self, step: int) -> None:
        """See `Learner`."""

    def loss(self, step: int) -> Tensor:
        """See `Learner`."""
        settings, samples = self._settings, self._samples
        batch = self._triplets.draw(settings, step)
        generator = generator_of(samples.device, seed=settings.seed, step=step)
        pictures = samples.catalogue.changed(
            batch.rows, settings.augmentation, generator, scale=settings.scale_at(step)
        )
        head = self.module.head
        embedding = head.embed(self.module.trunk(pictures)).float()
        masks = head.masks()
        if settings.masks_sum_to_one:
            # Their parts shorten distances as many times as there are dimensions, and a margin that does not
            # shorten with them asks for embeddings of such length that nothing else is learned.
            masks = masks * embedding.shape[1]
        losses = []
        for column, triplets in enumerate(batch.triplets):
            if len(triplets):
                masked = embedding * masks[column] if settings.masks else embedding
                losses.append(hinge(masked, triplets, settings.margin))
        total = torch.stack(losses).mean() if losses else embedding.sum() * 0
        if settings.global_consistency and len(batch.overlap):
            total = total + GLOBAL_WEIGHT * hinge(embedding, batch.overlap, settings.margin)
        if settings.magnitude_penalty:
            total = total + MAGNITUDE_WEIGHT * _mean_length(embedding)
        if settings.masks and not settings.masks_sum_to_one:
            total = total + MASK_WEIGHT * masks.sum() / len(batch.rows)
        return total

    def judge(self, module: TrainedNetwork[CsnHead], rows: Rows) -> dict[str, float]:
        """Triplet accuracy: its mean, then that of each aspect of which there are triplets to judge by."""
        judged = self._triplets.judged(rows, seed=self._settings.seed)
        asked, places = np.unique(np.concatenate([part.reshape(-1) for part in judged]), return_inverse=True)
        ends = np.cumsum([part.size for part in judged])[:-1]
        judged = [part.reshape(-1, 3) for part in np.split(places, ends)]
        embedding = embed(module, self._samples.catalogue, rows[asked])
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


def _mean_length(embedding: Tensor) -> Tensor:
    """The quadratic mean of the rows' lengths: |E| / sqrt(n), as in the published code of CSN."""
    return (embedding.square().sum(dim=1).mean() + _EPSILON).sqrt()


def _distance(one: Tensor, other: Tensor) -> Tensor:
    return ((one - other).square().sum(dim=1) + _EPSILON).sqrt()


def embed(network: TrainedNetwork[CsnHead], views: Views, rows: Rows) -> NDArray[np.float32]:
    """Embeddings of the rows without a mask, (m, width)."""
    return answer_in_parts(lambda pictures: (network.head.embed(network.trunk(pictures)),), views, rows)[0]


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
