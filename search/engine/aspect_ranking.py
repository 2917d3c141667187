"""Ranking by aspects (Slyce): candidates of every aspect, ordered by weights that the query itself chooses.

The article finds candidates aspect by aspect, and orders their union by one score: a sum of similarities, in
which a network gives each aspect its weight by looking at the query. How that network looks it does not say.
Ours is told the query's embedding, and of each aspect how certain it is and how common what it shows; its
softmax shares one out among the whole embedding and the aspects. It is trained by
`search.engine.training.aspect_weights`; here it runs in numpy, so that a web process can ask it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from search.engine.aspect_views import AspectView
from search.engine.encoders.base import WeightsDamaged
from search.engine.encoders.trained_files import read_trained_card, weights_path

Vectors = NDArray[np.float32]
Places = NDArray[np.int64]

OVERALL = "overall"  # the weight of the whole embedding, before those of aspects
PER_PART = 100  # candidates by each aspect, and by the whole embedding
OVERALL_SHARE = 0.25  # of the whole embedding, where nothing has learned what it is worth
LAYERS = 2
AS_SIMILAR = 1e-3  # differences of similarity by an aspect that the whole embedding may outweigh


class Weigher(Protocol):
    """Says what an aspect is worth to a query."""

    def weigh(self, view: AspectView) -> Vectors:
        """(1 + K,), not negative, summing to one: of the whole embedding, then of each aspect."""
        ...


@dataclass(frozen=True)
class FixedWeights:
    """The same for every query."""

    weights: Vectors

    def weigh(self, view: AspectView) -> Vectors:
        """See `Weigher`."""
        return self.weights


class UntrainedWeights:
    """Where nothing was learned: an aspect weighs what it is certain of, times how rare that is."""

    def weigh(self, view: AspectView) -> Vectors:
        """See `Weigher`."""
        worth = view.certainty * view.rarity
        shares = share_out(worth) if worth.any() else np.full(len(worth), 1 / max(1, len(worth)))
        return np.concatenate([[OVERALL_SHARE], (1 - OVERALL_SHARE) * shares]).astype(np.float32)


@dataclass(frozen=True)
class LearnedWeights:
    """A network of two layers; ``centre`` and ``scale`` (f,) bring what it is told around nought.

    ``layers``: weights (out, in) and biases (out,), input side first.
    """

    centre: Vectors
    scale: Vectors
    layers: tuple[tuple[Vectors, Vectors], ...]

    def weigh(self, view: AspectView) -> Vectors:
        """See `Weigher`. Raises ValueError for a view of another encoder or of other aspects."""
        told = describe(view)
        if len(told) != len(self.centre):
            raise ValueError("This ranking learned from another encoder, or from other aspects.")
        told = (told - self.centre) * self.scale
        *hidden, (weights, biases) = self.layers
        for own_weights, own_biases in hidden:
            told = np.maximum(own_weights @ told + own_biases, 0)
        logits = weights @ told + biases
        powers = np.exp(logits - logits.max())
        return np.asarray(powers / powers.sum(), np.float32)


@dataclass(frozen=True, eq=False)
class Ranked:
    """Candidates, best first: ``places`` (m,) of items, ``scores`` (m,) and ``similarities`` (m, 1 + K).

    ``weights`` (1 + K,) are those that were used, summing to one.
    """

    places: Places
    scores: Vectors
    similarities: Vectors
    weights: Vectors


def rank(
    view: AspectView, weights: Vectors, *, allowed: NDArray[np.bool_] | None = None, per_part: int = PER_PART
) -> Ranked:
    """The union of the nearest by each aspect and by the whole embedding, by one weighted sum.

    ``weights`` (1 + K,) need not sum to one; ``allowed`` (n,) says which items may be candidates at all.
    Equal scores are ordered by the whole embedding, then by place. Raises ValueError as `share_out`.
    """
    weights = share_out(weights)
    places = find_candidates(view, allowed=allowed, per_part=per_part)
    similarities = view.similarities[places]
    scores = similarities @ weights
    order = np.lexsort((places, -similarities[:, 0], -scores))
    return Ranked(places[order], scores[order], similarities[order], weights)


def find_candidates(
    view: AspectView, *, allowed: NDArray[np.bool_] | None = None, per_part: int = PER_PART
) -> Places:
    """The ``per_part`` most similar items by each aspect and by the whole embedding; ascending places.

    Many items may be as similar by an aspect as the last of them, or nearly (a network is sure of most values
    but for rounding); among those within `AS_SIMILAR` of each other the whole embedding has a say, too.
    """
    rows = np.arange(len(view.similarities)) if allowed is None else np.flatnonzero(allowed)
    if len(rows) <= per_part:
        return rows.astype(np.int64)
    alike = view.similarities.T if allowed is None else view.similarities[rows].T
    nearly = alike + np.float32(AS_SIMILAR) * alike[:1]
    found = np.argpartition(nearly, len(rows) - per_part, axis=1)[:, -per_part:]
    return rows[np.unique(found)].astype(np.int64)


def share_out(weights: Sequence[float] | NDArray[Any]) -> Vectors:
    """Weights as shares of their sum; all nought: equal ones. Raises ValueError where one is negative."""
    given = np.asarray(weights, np.float64)
    if not np.isfinite(given).all() or (given < 0).any():
        raise ValueError("A weight is a number from nought.")
    total = given.sum()
    return np.asarray(given / total if total else np.full(len(given), 1 / len(given)), np.float32)


def describe(view: AspectView) -> Vectors:
    """What a network is told of a query, (d + 3 K,)."""
    length = np.sqrt((view.embedding**2).sum()) or np.float32(1)
    return np.concatenate([view.embedding / length, view.certainty, view.spread, view.rarity])


def pack_weights(learned: LearnedWeights) -> bytes:
    """A network as the bytes of a safetensors file."""
    arrays: dict[str, Vectors] = {"centre": learned.centre, "scale": learned.scale}
    for number, (weights, biases) in enumerate(learned.layers):
        arrays |= {f"{number}.weights": weights, f"{number}.biases": biases}
    return safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def read_learned_weights(folder: Path) -> tuple[LearnedWeights, Mapping[str, Any]]:
    """The network in a folder, and its card. Raises WeightsDamaged."""
    card = read_trained_card(folder)
    path = weights_path(folder, card)
    try:
        packed = path.read_bytes()
        if sha256(packed).hexdigest() != card["sha256"]:
            raise WeightsDamaged(f"{path} is damaged: its card names another checksum. Train it again.")
        arrays = safetensors.numpy.load(packed)
        layers = tuple((arrays[f"{number}.weights"], arrays[f"{number}.biases"]) for number in range(LAYERS))
        return LearnedWeights(arrays["centre"], arrays["scale"], layers), card
    except (OSError, KeyError, safetensors.SafetensorError) as error:
        raise WeightsDamaged(f"{path} holds no weights of aspects ({error!r}). Train it again.") from error
