"""The integer counts that change in the transaction of the votes they count."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.models import Answer, Pair, RaterTally, Spread, Tally
from evaluation.models.statements import Statement, increase, insert
from evaluation.selectors.standing import StandingPair
from evaluation.stats.evenness import evenness_step

SPREAD_FIELDS = (
    "players", "player_dd", "player_dn", "player_nn", "pairs", "pair_dd", "pair_dn", "pair_nn",
)  # fmt: skip
COUNTED = ("dopes", "nopes", "skips")
TALLIED = (*COUNTED, "pairs", "shares", "inverses")
_DOPES, _NOPES, _SKIPS = range(3)
_COLUMN = {Answer.DOPE: _DOPES, Answer.NOPE: _NOPES, Answer.SKIP: _SKIPS}


@dataclass(frozen=True, slots=True)
class Change:
    """One vote counted (by = 1) or taken back (by = -1)."""

    pair: StandingPair
    player: int
    answer: Answer
    by: int = 1


def plan_counts(
    changes: Sequence[Change], raters: Mapping[tuple[int, int], tuple[int, int]]
) -> list[Statement | None]:
    """What adds votes to every count of pairs and contenders that they belong to.

    Run it in the transaction that stores the votes, which has had the turn since the pairs and ``raters``
    ((dopes, nopes) by (contender, player), absent where there are none) were read: sums of squares change by
    a step that depends on what they are of. Either all changes add or all take back.
    """
    pairs = {change.pair.pk: change.pair for change in changes}
    by_pair: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    by_rater: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for change in changes:
        column = _COLUMN[change.answer]
        by_pair[change.pair.pk][column] += change.by
        if column != _SKIPS:
            for contender in change.pair.finders:
                by_rater[contender, change.player][column] += change.by
    spread: dict[int, list[int]] = defaultdict(lambda: [0] * 8)
    for (contender, player), (dopes, nopes) in by_rater.items():
        step = moments_step(raters.get((contender, player), (0, 0)), (dopes, nopes))
        _add(spread[contender], (*step, 0, 0, 0, 0))
    tallies: dict[tuple[int, int | None], list[int]] = defaultdict(lambda: [0] * len(TALLIED))
    for pk, added in by_pair.items():
        pair = pairs[pk]
        before, said = (pair.dopes, pair.nopes), (added[_DOPES], added[_NOPES])
        step, evenness = moments_step(before, said), evenness_step(before, said)
        for contender in pair.finders:
            _add(spread[contender], (0, 0, 0, 0, *step))
            _add(tallies[contender, pair.category], (*added, *evenness))
    return [
        increase(Pair, ["id"], COUNTED, by_pair),
        _count_raters(by_rater, takes_back=any(change.by < 0 for change in changes)),
        increase(Tally, ["contender_id", "category_id"], TALLIED, tallies),
        increase(Spread, ["contender_id"], SPREAD_FIELDS, spread),
    ]


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


def _count_raters(deltas: Mapping[tuple[int, int], Sequence[int]], *, takes_back: bool) -> Statement | None:
    if takes_back:
        # Their rows are there, and a row below zero could not be inserted.
        return increase(RaterTally, ["contender_id", "player_id"], ["dopes", "nopes"], deltas)
    return insert(
        RaterTally,
        ("contender_id", "player_id", "dopes", "nopes"),
        [(*key, *delta) for key, delta in deltas.items()],
        "ON CONFLICT (contender_id, player_id) DO UPDATE SET"
        " dopes = evaluation_ratertally.dopes + excluded.dopes,"
        " nopes = evaluation_ratertally.nopes + excluded.nopes",
    )


def _add(total: list[int], step: Sequence[int]) -> None:
    for place, value in enumerate(step):
        total[place] += value
