"""Why an answer is there: what its score loses when an edge is taken away, exactly, and in words.

A score is taken above the mean of the whole gallery: what lifts every item says nothing about this one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.engine.composed.graph import (
    ATTRIBUTE,
    CANDIDATE,
    DESCRIBES,
    IMAGE,
    KEPT,
    LIKED_FOR,
    LIKED_WITH,
    LIKES,
    STATES,
    UNWANTED,
    WANTED,
    Edges,
    Graph,
    Relation,
)
from search.engine.composed.retriever import GraphRetriever, normalise
from search.engine.composed.rgcn import Asked, ByType, edges_to
from search.engine.composed.vocabulary import Attribute

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Reason:
    """An edge from node ``source``, and ``weight``: what the answer's score loses without it."""

    relation: Relation
    source: int
    weight: float


@dataclass(frozen=True)
class Explanation:
    """Reasons, weightiest first: edges that lead to the caption, and edges that lead to the answer."""

    asked: tuple[Reason, ...]
    answered: tuple[Reason, ...]


def explain(
    retriever: GraphRetriever,
    graph: Graph,
    features: ByType,
    states: Sequence[ByType],
    asked: Asked,
    reference: int,
    answer: int,
) -> Explanation:
    """Take away each edge that leads to the caption ``asked`` (one of them), and to the ``answer``."""
    gallery = retriever.gallery(states)
    above = gallery[answer] - gallery.mean(axis=0)
    edges, lessened = _lessen(asked.edges)
    variants = Asked(np.repeat(asked.features, len(edges) + 1, axis=0), lessened)
    places = np.full(len(variants), reference)
    scores = retriever.query(variants, places, states) @ above
    [query] = retriever.query(asked, places[:1], states)
    own = {relation: each.rows(np.array([answer])) for relation, each in edges_to(graph, IMAGE).items()}
    ends, without = _lessen(own)
    rows = np.repeat(features[IMAGE][answer][None], len(ends) + 1, axis=0)
    embedded = normalise(retriever.network.embed_rows(IMAGE, rows, without, states)[-1])
    return Explanation(_weigh(edges, scores), _weigh(ends, embedded @ query))


def tell(
    reasons: Sequence[Reason], attributes: Sequence[Attribute], *, answer: Collection[Attribute]
) -> list[str]:
    """Reasons that speak for the answer, as sentences; ``answer`` are its own attributes."""
    return [_say(reason, attributes, answer) for reason in reasons if reason.weight > 0]


def _lessen(edges: Mapping[Relation, Edges]) -> tuple[list[tuple[Relation, int]], dict[Relation, Edges]]:
    """The edges of one node, and of a node per edge that lacks it; the first node lacks none."""
    single = [(relation, int(source)) for relation, each in edges.items() for source in each.sources]
    lessened = {}
    for relation, each in edges.items():
        kept = [each.sources]
        for lacking, source in single:
            kept.append(each.sources[each.sources != source] if lacking == relation else each.sources)
        starts = np.concatenate([[0], np.cumsum([len(sources) for sources in kept])]).astype(np.int64)
        lessened[relation] = Edges(starts, np.concatenate(kept))
    return single, lessened


def _weigh(edges: Sequence[tuple[Relation, int]], scores: Vectors) -> tuple[Reason, ...]:
    """``scores`` (1 + edges,): with all edges, then without each."""
    reasons = [
        Reason(relation, source, float(scores[0] - score))
        for (relation, source), score in zip(edges, scores[1:], strict=True)
    ]
    return tuple(sorted(reasons, key=lambda reason: -reason.weight))


def _say(reason: Reason, attributes: Sequence[Attribute], answer: Collection[Attribute]) -> str:
    if reason.relation.source != ATTRIBUTE:
        return _LOOKS[reason.relation]
    attribute = attributes[reason.source]
    has = "it has it" if attribute in answer else "this item is not labelled so"
    said = {
        WANTED: f"You asked for {attribute}; {has}.",
        UNWANTED: f"You did not want {attribute}.",
        KEPT: f"Your item has {attribute}, which you did not change; {has}.",
        DESCRIBES: f"It is labelled {attribute}.",
        STATES: f"People say that it is {attribute}.",
    }
    return said[reason.relation]


_LOOKS: Mapping[Relation, str] = {
    CANDIDATE: "It looks like your item.",
    LIKES: "Answers like it were liked.",
    LIKED_WITH: "It was liked together with others.",
    LIKED_FOR: "It was liked as an answer to such a request.",
}
