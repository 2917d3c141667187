"""Approvals in which every pair counts alike, from integer sums that change with each vote.

Which pair is dealt depends on what is known, so some pairs of a contender get many more votes than others,
and the plain share of dopes leans towards them. The mean of the pairs' own shares does not: it is the
approval standardised to the questions that were answered, each as often as any other (post-stratification:
Holt & Smith 1979, Journal of the Royal Statistical Society A 142:33).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# What sums of fractions are counted in: whole numbers, so that they can be recounted exactly, in any order.
# A hundred thousand pairs of 2^30 fit many times into 63 bits.
UNIT: Final = 2**30


@dataclass(frozen=True)
class Evenness:
    """Of the pairs with answers, d dopes among n: their number, the sums of d / n and of 1 / n in `UNIT`."""

    pairs: int
    shares: int
    inverses: int

    @property
    def share(self) -> float:
        """The mean of the pairs' shares. Raises ZeroDivisionError without pairs."""
        return self.shares / (UNIT * self.pairs)

    def excess(self, answers: int) -> float:
        """How much larger the variance is than with as many answers spread evenly over the pairs; at least 0.

        In variances of the latter, v / N where that of one answer is v: the mean of m pairs' shares has the
        variance v / m^2 times the sum of 1 / n (Kish 1965, of weights 1 / n).
        """
        return max(0.0, answers * self.inverses / (UNIT * self.pairs**2) - 1)


def evenness_step(before: tuple[int, int], added: tuple[int, int]) -> tuple[int, int, int]:
    """How the sums of `Evenness` change with (dopes, nopes) added to one pair's (dopes, nopes) before."""
    old, new = _terms(*before), _terms(before[0] + added[0], before[1] + added[1])
    return new[0] - old[0], new[1] - old[1], new[2] - old[2]


def _terms(dopes: int, nopes: int) -> tuple[int, int, int]:
    answers = dopes + nopes
    return (1, dopes * UNIT // answers, UNIT // answers) if answers else (0, 0, 0)
