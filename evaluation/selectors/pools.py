"""The pairs of a catalogue that may be dealt, kept in memory while they stay the same."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Count, F, Q, QuerySet
from numpy.typing import NDArray

from evaluation.models import Contender, Pair
from evaluation.selectors.tables import Hall
from evaluation.stats.allocation import Pool
from search.models import Split

# How old the answers counted per pair may be: they only say which pairs were judged seldom.
LONGEST_AGE = timedelta(seconds=30)
JUDGED = F("dopes") + F("nopes") + F("skips")


@dataclass(frozen=True)
class _Kept:
    stamp: uuid.UUID
    since: datetime
    pool: Pool


_kept: dict[int, _Kept] = {}


def find_pool(hall: Hall, *, now: datetime) -> Pool:
    """The pool of a catalogue, from memory where its pairs are unchanged and its counts are fresh."""
    if hall.stamp is None:
        return load_pool(hall.catalogue)
    kept = _kept.get(hall.catalogue)
    pool = None
    if kept is not None and kept.stamp == hall.stamp:
        if kept.since <= now <= kept.since + LONGEST_AGE:
            return kept.pool
        pool = _recount_pool(kept.pool, hall.catalogue)
    if pool is None:
        pool = load_pool(hall.catalogue)
    _kept[hall.catalogue] = _Kept(hall.stamp, now, pool)
    return pool


def load_pool(catalogue_id: int) -> Pool:
    """Evaluation-only pairs that an active contender found, with counts, from the database."""
    active = Contender.objects.active().filter(catalogue_id=catalogue_id)
    finders = Count("credits", filter=Q(credits__contender__in=active))
    rows = _pairs(catalogue_id).annotate(finders=finders).filter(finders__gt=0)
    columns = rows.values_list("pk", "question_id", JUDGED, "finders")
    pairs, questions, judged, found = _columns(columns, 4)
    return Pool(pairs, questions, judged, found, contenders=active.count())


def _recount_pool(pool: Pool, catalogue_id: int) -> Pool | None:
    """The same pairs as they were judged by now, without the costly look at who found them.

    None where one of them is gone.
    """
    pairs, judged = _columns(_pairs(catalogue_id).values_list("pk", JUDGED), 2)
    places = np.searchsorted(pairs, pool.pairs)
    if (places >= len(pairs)).any() or (pairs[places] != pool.pairs).any():
        return None
    return replace(pool, judged=judged[places])


def _pairs(catalogue_id: int) -> QuerySet[Pair]:
    return Pair.objects.filter(catalogue_id=catalogue_id, split=Split.EVALUATION).order_by("pk")


def _columns(rows: Iterable[tuple[int, ...]], count: int) -> list[NDArray[np.int64]]:
    table = np.array(list(rows), dtype=np.int64).reshape(-1, count)
    return [np.ascontiguousarray(column) for column in table.T]
