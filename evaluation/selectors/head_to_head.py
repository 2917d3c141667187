"""Two contenders of one catalogue side by side: by counts as they are now, and as the night compared them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import Count, Exists, OuterRef, Sum

from evaluation.models import Contender, Credit
from evaluation.selectors.board import Row, read_revision
from evaluation.selectors.contender_page import (
    CategoryLine,
    ContenderStanding,
    find_contender,
    read_standing,
    select_rankings,
)
from evaluation.selectors.judged_pairs import JudgedPair, read_counts, show_pairs
from evaluation.stats.intervals import Difference, Interval, subtract

SHOWN = 8


class NoComparison(Exception):
    """These two cannot be compared; the text says why and what to do."""


@dataclass(frozen=True)
class Two:
    """``first`` minus ``second`` is what differences are of."""

    first: Contender
    second: Contender


@dataclass(frozen=True)
class Share:
    """What was said of some pairs."""

    pairs: int
    dopes: int
    answers: int

    @property
    def approval(self) -> float | None:
        return self.dopes / self.answers if self.answers else None


@dataclass(frozen=True)
class NightlyComparison:
    """See `compare_contenders`: shares from -1 to 1, None where nothing could be said."""

    made_at: datetime
    votes: int
    difference: float | None
    low: float | None
    high: float | None
    needed: int | None

    @property
    def is_settled(self) -> bool:
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class CategoryPair:
    """Both in one category; None where a contender has no answers there."""

    category: str
    first: CategoryLine | None
    second: CategoryLine | None


@dataclass(frozen=True)
class HeadToHead:
    """``difference`` is of the board's approvals; None where one of them has no votes."""

    first: Row
    second: Row
    difference: Difference | None
    shared: Share
    first_alone: Share
    second_alone: Share
    overlap: float
    nightly: NightlyComparison | None
    categories: Sequence[CategoryPair]
    revision: int

    @property
    def are_the_same(self) -> bool:
        return not self.first_alone.pairs and not self.second_alone.pairs


@dataclass(frozen=True)
class Disagreement:
    """One question on which people liked what one contender found and not what the other did."""

    first: JudgedPair
    second: JudgedPair
    difference: Difference


def find_two(one: str, other: str) -> Two:
    """The contenders with these numbers, as an address has them. Raises NoComparison."""
    first, second = _find(one), _find(other)
    if first == second:
        raise NoComparison(f"That is {first.title} twice. Choose another one to compare it with.")
    if first.catalogue_id != second.catalogue_id:
        raise NoComparison(
            f"{first.title} is of {first.catalogue.title}, {second.title} of {second.catalogue.title}: they"
            " answered different questions. Choose two of one catalogue."
        )
    return Two(first, second)


def list_choices() -> list[tuple[str, list[Contender]]]:
    """Every contender that is or was on a board, by catalogue; of each catalogue the retired ones last."""
    entered = Contender.objects.filter(entered_at__isnull=False).select_related("catalogue")
    choices: dict[str, list[Contender]] = {}
    for contender in entered.order_by("catalogue__created_at", "catalogue_id", "pk"):
        choices.setdefault(contender.catalogue.title, []).append(contender)
    return [
        (title, sorted(group, key=lambda one: one.retired_at is not None)) for title, group in choices.items()
    ]


def read_head_to_head(two: Two) -> HeadToHead:
    """Counts by contender, category and pair: no vote is read."""
    revision = read_revision()
    first, second = read_standing(two.first), read_standing(two.second)
    shared, first_alone = _split(two.first, two.second)
    _, second_alone = _split(two.second, two.first)
    found = shared.pairs + max(first_alone.pairs, second_alone.pairs)
    return HeadToHead(
        first=first.row,
        second=second.row,
        difference=_subtract(first.row, second.row),
        shared=shared,
        first_alone=first_alone,
        second_alone=second_alone,
        overlap=shared.pairs / found if found else 0.0,
        nightly=_find_nightly(two),
        categories=_pair_categories(first, second),
        revision=revision,
    )


