"""What a card shows of a network that knows aspects: which held-out items are alike by each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.engine.aspect_similarity import similarities
from search.engine.calibration import Bin, bin_confidences, find_temperature, softmax
from search.engine.metrics import nearest
from search.engine.trained_networks import CsnHead, DenseHead, TrainedNetwork
from search.engine.training import csn
from search.engine.training.classifying import predict
from search.engine.training.samples import MISSING, Rows, Samples

SHOWN, NEIGHBOURS = 4, 5
GALLERY = 2000  # held-out items that are looked among


@dataclass(frozen=True)
class Alike:
    """By one aspect: ``rows`` (shown, 1 + neighbours), each line an item and the most similar ones."""

    aspect: str
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class Predictions:
    """What a network says of one aspect of some items: the value's place and the calibrated confidence."""

    aspect: str
    values: NDArray[np.int64]
    confidence: NDArray[np.float64]


def show_masks(network: TrainedNetwork[CsnHead], samples: Samples, rows: Rows) -> list[Alike]:
    """The nearest of each mask, under L2; nothing where there are not two items to compare."""
    rows = rows[:GALLERY]
    if len(rows) < 2:
        return []
    embedding = csn.embed(network, samples.catalogue, rows)
    masks = network.head.masks().detach().cpu().numpy()
    shown = _spread(len(rows))
    found = []
    for aspect, mask in zip(samples.labels.aspects, masks, strict=True):
        masked = (embedding * mask).astype(np.float32)
        near = nearest("l2", masked[shown], masked, _most(len(rows)), exclude=[[place] for place in shown])
        found.append(_line_up(aspect.name, rows, shown, near.positions))
    return found


def show_aspects(
    network: TrainedNetwork[DenseHead], samples: Samples, rows: Rows, temperatures: list[float]
) -> list[Alike]:
    """The most similar by each aspect."""
    rows = rows[:GALLERY]
    logits = predict(network, samples.catalogue, rows)
    shown = _spread(len(rows))
    found = []
    for aspect, part, temperature in zip(samples.labels.aspects, logits, temperatures, strict=True):
        probabilities = softmax(part, temperature)
        alike = similarities(probabilities[shown], probabilities)
        alike[np.arange(len(shown)), shown] = -1
        order = np.argsort(-alike, axis=1, kind="stable")[:, : _most(len(rows))]
        found.append(_line_up(aspect.name, rows, shown, order))
    return found


def find_temperatures(network: TrainedNetwork[DenseHead], samples: Samples) -> list[float]:
    """The temperature of each aspect, found on the validation items."""
    rows = samples.division.validation
    temperatures = []
    for column, logits in enumerate(predict(network, samples.catalogue, rows)):
        labels = samples.labels.table[rows, column]
        temperatures.append(find_temperature(logits[labels != MISSING], labels[labels != MISSING]))
    return temperatures


def calibrate(
    network: TrainedNetwork[DenseHead], samples: Samples, rows: Rows, temperatures: list[float]
) -> list[tuple[str, list[Bin]]]:
    """Per aspect how often the network was right at how much confidence, over the rows with a value."""
    found = []
    for column, part in enumerate(predict_values(network, samples, rows, temperatures)):
        labels = samples.labels.table[rows, column]
        known = labels != MISSING
        right = (part.values == labels)[known].astype(float)
        found.append((part.aspect, bin_confidences(part.confidence[known], right)))
    return found


def predict_values(
    network: TrainedNetwork[DenseHead], samples: Samples, rows: Rows, temperatures: list[float]
) -> list[Predictions]:
    """Every aspect's likeliest value of the rows."""
    logits = predict(network, samples.catalogue, rows)
    found = []
    for aspect, part, temperature in zip(samples.labels.aspects, logits, temperatures, strict=True):
        probabilities = softmax(part, temperature)
        found.append(Predictions(aspect.name, probabilities.argmax(axis=1), probabilities.max(axis=1)))
    return found


def _most(count: int) -> int:
    return max(0, min(NEIGHBOURS, count - 1))


def _spread(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(SHOWN, count)).astype(np.int64))


def _line_up(aspect: str, rows: Rows, shown: NDArray[np.int64], found: NDArray[Any]) -> Alike:
    return Alike(aspect, np.concatenate([rows[shown][:, None], rows[found]], axis=1))
