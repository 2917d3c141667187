"""The pairs of a catalogue that may be dealt, kept in memory while they stay the same."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from django.db.models import F, QuerySet
from numpy.typing import NDArray

from evaluation.models import Contender, Credit, Pair
from evaluation.selectors.tables import Hall
from evaluation.stats.allocation import Pool
from search.models import Item, Split

# How old the answers counted per pair may be: they only say which pairs and comparisons need more of them.
LONGEST_AGE = timedelta(seconds=30)
COUNTS = (F("dopes") + F("nopes") + F("skips"), F("dopes"), F("nopes"))


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
    active = Contender.objects.active().filter(catalogue_id=catalogue_id).order_by("pk")
    [contenders] = read_columns(active.values_list("pk"), 1)
    credits = Credit.objects.filter(
        contender__in=contenders.tolist(), pair__in=_pairs(catalogue_id).order_by()
    )
    credited, finders = read_columns(credits.values_list("pair_id", "contender_id"), 2)
    pairs, questions, *counts = read_columns(
        _pairs(catalogue_id).values_list("pk", "question_id", *COUNTS), 5
    )
    found = np.zeros((len(pairs), len(contenders)), dtype=bool)
    there = np.isin(credited, pairs)  # pairs may have gone between the two reads
    found[np.searchsorted(pairs, credited[there]), np.searchsorted(contenders, finders[there])] = True
    kept = found.any(axis=1)
    judged, dopes, nopes = (column[kept] for column in counts)
    return Pool(pairs[kept], questions[kept], judged, dopes, nopes, found[kept])


def _recount_pool(pool: Pool, catalogue_id: int) -> Pool | None:
    """The same pairs as they were judged by now, without the costly look at who found them.

    None where one of them is gone.
    """
    pairs, judged, dopes, nopes = read_columns(_pairs(catalogue_id).values_list("pk", *COUNTS), 4)
    places = np.searchsorted(pairs, pool.pairs)
    if (places >= len(pairs)).any() or (pairs[places] != pool.pairs).any():
        return None
    return replace(pool, judged=judged[places], dopes=dopes[places], nopes=nopes[places])


def _pairs(catalogue_id: int) -> QuerySet[Pair]:
    asked = Pair.objects.filter(catalogue_id=catalogue_id, split=Split.EVALUATION)
    return without_removed(asked, catalogue_id).order_by("pk")


def without_removed(pairs: QuerySet[Pair], catalogue_id: int) -> QuerySet[Pair]:
    """Those of a catalogue's pairs of which neither item was taken away."""
    removed = Item.objects.filter(catalogue=catalogue_id, removed_at__isnull=False)
    # Nearly always there are none, and then the items of every pair need not be looked up.
    there = pairs.filter(question__removed_at=None, candidate__removed_at=None)
    return there if removed.exists() else pairs


def read_columns(rows: Iterable[tuple[int, ...]], count: int) -> list[NDArray[np.int64]]:
    table = np.array(list(rows), dtype=np.int64).reshape(-1, count)
    return [np.ascontiguousarray(column) for column in table.T]
