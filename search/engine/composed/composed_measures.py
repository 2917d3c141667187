"""How well composed retrievers find targets: true recall over the whole gallery, its intervals and splits.

The published figures are not such: Fashion200K counts any item of the same caption as found, and FashionIQ's
R@100 was taken from rankings cut off at 50. Here one item is meant, all others stand before it or behind it,
and the reference is no answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.engine.bootstrap import Estimate, estimate_share

Scores = NDArray[np.floating]
Places = NDArray[np.int64]

QUERIES, ITEMS = "queries", "items"  # what is held out: captions, or the items that they are about
RECALLS = (1, 10, 50, 100)


@dataclass(frozen=True)
class Recall:
    """What one model finds: recall at each of `RECALLS` with its interval.

    ``leaky`` says that the captions tell the label itself, so that the figures mean nothing beyond it.
    """

    model: str
    split: str
    leaky: bool
    at: dict[int, Estimate]

    @property
    def title(self) -> str:
        """Its name in every table."""
        return f"{self.model} (leaky: captions are labels)" if self.leaky else self.model


def rank_targets(scores: Scores, references: Places, targets: Places) -> Places:
    """The rank of each target, from 1, in (q, n) scores; a tie counts against it, the reference is left out.

    Raises ValueError where a target is its own reference.
    """
    if (references == targets).any():
        raise ValueError("A target is its own reference.")
    queries = np.arange(len(scores))
    own = scores[queries, targets][:, None]
    before = (scores >= own).sum(axis=1) - (scores[queries, references] >= own[:, 0])
    return np.asarray(before, np.int64)


def count_hits(ranks: Places, k: int) -> NDArray[np.bool_]:
    """Which targets are among the first k."""
    return ranks <= k


def measure_recall(model: str, split: str, ranks: NDArray[np.int64], *, leaky: bool = False) -> Recall:
    """Recall from ``ranks`` (seeds, q) with intervals over queries and seeds. Raises ValueError for none."""
    units = np.arange(ranks.shape[1])
    return Recall(
        model, split, leaky, {k: estimate_share(count_hits(ranks, k).astype(float), units) for k in RECALLS}
    )


def connection_accuracy(answers: Places, liked: Places) -> float:
    """How often liked answers come together (the third article, section 3.2).

    Of the (q, k) ``answers`` that hold one of their query's (q, l) ``liked`` images, the share that hold
    another one too; 0 where none holds any.
    """
    found = (answers[:, :, None] == liked[:, None, :]).any(axis=2).sum(axis=1)
    holding = found >= 1
    return float((found[holding] >= 2).mean()) if holding.any() else 0.0


def split_captions(
    references: Places, targets: Places, held_out: NDArray[np.bool_], split: str, *, share: float, seed: int
) -> tuple[Places, Places]:
    """Captions to learn from, and held-out ones.

    By queries: a drawn ``share`` of the captions, and none that leads between the same two items as a learned
    one. By items: captions to a ``held_out`` (n,) item; learned are those that touch no such item.
    """
    if split == ITEMS:
        touched = held_out[references] | held_out[targets]
        return np.flatnonzero(~touched), np.flatnonzero(held_out[targets])
    ends = np.stack([np.minimum(references, targets), np.maximum(references, targets)], axis=1)
    _, between = np.unique(ends, axis=0, return_inverse=True)
    drawn = np.random.default_rng(seed).random(between.max() + 1) < share
    return np.flatnonzero(~drawn[between]), np.flatnonzero(drawn[between])
