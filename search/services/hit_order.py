"""The order of hits where aspects count: what the index found and what each aspect found, as one list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from search.engine.encoders.base import Vectors
from search.engine.encoders.photo_encoders import NeedsWorker, RefusesPhotos
from search.engine.errors import ArtifactDamaged
from search.selectors.searchable import Positions
from search.selectors.searches import MOST_CANDIDATES, AspectWeight
from search.services import aspect_search
from search.services.aspect_search import WHOLE_ALONE
from search.services.hits import Hit, collapse, find_row, tell
from search.services.open_indexes import Searchable
from search.services.photo_vectors import look
from search.services.search_plans import Plan


def order_hits(
    plan: Plan,
    searchable: Searchable,
    vector: Vectors,
    hits: list[Hit],
    *,
    eyes: Mapping[str, Vectors],
    excluded: Positions,
) -> tuple[list[Hit], Sequence[AspectWeight]]:
    """The hits in the order that aspects give them, with the weights; as they are where aspects do not count.

    ``eyes``: what was made of the photo already, by encoder; ``excluded``: positions that may not be found.
    """
    aspects = plan.aspects
    if aspects is None or not aspects.is_active:
        return hits, aspects.tell_passive() if aspects else WHOLE_ALONE
    position = None if plan.query is None else plan.query.position
    whole = aspects.rows.spaces[0]
    try:
        seen = aspect_search.look(
            aspects,
            position=position,
            photo=lambda: eyes if whole.encoder in eyes else look(plan.glance_by(whole)),
        )
    except (ArtifactDamaged, FileNotFoundError, KeyError, NeedsWorker, RefusesPhotos):
        seen = None  # the index that was asked for answers without them
    if seen is None:
        return hits, aspects.tell_passive()
    ordered = aspect_search.order(
        aspects,
        *seen,
        nearest=np.array([hit.position for hit in hits], np.int64),
        overall=lambda positions: _compare(searchable, vector, positions),
        excluded=excluded,
    )
    return _tell_ordered(plan, searchable, vector, ordered), ordered.weights


def _compare(searchable: Searchable, vector: Vectors, positions: Positions) -> NDArray[np.float32]:
    """How alike items are to what is searched for, 0 to 1; -infinity for those that have no vector."""
    rows = [find_row(searchable.items, position) for position in positions.tolist()]
    known = np.array([row is not None for row in rows], bool)
    alike = np.full(len(rows), -np.inf, np.float32)
    own = np.array([row for row in rows if row is not None], np.int64)
    apart = searchable.index.measure(vector, own)
    alike[known] = np.exp(-apart / searchable.closeness.usual)
    return alike


def _tell_ordered(
    plan: Plan, searchable: Searchable, vector: Vectors, ordered: aspect_search.Ordered
) -> list[Hit]:
    assert plan.aspects is not None
    place_of = {position: place for place, position in enumerate(ordered.positions.tolist())}
    rows = np.searchsorted(searchable.items, ordered.positions)
    apart = searchable.index.measure(vector, rows)
    hits = collapse(ordered.positions, apart, plan.originals)[:MOST_CANDIDATES]
    return [
        replace(
            tell(hit, searchable.closeness),
            score=float(ordered.scores[place]),
            aspects=dict(zip(plan.aspects.aspects, ordered.similarities[place].tolist(), strict=True)),
        )
        for hit in hits
        for place in (place_of[hit.position],)
    ]
