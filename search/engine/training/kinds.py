"""Kinds of training by name: what network each one makes, and who teaches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from search.engine.backbones import Trunk
from search.engine.trained_networks import (
    Architecture,
    TrainedNetwork,
    UprightTrunk,
    make_network,
    side_of,
)
from search.engine.training.classifying import ClassifyingLearner
from search.engine.training.csn import CsnLearner
from search.engine.training.failures import TrainingFailed, memory_errors
from search.engine.training.loop import Learner, initialise
from search.engine.training.samples import Labels, Samples, Views
from search.engine.training.settings import (
    AspectsSettings,
    CsnSettings,
    PictureSettings,
    SiameseSettings,
    TransferSettings,
)
from search.engine.training.siamese import SiameseLearner
from search.engine.training.triplet_sources import TripletSource
from search.engine.upright import Upright

# Answers what a frozen trunk says of every item of a view, computed once and kept.
Featurise = Callable[[Trunk, Views, str], Views]
# Teaches where items lie in their pictures, and answers with the pictures turned upright.
Straighten = Callable[[Upright, Samples], Samples]


@dataclass(frozen=True)
class Lesson:
    """A network about to be trained and its teacher; training the one changes the other."""

    network: TrainedNetwork[Any]
    architecture: Architecture
    learner: Learner


def plan_network(kind: str, settings: PictureSettings, labels: Labels) -> Architecture:
    """The network that a kind makes of these settings over items with these labels."""
    side = side_of(settings.backbone, settings.framed_side)
    plain = Architecture(kind, settings.backbone, side, 0)
    values = tuple(len(aspect.values) for aspect in labels.aspects)
    match settings:
        case TransferSettings() | AspectsSettings():
            return replace(plain, width=settings.hidden, values=values)
        case SiameseSettings():
            return replace(
                plain, width=settings.dimensions, shallow=settings.shallow, upright=settings.upright
            )
        case CsnSettings():
            masks = tuple(aspect.name for aspect in labels.aspects) if settings.masks else ()
            return replace(
                plain, width=settings.dimensions, masks=masks, masks_sum_to_one=settings.masks_sum_to_one
            )
    raise ValueError(f"There is no kind of training named '{kind}'.")


def prepare_lesson(
    kind: str,
    settings: PictureSettings,
    samples: Samples,
    *,
    copies: NDArray[np.int64],
    featurise: Featurise,
    straighten: Straighten,
    weights: Path | None = None,
    triplets: TripletSource | None = None,
) -> Lesson:
    """A network with first weights, and a teacher for it.

    ``copies`` as in `SiameseLearner`; ``weights`` are the trunk's; ``triplets`` as in `CsnLearner`. Raises
    TrainingFailed, WeightsDamaged.
    """
    if not len(samples.division.learned):
        raise TrainingFailed(
            "Nothing is left to learn from: all trainable items are of one group, which validation takes. "
            "Import more items, or other groups."
        )
    architecture = plan_network(kind, settings, samples.labels)
    with memory_errors("the network", "Set a smaller embedding (hidden, dimensions) or another backbone."):
        network = initialise(lambda: _make(architecture, weights, settings.trainable), settings.seed)
        network.to(samples.device)
    taught: TrainedNetwork[Any] = network
    trunk = network.trunk
    if isinstance(trunk, UprightTrunk):
        samples = straighten(trunk.upright, samples)
        trunk = trunk.below
        taught = TrainedNetwork(trunk, network.head)
    if isinstance(trunk, Trunk) and trunk.is_frozen:
        # Nothing is left of it to learn: what it says of all items is asked for once.
        samples = _look_through(trunk, samples, featurise)
        taught = TrainedNetwork(nn.Identity(), network.head)
    match settings:
        case TransferSettings() | AspectsSettings():
            taught.head.dropout.p = getattr(settings, "dropout", 0.0)
            learner: Learner = ClassifyingLearner(taught, samples, settings)
        case SiameseSettings():
            learner = SiameseLearner(taught, samples, copies, settings)
        case CsnSettings():
            learner = CsnLearner(taught, samples, settings, triplets)
    return Lesson(network, architecture, learner)


def _make(architecture: Architecture, weights: Path | None, trainable: str) -> TrainedNetwork[Any]:
    try:
        return make_network(architecture, weights=weights, trainable=trainable)
    except ValueError as error:
        raise TrainingFailed(f"{error} Set trainable to fewer, to all or to none.") from error


def _look_through(trunk: Trunk, samples: Samples, featurise: Featurise) -> Samples:
    """The samples with what a frozen trunk says of their pictures instead of the pictures."""
    lifestyle = samples.lifestyle
    return replace(
        samples,
        catalogue=featurise(trunk, samples.catalogue, "catalogue"),
        lifestyle=None if lifestyle is None else featurise(trunk, lifestyle, "lifestyle"),
    )
