"""Counting again from the raw votes: what the leaderboard must equal, exactly."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Model, Q, QuerySet

from evaluation.models import Answer, Pair, Player, RaterTally, Round, Spread, Tally, Vote
from evaluation.selectors.exclusions import list_excluded
from evaluation.services.counts import SPREAD_FIELDS, TALLIED, moments_step
from evaluation.services.turns import wait_for_turn
from evaluation.stats.evenness import evenness_step
from search import events

Key = tuple[Any, ...]
Counts = Mapping[Key, tuple[int, ...]]


@dataclass(frozen=True)
class Difference:
    """A count that is not what the raw votes say."""

    table: str
    key: Key
    stored: tuple[int, ...]
    counted: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.table} {self.key}: stored {self.stored}, the votes say {self.counted}"


@dataclass(frozen=True)
class _Table:
    """One table of counts: the columns that name a row, and the columns that count."""

    model: type[Model]
    keys: tuple[str, ...]
    fields: tuple[str, ...]

    def stored(self, rows: QuerySet[Model]) -> Counts:
        width = len(self.keys)
        return {row[:width]: row[width:] for row in rows.values_list(*self.keys, *self.fields).order_by()}


PAIRS = _Table(Pair, ("pk",), ("dopes", "nopes", "skips"))
TALLIES = _Table(Tally, ("contender_id", "category_id"), TALLIED)
RATERS = _Table(RaterTally, ("contender_id", "player_id"), ("dopes", "nopes"))
SPREADS = _Table(Spread, ("contender_id",), SPREAD_FIELDS)
ROUNDS = _Table(Round, ("pk",), ("judged",))
PLAYERS = _Table(Player, ("pk",), ("judged", "is_excluded"))


def find_differences() -> list[Difference]:
    """Compare every count with the raw votes; empty means P3 holds. Votes wait meanwhile.

    Where each query sees a state of its own (PostgreSQL's default), a vote between two of them would look
    like a wrong count. Whoever changes counts takes the turn first, so it is kept from the first query to
    the last.
    """
    with transaction.atomic():
        wait_for_turn()
        cast = Vote.objects.filter(retraction=None)
        excluded = set(list_excluded())
        votes = Vote.objects.counting().exclude(deal__player__in=list_excluded())
        counted: dict[_Table, Counts] = {
            PAIRS: count_votes(votes, "deal__pair_id"),
            ROUNDS: {key: (sum(row),) for key, row in count_votes(cast, "deal__round_id").items()},
            PLAYERS: {(pk,): (0, 1) for pk in excluded}
            | {
                key: (sum(row), int(key[0] in excluded))
                for key, row in count_votes(cast, "deal__player_id").items()
            },
            **_count_contenders(votes),
        }
        return [
            difference
            for table, counts in counted.items()
            for difference in _compare(table, table.stored(table.model._default_manager.all()), counts)
        ]


@transaction.atomic
def repair_counts() -> list[Difference]:
    """Make every count equal to the raw votes; returns what was wrong."""
    differences = find_differences()
    tables = {table.model.__name__: table for table in (PAIRS, TALLIES, RATERS, SPREADS, ROUNDS, PLAYERS)}
    for difference in differences:
        table = tables[difference.table]
        _write(table, difference.key, difference.counted)
    if differences:
        events.bump("leaderboard")
    return differences


def count_votes(votes: QuerySet[Vote], *keys: str) -> dict[Key, tuple[int, int, int]]:
    """Dopes, nopes and skips by key, straight from vote rows."""
    counts = {
        answer.value: Count("pk", filter=Q(answer=answer))
        for answer in (Answer.DOPE, Answer.NOPE, Answer.SKIP)
    }
    rows = votes.order_by().values_list(*keys).annotate(**counts)
    return {row[:-3]: row[-3:] for row in rows}


def _count_contenders(votes: QuerySet[Vote]) -> dict[_Table, Counts]:
    """Tallies, rater tallies and spreads of every contender that is credited."""
    credited = F("deal__pair__credits__contender_id")
    votes = votes.annotate(contender=credited).filter(contender__isnull=False)
    raters = {
        key: (dopes, nopes)
        for key, (dopes, nopes, _) in count_votes(votes, "contender", "deal__player_id").items()
        if dopes or nopes
    }
    spreads: dict[Key, list[int]] = defaultdict(lambda: [0] * len(SPREAD_FIELDS))
    tallies: dict[Key, list[int]] = defaultdict(lambda: [0] * len(TALLIED))
    for (contender, _), d_and_n in raters.items():
        _add(spreads[(contender,)], 0, moments_step((0, 0), d_and_n))
    by_pair = count_votes(votes, "contender", "deal__pair__category_id", "deal__pair_id")
    for (contender, category, _), (dopes, nopes, skips) in by_pair.items():
        _add(spreads[(contender,)], 4, moments_step((0, 0), (dopes, nopes)))
        _add(tallies[contender, category], 0, (dopes, nopes, skips))
        _add(tallies[contender, category], 3, evenness_step((0, 0), (dopes, nopes)))
    return {
        TALLIES: {key: tuple(sums) for key, sums in tallies.items()},
        RATERS: raters,
        SPREADS: {key: tuple(sums) for key, sums in spreads.items()},
    }


def _add(sums: list[int], offset: int, step: Iterable[int]) -> None:
    for place, value in enumerate(step, start=offset):
        sums[place] += value


def _compare(table: _Table, stored: Counts, counted: Counts) -> list[Difference]:
    """Where the two differ; a row that is missing says zero."""
    nothing = (0,) * len(table.fields)
    return [
        Difference(table.model.__name__, key, stored.get(key, nothing), counted.get(key, nothing))
        for key in {**stored, **counted}
        if stored.get(key, nothing) != counted.get(key, nothing)
    ]


def _write(table: _Table, key: Key, counts: tuple[int, ...]) -> None:
    row: dict[str, Any] = dict(zip(table.keys, key, strict=True))
    table.model._default_manager.update_or_create(
        **row, defaults=dict(zip(table.fields, counts, strict=True))
    )
