"""The slices of a ranking: each contender by category of the question, by its labels, and by week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from evaluation.selectors.pair_values import Values
from evaluation.selectors.vote_columns import VoteColumns
from evaluation.stats.intervals import Standing
from evaluation.stats.slices import FEWEST_ANSWERS, SliceStanding, pool_slices, stand_by_slice
from evaluation.stats.votes import Flags, count_standings

# Of one aspect, and of all: those that most votes are about. The rest would hardly be read.
MOST_VALUES = 12
MOST_SLICES = 72
# A day has too few votes, and weekends other people; a week is long enough, and all weeks are alike.
WEEK = 7 * 86_400.0  # seconds
FIRST_MONDAY = 4 * 86_400.0  # 5 January 1970
MOST_WEEKS = 26


def slice_by_category(columns: VoteColumns) -> list[dict[str, Any]]:
    """By category of the question, in order of their names."""
    names = sorted({name for name in columns.categories if name})
    categories = np.array(columns.categories)
    return _slice(columns, names, [(categories == name)[columns.votes.pair] for name in names])


def slice_by_aspect(columns: VoteColumns, values: Values) -> list[dict[str, Any]]:
    """By the values of each aspect, those with most votes first; values with next to none are left out.

    A question may have several values of an aspect, and then is in each of their slices.
    """
    answers = np.bincount(columns.votes.pair, minlength=len(columns.pairs))
    sliced: list[dict[str, Any]] = []
    left = MOST_SLICES
    for aspect, held in values.items():
        sizes = {value: int(answers[places].sum()) for value, places in held.items()}
        names = sorted(
            (value for value in held if sizes[value] >= FEWEST_ANSWERS), key=lambda name: -sizes[name]
        )
        names = names[: min(MOST_VALUES, left)]
        left -= len(names)
        kept = [np.isin(columns.votes.pair, held[name]) for name in names]
        if names:
            sliced.append({"aspect": aspect, "slices": _slice(columns, names, kept)})
    return sliced


def slice_by_week(columns: VoteColumns, joined: Mapping[int, datetime]) -> list[dict[str, Any]]:
    """By the week in UTC in which votes were given, named by its Monday, the newest first.

    ``joined``: when each contender came on the board. Weeks that were over by then say nothing of it, though
    there may be votes on what others had found before it.
    """
    weeks = np.floor((columns.cast_at - FIRST_MONDAY) / WEEK).astype(np.int64)
    shown = np.unique(weeks)[::-1][:MOST_WEEKS]
    names = [f"{datetime.fromtimestamp(FIRST_MONDAY + one * WEEK, UTC):%Y-%m-%d}" for one in shown.tolist()]
    since = np.array([joined[pk].timestamp() for pk in columns.contenders.tolist()])
    there = since[:, None] < FIRST_MONDAY + (shown + 1) * WEEK
    return _slice(columns, names, [weeks == one for one in shown.tolist()], there)


def _slice(
    columns: VoteColumns, names: Sequence[str], kept: Sequence[Flags], there: Flags | None = None
) -> list[dict[str, Any]]:
    """Each slice's votes, (n,) bool, as standings drawn towards each contender's own approval.

    ``there`` (contenders, slices), where given: whether the slice says anything of the contender.
    """
    totals, own = count_standings(columns.votes), stand_by_slice(columns.votes, kept)
    if there is not None:
        own = [
            [one if is_there else None for one, is_there in zip(ones, row, strict=True)]
            for ones, row in zip(own, there.tolist(), strict=True)
        ]
    pooled = [pool_slices(total, slices) for total, slices in zip(totals, own, strict=True)]
    return [
        {
            "category": name,
            "rows": [
                _tell(pk, own[place][at], pooled[place][at])
                for place, pk in enumerate(columns.contenders.tolist())
            ],
        }
        for at, name in enumerate(names)
    ]


def _tell(contender: int, own: Standing | None, pooled: SliceStanding) -> dict[str, Any]:
    shown = pooled.pooled
    return {
        "contender": contender,
        "votes": own.answers if own else 0,
        "approval": shown.estimate if shown else None,
        "low": shown.low if shown else None,
        "high": shown.high if shown else None,
    }
