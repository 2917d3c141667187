"""Whether contenders are dealt alike: which image stands first, where in the round, what is left unanswered.

Pairs are drawn by what a comparison needs, so contenders get different numbers of deals, on purpose. Sides
are tossed, and places and people do not know who found a pair: there, a difference means something is off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, chi2_contingency

Places = NDArray[np.int64]
LEVEL = 0.01  # all tests of one look together: a false alarm in a hundred nights
FEWEST_EXPECTED = 5  # in each cell, for a chi-square test (Cochran 1954)

FEWEST_PAIRS = 400  # twenty rounds of twenty


class Balance(StrEnum):
    """What is tested."""

    SIDE = "side"
    PLACE = "place"
    UNANSWERED = "unanswered"


@dataclass(frozen=True)
class Exposure:
    """Deals by what they were of, (k,) each; ``bands`` (k, b) counts them by part of the round, in order.

    ``expired`` of the ``settled``: those that are not waiting any more.
    """

    issued: Places
    candidate_first: Places
    bands: Places
    settled: Places
    expired: Places


@dataclass(frozen=True)
class BalanceTest:
    """``share`` of a contender's deals beside ``expected``; ``p`` is of this test alone, None: too few deals.

    Shares are of candidate first, of the first part of the round, and of deals left unanswered.
    """

    contender: int
    balance: Balance
    share: float
    expected: float
    p: float | None

    def is_off(self, tests: int) -> bool:
        """Among so many tests, whichever depend on each other (Bonferroni)."""
        return self.p is not None and self.p * tests < LEVEL


def check_balance(own: Exposure, everything: Exposure, *, pool: int) -> list[BalanceTest]:
    """Three tests of each contender that was dealt, ``own`` (k,), against ``everything`` (1,).

    Sides by the exact binomial test of a fair coin. Places and unanswered deals by the chi-square test of a
    contender's deals against all others, since which pair stands where is drawn without knowing what becomes
    of it. People who leave in mid-round do so with several deals at once; that changes which deals expire,
    not whose. Not where the ``pool`` is small: what the dealing favours is then used up first, and so stands
    early in the round by itself.
    """
    large = pool >= FEWEST_PAIRS
    tests: list[BalanceTest] = []
    for one in np.flatnonzero(own.issued).tolist():
        issued, first = int(own.issued[one]), int(own.candidate_first[one])
        tests.append(
            BalanceTest(one, Balance.SIDE, first / issued, 0.5, float(binomtest(first, issued).pvalue))
        )
        if not large:
            continue
        tests.append(_compare(one, Balance.PLACE, own.bands[one], everything.bands[0]))
        settled = [_split(part.expired[at], part.settled[at]) for part, at in ((own, one), (everything, 0))]
        tests.append(_compare(one, Balance.UNANSWERED, *settled))
    return tests


def list_off(tests: Sequence[BalanceTest]) -> list[BalanceTest]:
    """The tests that fail among all that could be made."""
    made = sum(test.p is not None for test in tests)
    return [test for test in tests if test.is_off(made)]


def _split(part: np.int64, whole: np.int64) -> Places:
    return np.array([part, whole - part])


def _compare(contender: int, balance: Balance, mine: Places, everything: Places) -> BalanceTest:
    """By the first cell: its share among the contender's deals and among all others."""
    table = np.stack([mine, everything - mine])
    share, beside = (row[0] / row.sum() if row.sum() else float("nan") for row in table)
    table = table[:, table.sum(axis=0) > 0]
    p = None
    if table.shape[1] > 1 and table.sum(axis=1).all():
        found = chi2_contingency(table, correction=False)
        p = float(found.pvalue) if found.expected_freq.min() >= FEWEST_EXPECTED else None
    return BalanceTest(contender, balance, float(share), float(beside), p)
