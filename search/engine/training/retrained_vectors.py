"""Retraining in memory, for studies: an encoder's head on what its trunk says of pictures, or vectors alone.

The same learner and loop as of a training that is a job; nothing is kept to go on from.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from search.engine.encoders.trained import build_network
from search.engine.encoders.trained_files import read_trained_card
from search.engine.trained_networks import Architecture, CsnHead, TrainedNetwork
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.loop import Fitted, fit
from search.engine.training.retraining import (
    Lessons,
    Pupil,
    RetrainingLearner,
    divide_lessons,
    prepare_pupil,
)
from search.engine.training.samples import FeatureViews, answer_in_parts
from search.engine.training.settings import RetrainSettings

Vectors = NDArray[np.float32]
_CPU = torch.device("cpu")


def see_pictures(folder: Path, pictures: NDArray[np.uint8]) -> tuple[Vectors, Vectors]:
    """What a trained network's trunk says of framed pictures (n, side, side, 3), and its first layer.

    Raises WeightsDamaged.
    """
    network = build_network(folder)
    with torch.inference_mode():
        seen = network.trunk(torch.from_numpy(pictures))
        return seen.numpy(), network.head(seen)[0].numpy()


def retrain_features(
    folder: Path, features: Vectors, lessons: Lessons, settings: RetrainSettings, copies: NDArray[np.int64]
) -> tuple[Vectors, Fitted]:
    """The first layer (n, d) that a network answers to its trunk's features once lessons are learned.

    ``copies`` as in `divide_lessons`. The trunk learns nothing. Raises TrainingFailed, WeightsDamaged.
    """
    architecture = Architecture.from_json(read_trained_card(folder)["architecture"])
    pupil = prepare_pupil(build_network(folder), architecture, settings.learn)
    return _teach(pupil, features, lessons, settings, copies)


def retrain_vectors(vectors: Vectors, lessons: Lessons, settings: RetrainSettings) -> tuple[Vectors, Fitted]:
    """What vectors (n, d) become where they are an embedding and lessons about them are learned.

    Its ``masks`` are one of taste, its ``head`` a linear map. Raises TrainingFailed.
    """
    width = vectors.shape[1]
    architecture = Architecture("csn", "", 0, width, masks=("all",))
    head = CsnHead(width, architecture)
    with torch.no_grad():
        head.linear.weight.copy_(torch.eye(width))
        head.linear.bias.zero_()
    pupil = prepare_pupil(TrainedNetwork(nn.Identity(), head), architecture, settings.learn)
    return _teach(pupil, vectors, lessons, settings, np.arange(len(vectors)))


def _teach(
    pupil: Pupil, features: Vectors, lessons: Lessons, settings: RetrainSettings, copies: NDArray[np.int64]
) -> tuple[Vectors, Fitted]:
    views = FeatureViews(features, _CPU)
    taught = divide_lessons(lessons, copies, share=settings.validation_share, seed=settings.seed)
    fitted = fit(
        RetrainingLearner(pupil.learning, views, taught, settings, _CPU),
        settings,
        checkpoint=CheckpointFile(None, {}),
        report=lambda progress: None,
        device=_CPU,
    )
    rows = np.arange(len(features))
    return answer_in_parts(lambda seen: pupil.learning(seen)[:1], views, rows)[0], fitted
