"""How pairs were dealt and what became of the deals: counted by pair, in the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import Count, F, Q, QuerySet, Sum

from evaluation.models import Answer, Contender, Credit, Deal, Pair, Side
from evaluation.stats.allocation import POLICY
from evaluation.stats.places import TASTE
from evaluation.stats.votes import Floats, Places

# The parts of a round: places from 1 to 5, and so on.
PARTS = ((1, 5), (6, 10), (11, 15), (16, 20))
COUNTS = ("issued", "answered", "skipped", "undone", "expired", "waiting", "candidate_first", "places")


@dataclass(frozen=True)
class DealCounts:
    """Sums over the deals of each active contender, and of all that count, (c + 1,), by name.

    Everything stands last. ``pairs`` (c,) are those it found, ``pool`` is how many may be dealt, ``bands``
    (c + 1, parts of the round); ``policies`` are (name, version, deals), lessons and checks among them.
    """

    contenders: Places
    pairs: Places
    pool: int
    counts: dict[str, Places]
    bands: Places
    propensities: Floats
    inverses: Floats
    policies: list[tuple[str, str, int]]


def count_deals(catalogue: int, *, now: datetime) -> DealCounts:
    """Of deals to players: those of visitors who never voted are deleted after two days.

    Those on which a private encoder is compared are its player's own affair.
    """
    active = Contender.objects.active().filter(catalogue_id=catalogue).order_by("pk")
    contenders = np.array(active.values_list("pk", flat=True), np.int64)
    pairs = np.array(
        Pair.objects.filter(catalogue_id=catalogue).order_by("pk").values_list("pk", flat=True), np.int64
    )
    found = np.zeros((len(pairs), len(contenders) + 1))
    found[:, -1] = 1  # everything
    credits = Credit.objects.filter(contender__in=contenders.tolist())
    rows = np.array(list(credits.values_list("pair_id", "contender_id")), np.int64).reshape(-1, 2)
    found[np.searchsorted(pairs, rows[:, 0]), np.searchsorted(contenders, rows[:, 1])] = 1
    sums = np.zeros((len(pairs), len(COUNTS) + len(PARTS) + 2))
    deals = Deal.objects.filter(pair__catalogue=catalogue, player__isnull=False).order_by()
    for pair, *row in _count_by_pair(deals.filter(policy=POLICY), now=now):
        sums[np.searchsorted(pairs, pair)] = row
    totals = found.T @ sums
    whole = totals[:, :-2].round().astype(np.int64)
    by_policy = deals.exclude(policy=TASTE).values_list("policy", "policy_version").annotate(Count("pk"))
    return DealCounts(
        contenders,
        found[:, :-1].sum(axis=0).astype(np.int64),
        int(found[:, :-1].any(axis=1).sum()),
        {name: whole[:, place] for place, name in enumerate(COUNTS)},
        whole[:, len(COUNTS) :],
        totals[:, -2],
        totals[:, -1],
        sorted(by_policy),
    )


def _count_by_pair(deals: QuerySet[Deal], *, now: datetime) -> Iterable[tuple[Any, ...]]:
    """Rows of the pair and its sums, in the order of `COUNTS`, `PARTS`, propensities and their inverses."""
    stands = Q(vote__isnull=False, vote__retraction__isnull=True)
    given = Q(vote__isnull=True)
    parts = {
        f"part_{first}": Count("pk", filter=Q(place__gte=first, place__lte=last)) for first, last in PARTS
    }
    return deals.values_list("pair").annotate(
        issued=Count("pk"),
        answered=Count("pk", filter=stands & ~Q(vote__answer=Answer.SKIP)),
        skipped=Count("pk", filter=stands & Q(vote__answer=Answer.SKIP)),
        undone=Count("pk", filter=Q(vote__retraction__isnull=False)),
        expired=Count("pk", filter=given & Q(expires_at__lte=now)),
        waiting=Count("pk", filter=given & Q(expires_at__gt=now)),
        first=Count("pk", filter=Q(side=Side.CANDIDATE_FIRST)),
        places=Sum("place"),
        **parts,
        chances=Sum("propensity"),
        inverses=Sum(1.0 / F("propensity")),
    )
