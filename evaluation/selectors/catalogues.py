"""Catalogues as players meet them: what there is to swipe on, and how far the rest is."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, Sum

from evaluation.models import Contender, Credit, Pair
from search.models import Catalogue, Item, Job, JobState, Split
from search.selectors.catalogues import image_url

COVERS = 4


@dataclass(frozen=True)
class CatalogueCard:
    slug: str
    title: str
    items: int
    contenders: int
    playable: bool
    progress: float | None
    covers: list[str]


@dataclass(frozen=True)
class Totals:
    votes: int
    pairs: int
    contenders: int


def list_catalogue_cards() -> list[CatalogueCard]:
    """Every catalogue, the playable ones first, oldest first."""
    found = Credit.objects.filter(
        contender__in=Contender.objects.active(), contender__catalogue=OuterRef("pk")
    )
    catalogues = Catalogue.objects.annotate(playable=Exists(found)).order_by("-playable", "created_at", "pk")
    sizes = dict(Item.objects.present().order_by().values_list("catalogue").annotate(Count("pk")))
    active = dict(Contender.objects.active().order_by().values_list("catalogue").annotate(Count("pk")))
    return [
        CatalogueCard(
            slug=one.slug,
            title=one.title,
            items=sizes.get(one.pk, 0),
            contenders=active.get(one.pk, 0),
            playable=one.playable,
            progress=_measure_progress(one),
            covers=_list_covers(one, sizes.get(one.pk, 0)),
        )
        for one in catalogues
    ]


def count_totals() -> Totals:
    """Over all catalogues; votes include skips, and those on lessons; neither is of checks, nor of what
    private encoders alone found.

    A catch pair that a contender found since is a pair like any other.
    """
    found = Exists(Credit.objects.filter(pair=OuterRef("pk")))
    pairs = Pair.objects.filter(Q(split=Split.TRAINABLE) | found)
    sums = pairs.aggregate(votes=Sum("dopes") + Sum("nopes") + Sum("skips"), pairs=Count("pk"))
    return Totals(
        votes=sums["votes"] or 0,
        pairs=sums["pairs"],
        contenders=Contender.objects.active().count(),
    )


def _measure_progress(catalogue: Catalogue) -> float | None:
    """How much of the catalogue's jobs is done, 0 to 1; None where no job is left."""
    jobs = list(Job.objects.filter(catalogue=catalogue).values_list("state", "done", "total"))
    waiting = (JobState.QUEUED, JobState.RUNNING)
    if not any(state in waiting for state, _, _ in jobs):
        return None
    shares = [(done / total if total else 0.0) if state in waiting else 1.0 for state, done, total in jobs]
    return sum(shares) / len(shares)


def _list_covers(catalogue: Catalogue, size: int) -> list[str]:
    """Pictures from all over the catalogue."""
    wanted = {size * turn // COVERS for turn in range(COVERS)} if size else set()
    hashes = Item.objects.present().filter(catalogue=catalogue, position__in=wanted)
    return [image_url(sha256) for sha256 in hashes.values_list("image_sha256", flat=True)]
