"""The pairs of a catalogue that may be dealt, kept in memory while they stay the same."""

import uuid
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Count, F, Q

from evaluation.models import Contender, DealingStamp, Pair
from evaluation.stats.allocation import Pool
from search.models import Split

# How old the answers counted per pair may be: they only say which pairs were judged seldom.
LONGEST_AGE = timedelta(seconds=30)

_kept: dict[int, tuple[uuid.UUID, datetime, Pool]] = {}


def find_pool(catalogue_id: int, *, now: datetime) -> Pool:
    """The pool of a catalogue, from memory where its pairs are unchanged and its counts are fresh."""
    stamp = DealingStamp.objects.filter(pk=catalogue_id).values_list("stamp", flat=True).first()
    if stamp is None:
        return load_pool(catalogue_id)
    if catalogue_id in _kept:
        kept_stamp, since, pool = _kept[catalogue_id]
        if kept_stamp == stamp and since <= now <= since + LONGEST_AGE:
            return pool
    pool = load_pool(catalogue_id)
    _kept[catalogue_id] = (stamp, now, pool)
    return pool


def load_pool(catalogue_id: int) -> Pool:
    """Evaluation-only pairs that an active contender found, with counts, from the database."""
    active = Contender.objects.active().filter(catalogue_id=catalogue_id)
    rows = (
        Pair.objects.filter(catalogue_id=catalogue_id, split=Split.EVALUATION)
        .annotate(
            judged=F("dopes") + F("nopes") + F("skips"),
            finders=Count("credits", filter=Q(credits__contender__retired_at=None)),
        )
        .filter(finders__gt=0)
        .order_by("pk")
        .values_list("pk", "question_id", "judged", "finders")
    )
    table = np.array(list(rows), dtype=np.int64).reshape(-1, 4)
    pairs, questions, judged, finders = (np.ascontiguousarray(column) for column in table.T)
    return Pool(pairs, questions, judged, finders, contenders=active.count())
