"""How good rankings of candidates are, and how good weights that are the same for all queries can be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

AT = 10  # places of an answer that count
Vectors = NDArray[np.float32]

_LOOKED_AT = 1000  # queries, evenly spread, by which a search for the best weights goes
_DRAWN = 200  # weights that it begins with
_ROUNDS, _AROUND = 5, 30  # then each round looks around the best so far, ever nearer


@dataclass(frozen=True)
class Lists:
    """q queries with their candidates, at most c each: what a ranker orders.

    ``similarities`` (q, c, 1 + K) and ``relevant`` (q, c); a place that no candidate fills is never relevant
    and ``there`` (q, c) is False. ``sought`` (q,) counts the relevant items of the whole catalogue.
    """

    similarities: Vectors
    relevant: NDArray[np.bool_]
    there: NDArray[np.bool_]
    sought: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sought)

    def rate(self, weights: Vectors) -> NDArray[np.float64]:
        """NDCG at `AT` of each query, (q,), under its own weights (q, 1 + K), or the same ones (1 + K,)."""
        if weights.ndim == 1:
            scores = self.similarities @ weights
        else:
            scores = (self.similarities @ weights[:, :, None])[:, :, 0]
        scores = np.where(self.there, scores, -np.inf)
        most = min(AT, scores.shape[1])
        found = np.argpartition(-scores, most - 1, axis=1)[:, :most]
        order = np.argsort(-np.take_along_axis(scores, found, axis=1), axis=1, kind="stable")
        first = np.take_along_axis(found, order, axis=1)
        return rate_answers(np.take_along_axis(self.relevant, first, axis=1), self.sought)

    def of(self, rows: NDArray[np.int64]) -> Lists:
        """Those of some queries."""
        return Lists(self.similarities[rows], self.relevant[rows], self.there[rows], self.sought[rows])


def rate_answers(relevant: NDArray[np.bool_], sought: NDArray[np.int64]) -> NDArray[np.float64]:
    """NDCG of answers (q, m) of which some are relevant, where ``sought`` (q,) items would have been.

    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20:422, 2002, with
    gains of one and the logarithm of base 2 of the place plus one, by the best order of what was sought.
    """
    discounts = 1 / np.log2(np.arange(relevant.shape[1]) + 2)
    ideal = np.concatenate([[0], np.cumsum(discounts)])[np.minimum(sought, len(discounts))]
    gained: NDArray[np.float64] = (relevant * discounts).sum(axis=1) / np.where(ideal > 0, ideal, 1)
    return gained


def find_best_weights(lists: Lists, draws: Generator) -> Vectors:
    """The weights (1 + K,) that are best for all queries together, as far as a search on the simplex finds.

    It begins with each part alone, with equal shares and with drawn ones, and looks around the best.
    """
    rows = np.linspace(0, len(lists) - 1, min(_LOOKED_AT, len(lists))).astype(np.int64)
    lists, parts = lists.of(np.unique(rows)), lists.similarities.shape[2]
    corners = np.concatenate([np.eye(parts), np.full((1, parts), 1 / parts)])
    tried = np.concatenate([corners, draws.dirichlet(np.ones(parts), _DRAWN)]).astype(np.float32)
    best = _find_best(lists, tried)
    for round_ in range(_ROUNDS):
        changes = np.exp(draws.normal(0, 0.7 / (1 + round_), (_AROUND, parts))).astype(np.float32)
        around = (best + 0.01) * changes
        best = _find_best(lists, np.concatenate([best[None], around / around.sum(axis=1, keepdims=True)]))
    return best


def _find_best(lists: Lists, tried: Vectors) -> Vectors:
    return np.asarray(tried[int(np.argmax([lists.rate(weights).mean() for weights in tried]))])