def list_disagreements(two: Two) -> tuple[Sequence[Disagreement], Sequence[Disagreement]]:
    """Where people surest preferred what the first found, and what the second did; for analysts alone.

    By the difference of the two pairs' approvals that is proven (Newcombe's interval), the largest first.
    """
    first, second = read_counts(two.first), read_counts(two.second)
    _, at, beside = np.intersect1d(first.questions, second.questions, return_indices=True)
    apart = first.pairs[at] != second.pairs[beside]
    both = [
        (int(first.pairs[a]), int(second.pairs[b]), subtract(first.interval(a), second.interval(b)))
        for a, b in zip(at[apart].tolist(), beside[apart].tolist(), strict=True)
    ]
    liked = sorted((one for one in both if one[2].estimate > 0), key=lambda one: -one[2].low)[:SHOWN]
    disliked = sorted((one for one in both if one[2].estimate < 0), key=lambda one: one[2].high)[:SHOWN]
    return _show(liked), _show(disliked)


def _find(number: str) -> Contender:
    is_number = number.isascii() and number.isdigit() and len(number) < 20
    contender = find_contender(int(number)) if is_number else None
    if contender is None:
        raise NoComparison(f"There is no contender “{number[:20]}”. Choose two from the lists.")
    return contender


def _split(one: Contender, other: Contender) -> tuple[Share, Share]:
    """What was said of the pairs that both found, and of those that only the first did."""
    both = Exists(Credit.objects.filter(contender=other, pair=OuterRef("pair")))
    rows = Credit.objects.filter(contender=one).annotate(both=both).order_by().values_list("both")
    sums = rows.annotate(Count("pk"), Sum("pair__dopes"), Sum("pair__nopes"))
    shares = {both: Share(pairs, dopes, dopes + nopes) for both, pairs, dopes, nopes in sums}
    return shares.get(True, Share(0, 0, 0)), shares.get(False, Share(0, 0, 0))


def _subtract(first: Row, second: Row) -> Difference | None:
    intervals = [
        Interval(row.approval, row.low, row.high)
        for row in (first, second)
        if row.approval is not None and row.low is not None and row.high is not None
    ]
    return subtract(*intervals) if len(intervals) == 2 else None


def _find_nightly(two: Two) -> NightlyComparison | None:
    """Of the newest ranking that compared the two; rankings of the first versions compared nobody."""
    rankings = select_rankings(two.first, two.second).values_list("made_at", "figures__comparisons")
    made_at, compared = rankings.first() or (None, None)
    wanted = {two.first.pk, two.second.pk}
    for row in compared or ():
        if {row["one"], row["other"]} == wanted and made_at is not None:
            return _turn(row, made_at, forth=row["one"] == two.first.pk)
    return None


def _turn(row: dict[str, Any], made_at: datetime, *, forth: bool) -> NightlyComparison:
    """As it was kept, or the other way round."""
    difference, low, high = row["difference"], row["low"], row["high"]
    if not forth and difference is not None:
        difference, low, high = -difference, -high, -low
    return NightlyComparison(made_at, row["votes"], difference, low, high, row["needed"])


def _pair_categories(first: ContenderStanding, second: ContenderStanding) -> list[CategoryPair]:
    """Most answers first."""
    mine = {line.category: line for line in first.categories}
    others = {line.category: line for line in second.categories}
    lines = [CategoryPair(name, mine.get(name), others.get(name)) for name in {**mine, **others}]
    return sorted(
        lines, key=lambda line: -sum(one.answers for one in (line.first, line.second) if one is not None)
    )


def _show(rows: Sequence[tuple[int, int, Difference]]) -> list[Disagreement]:
    shown = show_pairs([pk for first, second, _ in rows for pk in (first, second)])
    return [
        Disagreement(first, second, difference)
        for first, second, (_, _, difference) in zip(shown[::2], shown[1::2], rows, strict=True)
    ]
