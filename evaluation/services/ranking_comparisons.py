"""The comparisons of a ranking: of every two contenders, by votes dealt since both are on the board."""

from __future__ import annotations

from itertools import combinations
from math import isfinite
from typing import Any

import numpy as np

from evaluation.selectors.dealt_answers import DealtAnswers
from evaluation.stats.comparisons import Ledger

# To either side: two bounds that hold together with 95 %, at all looks.
ALPHA = 0.025
AT_ONCE = 5000  # a row for each two contenders and each answer is made meanwhile


def compare_contenders(dealt: DealtAnswers) -> list[dict[str, Any]]:
    """Every two: ``one`` minus ``other``, weighted by propensity, None where too few players tell them apart.

    ``votes`` are the answers it rests on, ``needed`` how many more may settle it, None where nothing tells.
    """
    compared: list[dict[str, Any]] = []
    for start in np.unique(dealt.starts).tolist():
        ledger = _fill(dealt, start)
        for one, other in combinations(range(len(dealt.contenders)), 2):
            if max(dealt.starts[one], dealt.starts[other]) == start:
                compared.append(_compare(dealt, ledger, one, other))
    return compared


def _fill(dealt: DealtAnswers, start: int) -> Ledger:
    ledger = Ledger(contenders=len(dealt.contenders), questions=max(1, dealt.questions))
    for first in range(start, len(dealt.answers), AT_ONCE):
        ledger.add(dealt.answers.between(first, first + AT_ONCE))
    return ledger


def _compare(dealt: DealtAnswers, ledger: Ledger, one: int, other: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "one": int(dealt.contenders[one]),
        "other": int(dealt.contenders[other]),
        "votes": ledger.votes,
        **dict.fromkeys(("difference", "low", "high", "needed")),
    }
    if not ledger.votes:
        return row
    forth, back = ledger.compare(one), ledger.compare(other)
    if forth.known[other]:
        needed = float(forth.needed(ALPHA)[other])
        row |= {
            "difference": float(forth.estimates[other]),
            "low": max(-1.0, float(forth.lows(ALPHA)[other])),
            "high": min(1.0, -float(back.lows(ALPHA)[one])),
            "needed": round(needed) if isfinite(needed) else None,
        }
    return row
