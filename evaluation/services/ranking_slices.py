"""The slices of a ranking: each contender by category of the question, and by what it is labelled with."""

from __future__ import annotations

from collections.abc import Sequence
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


def _slice(columns: VoteColumns, names: Sequence[str], kept: Sequence[Flags]) -> list[dict[str, Any]]:
    """Each slice's votes, (n,) bool, as standings drawn towards each contender's own approval."""
    totals, own = count_standings(columns.votes), stand_by_slice(columns.votes, kept)
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
