"""The integer counts that change in the transaction of the votes they count."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from evaluation.models import Answer, Pair, RaterTally, Spread, Tally
from evaluation.models.statements import Row, Statement, execute, increase, insert

SPREAD_FIELDS = (
    "players", "player_dd", "player_dn", "player_nn", "pairs", "pair_dd", "pair_dn", "pair_nn",
)  # fmt: skip
COUNTED = ("dopes", "nopes", "skips")
_DOPES, _NOPES, _SKIPS = range(3)
_COLUMN = {Answer.DOPE: _DOPES, Answer.NOPE: _NOPES, Answer.SKIP: _SKIPS}


@dataclass(frozen=True)
class Change:
    """One vote counted (by = 1) or taken back (by = -1)."""

    pair: int
    player: int
    answer: Answer
    by: int = 1


def count_changes(
    changes: Sequence[Change],
    *,
    before: Sequence[Statement | None] = (),
    beside: Sequence[Statement | None] = (),
) -> None:
    """Add votes to every count they belong to. Call it in the transaction that stores the votes.

    ``before`` and ``beside`` are statements of the same transaction that go with those of the counts. The
    pairs come first: a contender that enters holds their rows, so a vote is either among those it counts or
    finds its credit.
    """
    by_pair: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for change in changes:
        by_pair[change.pair][_COLUMN[change.answer]] += change.by
    pairs = _read_pairs(by_pair, after=[*before, increase(Pair, ["id"], COUNTED, by_pair)])
    spread: dict[int, list[int]] = defaultdict(lambda: [0] * 8)
    _count_raters(changes, pairs, spread)
    tallies: dict[tuple[int, int | None], list[int]] = defaultdict(lambda: [0, 0, 0])
    for pk, added in by_pair.items():
        pair = pairs[pk]
        step = moments_step(
            (pair.dopes - added[_DOPES], pair.nopes - added[_NOPES]), (added[_DOPES], added[_NOPES])
        )
        for contender in pair.finders:
            _add(spread[contender], (0, 0, 0, 0, *step))
            _add(tallies[contender, pair.category], added)
    execute(
        increase(Tally, ["contender_id", "category_id"], COUNTED, tallies),
        increase(Spread, ["contender_id"], SPREAD_FIELDS, spread),
        *beside,
    )


@dataclass(frozen=True)
class _Counted:
    """A pair with what it counts now, and the contenders that found it."""

    category: int | None
    dopes: int
    nopes: int
    finders: list[int]


def _read_pairs(pks: Collection[int], *, after: Sequence[Statement | None]) -> dict[int, _Counted]:
    query = Statement(
        "SELECT p.id, p.category_id, p.dopes, p.nopes, c.contender_id FROM evaluation_pair p"
        " LEFT JOIN evaluation_credit c ON c.pair_id = p.id WHERE p.id = ANY(%s)",
        [list(pks)],
    )
    pairs: dict[int, _Counted] = {}
    for pk, category, dopes, nopes, contender in execute(*after, query):
        pair = pairs.setdefault(pk, _Counted(category, dopes, nopes, []))
        if contender is not None:
            pair.finders.append(contender)
    return pairs


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


def _count_raters(
    changes: Sequence[Change], pairs: Mapping[int, _Counted], spread: dict[int, list[int]]
) -> None:
    deltas: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for change in changes:
        if change.answer != Answer.SKIP:
            for contender in pairs[change.pair].finders:
                deltas[contender, change.player][_COLUMN[change.answer]] += change.by
    taken_back = any(change.by < 0 for change in changes)
    counted = _lower_raters(deltas) if taken_back else _raise_raters(deltas)
    for contender, player, dopes, nopes in counted:
        delta = deltas[contender, player]
        step = moments_step((dopes - delta[_DOPES], nopes - delta[_NOPES]), (delta[_DOPES], delta[_NOPES]))
        _add(spread[contender], (*step, 0, 0, 0, 0))


def _raise_raters(deltas: Mapping[tuple[int, int], list[int]]) -> list[Row]:
    """Count for each (contender, player), and return the rows as (contender, player, dopes, nopes)."""
    counted = insert(
        RaterTally,
        ("contender_id", "player_id", "dopes", "nopes"),
        [(*key, *delta) for key, delta in deltas.items()],
        "ON CONFLICT (contender_id, player_id) DO UPDATE SET"
        " dopes = evaluation_ratertally.dopes + excluded.dopes,"
        " nopes = evaluation_ratertally.nopes + excluded.nopes"
        " RETURNING contender_id, player_id, dopes, nopes",
    )
    return execute(counted)


def _lower_raters(deltas: Mapping[tuple[int, int], list[int]]) -> list[Row]:
    """The same for votes taken back: their rows are there, and a row below zero could not be inserted."""
    rows = {
        (row.contender_id, row.player_id): row
        for row in RaterTally.objects.filter(
            contender__in={contender for contender, _ in deltas}, player__in={player for _, player in deltas}
        )
    }
    execute(increase(RaterTally, ["contender_id", "player_id"], ["dopes", "nopes"], deltas))
    return [
        (*key, rows[key].dopes + delta[_DOPES], rows[key].nopes + delta[_NOPES])
        for key, delta in deltas.items()
    ]


def _add(total: list[int], step: Sequence[int]) -> None:
    for place, value in enumerate(step):
        total[place] += value
