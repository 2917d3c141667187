"""What the page of one contender shows: its standing, its slices, its history, and what it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Max, QuerySet, Sum
from django.db.models.functions import TruncDate

from evaluation.models import Contender, Ranking, Tally
from evaluation.selectors.board import Row, read_revision, read_row
from evaluation.selectors.rankings import RankedRow, RankedSlice, list_slices, show_row

NIGHTS = 60
WITHOUT = "no category"


@dataclass(frozen=True)
class CategoryLine:
    """Answers counted by now, and how the night's ranking judged them; ``night`` is None before it."""

    category: str
    dopes: int
    answers: int
    night: RankedSlice | None


@dataclass(frozen=True)
class AspectTable:
    """One aspect and the contender's slices by its values, of the questions' labels."""

    aspect: str
    slices: Sequence[RankedSlice]


@dataclass(frozen=True)
class Night:
    """The contender in one ranking, with all votes of the catalogue up to then."""

    made_at: datetime
    votes: int
    row: RankedRow


@dataclass(frozen=True)
class ContenderStanding:
    """``ranked`` is of the newest ranking that knows the contender; None where there is none."""

    row: Row
    beside: int
    ranked: Night | None
    categories: Sequence[CategoryLine]
    aspects: Sequence[AspectTable]
    revision: int


def find_contender(pk: int) -> Contender | None:
    """One that is or was on the board; none that is still entering."""
    entered = Contender.objects.filter(entered_at__isnull=False)
    return entered.select_related("catalogue", "spread", "index__space").filter(pk=pk).first()


def read_standing(contender: Contender) -> ContenderStanding:
    """All figures of one contender, from counts and the newest ranking, so votes stay unread."""
    revision = read_revision()
    # Of the figures, which are long, only what is shown.
    parts = (f"figures__{name}" for name in ("rows", "slices", "weeks", "aspects"))
    newest = select_rankings(contender).values_list("made_at", "votes", *parts).first()
    made_at, votes, rows, slices, weeks, aspects = newest or (None, 0, [], [], [], [])
    ranked = [
        Night(made_at, votes, show_row(row, contender.title, slices, weeks or ()))
        for row in rows
        if made_at is not None and row["contender"] == contender.pk
    ]
    return ContenderStanding(
        row=read_row(contender),
        beside=Contender.objects.active().filter(catalogue=contender.catalogue_id).count(),
        ranked=ranked[0] if ranked else None,
        categories=_list_categories(contender, ranked[0].row.slices if ranked else ()),
        aspects=[
            AspectTable(one["aspect"], list_slices(contender.pk, one["slices"]))
            for one in aspects or ()  # rankings of the first versions have neither these nor weeks
            if ranked
        ],
        revision=revision,
    )


def list_nights(contender: Contender) -> Sequence[Night]:
    """The contender in the last ranking of each day in UTC, oldest first; only the rows are read."""
    every = select_rankings(contender)
    by_day = every.order_by().annotate(day=TruncDate("made_at", tzinfo=UTC)).values_list("day")
    last = by_day.annotate(last=Max("made_at")).order_by("-day").values_list("last", flat=True)[:NIGHTS]
    rankings = every.filter(made_at__in=list(last)).values_list("made_at", "votes", "figures__rows")
    nights = [
        Night(made_at, votes, show_row(row, contender.title, (), ()))
        for made_at, votes, rows in rankings
        for row in rows
        if row["contender"] == contender.pk
    ]
    return nights[::-1]


def select_rankings(*contenders: Contender) -> QuerySet[Ranking]:
    """Of their catalogue, newest first; where one is retired, those of its time."""
    rankings = Ranking.objects.filter(catalogue=contenders[0].catalogue_id, votes__gt=0).order_by("-made_at")
    retired = [one.retired_at for one in contenders if one.retired_at is not None]
    return rankings.filter(made_at__lt=min(retired)) if retired else rankings


def _list_categories(contender: Contender, slices: Sequence[RankedSlice]) -> list[CategoryLine]:
    """Most answers first; categories without any are left out."""
    night = {one.category: one for one in slices}
    counted = Tally.objects.filter(contender=contender).order_by().values_list("category__value")
    sums = counted.annotate(said=Sum("dopes"), answers=Sum("dopes") + Sum("nopes"))
    lines = [
        CategoryLine(name or WITHOUT, said, answers, night.get(name))
        for name, said, answers in sums
        if answers
    ]
    return sorted(lines, key=lambda line: (-line.answers, line.category))
