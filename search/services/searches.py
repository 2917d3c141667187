"""Searching: from a wish to its answer, in three steps that a web process takes in different threads.

What the database knows is looked up first (`search_plans`), then comes what takes a core for a while and
asks no database (`find`), then the found items are looked up (`describe`). One search is bound to one index
and its vectors by checksum, and the photo is looked at by the version of the encoder that made them: while an
encoder is replaced, somebody gets the old answer or the new one, never a mixture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

import numpy as np

from search.engine.encoders.base import Vectors
from search.engine.encoders.photo_encoders import NeedsWorker, RefusesPhotos
from search.engine.errors import ArtifactDamaged
from search.models import BuildState, Catalogue, Index, Job, JobState
from search.pgvector.errors import NotLoaded, VectorsAway
from search.selectors.calibrations import SOME_LEFT_OUT, WORDS, find_calibration, judge_answer
from search.selectors.searchable import Positions, describe_engine, show_items
from search.selectors.searches import (
    MOST_CANDIDATES,
    PAGE,
    Answer,
    AspectWeight,
    Candidate,
    FoundItem,
    SearchRefused,
    Verdict,
    Waiting,
)
from search.services.builds import request_build
from search.services.hit_order import order_hits
from search.services.hits import Hit, collapse, find_row, tell
from search.services.open_indexes import Searchable, open_indexes
from search.services.photo_vectors import LATE_AFTER, find_look, look, request_look
from search.services.search_plans import BUILT_AGAIN_S, Plan

# Until it is worth asking again for what a worker does, in seconds, by how long it has been waited for.
ASKED_AGAIN_S: Final = ((timedelta(seconds=10), 2), (timedelta(minutes=1), 5), (timedelta.max, 15))
RESTS: Final = timedelta(seconds=BUILT_AGAIN_S)  # what failed, or was built, is not begun again before
MOST_ASKED: Final = 2 * MOST_CANDIDATES  # of an index at once: what it costs grows with the square
MOST_ROUNDS: Final = 8


# Aspects put another item first than the one that the calibration speaks of.
NEAREST_NOT_FIRST: Final = Verdict(
    "similar",
    WORDS["similar"],
    "The first is so by the aspects that were weighed, and the nearest by the whole picture is another: "
    "that either is it cannot be promised.",
)


class LookNeeded(Exception):
    """A worker has to look at the photo, for this index, before anything can be found."""

    def __init__(self, index: Index) -> None:
        super().__init__(index)
        self.index = index


@dataclass(frozen=True)
class Found:
    """Hits, best first, in the index that answered; ``damaged`` are those that could not.

    ``nearest``: the two nearest of all, by which it is judged whether the photo's item is there at all.
    """

    index: Index
    hits: Sequence[Hit]
    nearest: Sequence[Hit]
    weights: Sequence[AspectWeight]
    damaged: Sequence[Index]


class AllDamaged(SearchRefused):
    """Nothing that could answer is whole."""

    def __init__(self, damaged: Sequence[Index]) -> None:
        super().__init__(
            "damaged",
            "What is searched in was damaged on the disk and is being built again. Try again in a minute.",
            status=503,
            retry_after_s=BUILT_AGAIN_S,
        )
        self.damaged = damaged


def find(plan: Plan) -> Found:
    """Search; asks no database but that of vectors. Raises SearchRefused, AllDamaged and LookNeeded."""
    try:
        return _find(plan)
    except VectorsAway as away:
        raise SearchRefused(
            "vectors-away",
            "The catalogue's vectors cannot be reached just now. "
            f"Try again in {away.retry_after_s} second{'s' if away.retry_after_s > 1 else ''}.",
            status=503,
            retry_after_s=away.retry_after_s,
        ) from away
    except NotLoaded as missing:
        raise SearchRefused(
            "being-loaded",
            "The catalogue's vectors are being put on their server. Try again in a minute.",
            status=503,
            retry_after_s=BUILT_AGAIN_S,
        ) from missing


def _find(plan: Plan) -> Found:
    if not plan.indexes:
        raise SearchRefused(
            "being-built",
            "This is being built just now. Try again in a minute.",
            status=503,
            retry_after_s=BUILT_AGAIN_S,
        )
    damaged: list[Index] = []
    for index in plan.indexes:
        try:
            searchable = open_indexes.open(index)
        except ArtifactDamaged:
            damaged.append(index)
            continue
        vector, eyes = _find_vector(plan, index, searchable)
        items = searchable.items
        excluded = _list_excluded(plan, items)
        hits = _search(plan, searchable, vector, excluded)
        found, weights = order_hits(plan, searchable, vector, hits, eyes=eyes, excluded=items[excluded])
        return Found(index, found, hits[:2], weights, damaged)
    raise AllDamaged(damaged)


def describe(plan: Plan, found: Found) -> Answer:
    """The page that was asked for, with its items."""
    pages = max(1, ceil(len(found.hits) / PAGE))
    page = min(max(1, plan.wish.page), pages)
    hits = found.hits[(page - 1) * PAGE : page * PAGE]
    items = show_items(plan.catalogue, [hit.position for hit in (*hits, *found.nearest)])
    return Answer(
        wish=plan.wish,
        engine=describe_engine(found.index, is_default=found.index.pk == plan.default),
        photo=plan.photo,
        query=plan.query,
        verdict=None if plan.photo is None else _judge(plan, found, items),
        candidates=[
            Candidate(
                items[hit.position], hit.distance, hit.closeness, hit.score, hit.aspects, hit.duplicates
            )
            for hit in hits
            if hit.position in items
        ],
        weights=found.weights,
        total=len(found.hits),
        page=page,
        pages=pages,
        note=_explain(found),
    )


def _judge(plan: Plan, found: Found, items: Mapping[int, FoundItem]) -> Verdict:
    """Whether the nearest is what the photo shows; that is said only where it is also the first shown."""
    if plan.allowed is not None:
        return SOME_LEFT_OUT
    first = items.get(found.nearest[0].position) if found.nearest else None
    category = "" if first is None else first.category
    distances = [hit.distance for hit in found.nearest]
    known, of_part = find_calibration(found.index), plan.wish.area is not None
    verdict = judge_answer(known, distances, category, of_part=of_part)
    if verdict.kind == "match" and not _is_same(plan, found.hits[:1], found.nearest[:1]):
        return NEAREST_NOT_FIRST
    return verdict


def _is_same(plan: Plan, some: Sequence[Hit], others: Sequence[Hit]) -> bool:
    """Whether these are hits of the same items, or of near-duplicates of them."""
    own, theirs = (
        [plan.originals.get(hit.position, hit.position) for hit in hits] for hits in (some, others)
    )
    return own == theirs


def wait_for_worker(plan: Plan, index: Index, *, now: datetime) -> tuple[Waiting, Job]:
    """Have a worker look at the photo, and what to tell the person meanwhile.

    Raises SearchRefused("worker-failed") where one just could not.
    """
    assert plan.photo is not None
    glance = plan.glance(index)
    job = find_look(glance)
    if job is not None and job.state in (JobState.FAILED, JobState.CANCELLED) and not _has_rested(job, now):
        raise SearchRefused(
            "worker-failed",
            f"{index.space.title} could not look at this photo: {job.reason or 'it was called off.'}",
            status=503,
            retry_after_s=BUILT_AGAIN_S,
        )
    job = request_look(glance, now=now)
    waited = now - job.created_at
    is_late = waited > LATE_AFTER
    words = f"A worker looks at your photo with {index.space.title}."
    if is_late:
        words += " It takes longer than it should: the workers are busy with something long, or away."
    engine = describe_engine(index, is_default=index.pk == plan.default)
    again_in_s = next(seconds for most, seconds in ASKED_AGAIN_S if waited < most)
    return Waiting(plan.wish, engine, plan.photo, words, again_in_s, is_late), job


def request_repair(catalogue: Catalogue, damaged: Sequence[Index], *, now: datetime) -> list[Job]:
    """The job that builds anew what is damaged; none where a build mends nothing, or has just looked."""
    mendable = [index for index in damaged if index.state == BuildState.READY]
    built = catalogue.jobs.filter(kind="build", finished_at__gt=now - RESTS)
    if not mendable or built.exists():
        return []
    return [request_build(catalogue=catalogue, now=now)]


def _has_rested(job: Job, now: datetime) -> bool:
    return job.finished_at is not None and now - job.finished_at > RESTS


def _explain(found: Found) -> str:
    if not found.damaged:
        return ""
    first = found.damaged[0].space
    older = (
        "an older version of it" if found.index.space.encoder == first.encoder else found.index.space.title
    )
    return f"{first.title} was damaged on the disk and is being built again; {older} answers meanwhile."


def _find_vector(plan: Plan, index: Index, searchable: Searchable) -> tuple[Vectors, Mapping[str, Vectors]]:
    """What is searched for, (d,), in the space of this index; all that its network makes of a photo."""
    if plan.photo is not None:
        try:
            made = look(plan.glance(index))
            return made[index.space.encoder], made
        except NeedsWorker as error:
            raise LookNeeded(index) from error
        except RefusesPhotos as refusal:
            raise SearchRefused("refuses-photos", str(refusal), status=422) from refusal
    assert plan.query is not None
    row = find_row(searchable.items, plan.query.position)
    if row is None:
        raise SearchRefused(
            "no-such-item",
            f"{index.space.title} has no vector of item {plan.query.position}. Choose another engine.",
            status=404,
        )
    return searchable.index.vector(row), {}


def _search(plan: Plan, searchable: Searchable, vector: Vectors, excluded: Positions) -> list[Hit]:
    """The nearest of those that are allowed: the rows ``excluded`` are not.

    While near-duplicates leave too few of them, the index is asked again without all that are alike.
    """
    items, hits = searchable.items, list[Hit]()
    for _ in range(MOST_ROUNDS):
        asked = min(MOST_ASKED, len(items) - len(excluded))
        if asked < 1 or len(hits) >= MOST_CANDIDATES:
            break
        # As many people are answered at once as there are cores.
        found = searchable.index.search(vector[None], asked, exclude=[excluded], threads=1)
        known = found.positions[0] >= 0
        rows = found.positions[0][known]
        hits += collapse(items[rows], found.distances[0][known], plan.originals)
        seen = {plan.originals.get(position, position) for position in items[rows].tolist()}
        alike = [copy for copy, original in plan.originals.items() if original in seen]
        excluded = np.union1d(excluded, np.flatnonzero(np.isin(items, [*seen, *alike])))
    return [tell(hit, searchable.closeness) for hit in hits[:MOST_CANDIDATES]]


def _list_excluded(plan: Plan, items: Positions) -> Positions:
    """Rows that may not be found: removed ones, the query with its near-duplicates, what is filtered out."""
    out = np.zeros(len(items), bool) if plan.allowed is None else ~np.isin(items, plan.allowed)
    if plan.query is not None:
        own = plan.originals.get(plan.query.position, plan.query.position)
        alike = [copy for copy, original in plan.originals.items() if original == own]
        out |= np.isin(items, [own, *alike])
    if len(plan.removed):
        out |= np.isin(items, plan.removed)
    return np.flatnonzero(out)
