"""The integer counts that change in the transaction of the votes they count."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model

from evaluation.models import Answer, Credit, Pair, RaterTally, Spread, Tally

SPREAD_FIELDS = (
    "players", "player_dd", "player_dn", "player_nn", "pairs", "pair_dd", "pair_dn", "pair_nn",
)  # fmt: skip
_DOPES, _NOPES, _SKIPS = range(3)
_COLUMN = {Answer.DOPE: _DOPES, Answer.NOPE: _NOPES, Answer.SKIP: _SKIPS}


@dataclass(frozen=True)
class Change:
    """One vote counted (by = 1) or taken back (by = -1)."""

    pair: int
    player: int
    answer: Answer
    by: int = 1


def count_changes(changes: Sequence[Change]) -> None:
    """Add votes to every count they belong to. Call it in the transaction that stores the votes.

    Rows are locked in order of their ids, pairs first, so that transactions of several processes wait for
    each other instead of ending in a deadlock. A contender that enters holds the same pair rows, so a vote
    is either among those it counts or finds its credit.
    """
    by_pair: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for change in changes:
        by_pair[change.pair][_COLUMN[change.answer]] += change.by
    pairs = {
        pair.pk: pair
        for pair in Pair.objects.select_for_update(no_key=True).filter(pk__in=by_pair).order_by("pk")
    }
    add_to_rows(Pair, ("dopes", "nopes", "skips"), by_pair)
    finders: dict[int, list[int]] = defaultdict(list)
    for pair_id, contender_id in Credit.objects.filter(pair__in=pairs).values_list("pair_id", "contender_id"):
        finders[pair_id].append(contender_id)

    spread: dict[int, list[int]] = defaultdict(lambda: [0] * 8)
    _count_raters(changes, finders, spread)
    for pair_id, (dopes, nopes, _) in by_pair.items():
        pair = pairs[pair_id]
        step = moments_step((pair.dopes, pair.nopes), (dopes, nopes))
        for contender in finders[pair_id]:
            _add(spread[contender], (0, 0, 0, 0, *step))
    _count_tallies(by_pair, pairs, finders)
    add_to_rows(Spread, SPREAD_FIELDS, spread)


def moments_step(before: tuple[int, int], added: tuple[int, int]) -> tuple[int, int, int, int]:
    """How the sums of one cluster change: (clusters with answers, d*d, d*n, n*n), d dopes of n answers."""
    old_d, old_n = before[0], sum(before)
    new_d, new_n = old_d + added[0], old_n + sum(added)
    return (
        (new_n > 0) - (old_n > 0),
        new_d * new_d - old_d * old_d,
        new_d * new_n - old_d * old_n,
        new_n * new_n - old_n * old_n,
    )


def add_to_rows(model: type[Model], fields: Sequence[str], deltas: Mapping[Any, Sequence[int]]) -> None:
    """Add integers to columns of existing rows, by primary key, in key order.

    The `F()` increment of one row, sent for many at once: through the ORM it would be a query built and
    compiled for each of some hundred rows of a busy moment.
    """
    key = model._meta.pk.column
    assert key is not None
    quote = connection.ops.quote_name
    columns = [quote(field) for field in fields]
    changes = ", ".join(f"{column} = {column} + %s" for column in columns)
    rows = [[*deltas[pk], pk] for pk in sorted(deltas) if any(deltas[pk])]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {quote(model._meta.db_table)} SET {changes} WHERE {quote(key)} = %s", rows
            )


def _count_raters(
    changes: Sequence[Change], finders: Mapping[int, list[int]], spread: dict[int, list[int]]
) -> None:
    deltas: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for change in changes:
        if change.answer != Answer.SKIP:
            for contender in finders[change.pair]:
                deltas[contender, change.player][_COLUMN[change.answer]] += change.by
    if not deltas:
        return
    RaterTally.objects.bulk_create(
        (RaterTally(contender_id=contender, player_id=player) for contender, player in sorted(deltas)),
        ignore_conflicts=True,
    )
    rows = (
        RaterTally.objects.select_for_update(no_key=True)
        .filter(player__in={player for _, player in deltas}, contender__in={one for one, _ in deltas})
        .order_by("pk")
    )
    by_row: dict[int, list[int]] = {}
    for row in rows:
        delta = deltas.get((row.contender_id, row.player_id))
        if delta is not None:
            by_row[row.pk] = delta
            step = moments_step((row.dopes, row.nopes), (delta[_DOPES], delta[_NOPES]))
            _add(spread[row.contender_id], (*step, 0, 0, 0, 0))
    add_to_rows(RaterTally, ("dopes", "nopes"), by_row)


def _count_tallies(
    by_pair: Mapping[int, list[int]], pairs: Mapping[int, Pair], finders: Mapping[int, list[int]]
) -> None:
    contenders = {contender for found in finders.values() for contender in found}
    tallies: dict[tuple[int, int | None], int] = {
        (contender, category): pk
        for pk, contender, category in Tally.objects.filter(contender__in=contenders).values_list(
            "pk", "contender_id", "category_id"
        )
    }
    by_row: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for pair_id, added in by_pair.items():
        for contender in finders[pair_id]:
            _add(by_row[tallies[contender, pairs[pair_id].category_id]], added)
    add_to_rows(Tally, ("dopes", "nopes", "skips"), by_row)


def _add(total: list[int], step: Sequence[int]) -> None:
    for place, value in enumerate(step):
        total[place] += value
