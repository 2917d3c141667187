"""The slices of the newest rankings as a table to take away: by category, by value of an aspect, by week."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from evaluation.models import Contender, Ranking
from evaluation.selectors.rankings import list_slices
from search.models import Catalogue


@dataclass(frozen=True)
class SliceRow:
    """A contender in one slice. Shares are 0 to 1, None where there are not enough votes.

    ``kind`` is "category", "aspect" or "week". ``aspect`` is the aspect's name, empty for the others; a week
    is named by its Monday.
    """

    catalogue: str
    ranked_on: date
    contender: int
    title: str
    kind: str
    aspect: str
    slice: str
    votes: int
    approval: float | None
    low: float | None
    high: float | None


def list_slice_rows(catalogue: str = "") -> Iterator[SliceRow]:
    """Of the newest ranking of this catalogue, or of each, the oldest catalogue first."""
    catalogues = Catalogue.objects.order_by("created_at", "pk")
    for one in catalogues.filter(slug=catalogue) if catalogue else catalogues:
        newest = Ranking.objects.filter(catalogue=one).order_by("-made_at")
        parts = (f"figures__{name}" for name in ("rows", "slices", "aspects", "weeks"))
        ranking = newest.values_list("made_at", *parts).first()
        if ranking is not None:
            yield from _list_rows(one, *ranking)


def _list_rows(
    catalogue: Catalogue,
    made_at: Any,
    rows: Sequence[Mapping[str, Any]],
    categories: Sequence[Mapping[str, Any]],
    aspects: Sequence[Mapping[str, Any]] | None,
    weeks: Sequence[Mapping[str, Any]] | None,
) -> Iterator[SliceRow]:
    titles = dict(Contender.objects.filter(catalogue=catalogue).values_list("pk", "title"))
    # Rankings of the first versions have neither aspects nor weeks.
    by_aspect = [("aspect", one["aspect"], one["slices"]) for one in aspects or ()]
    tables = [("category", "", categories), *by_aspect, ("week", "", weeks or ())]
    for row in rows:
        contender = row["contender"]
        for kind, aspect, slices in tables:
            for one in list_slices(contender, slices):
                yield SliceRow(
                    catalogue=catalogue.slug,
                    ranked_on=made_at.date(),
                    contender=contender,
                    title=titles.get(contender, f"contender {contender}"),
                    kind=kind,
                    aspect=aspect,
                    slice=one.category,
                    votes=one.votes,
                    approval=one.approval,
                    low=one.low,
                    high=one.high,
                )
