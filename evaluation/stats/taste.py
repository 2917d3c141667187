"""A private encoder against the public one, by the answers of the one person whom it is for.

At each place it is a fair coin, thrown before anything is shown, which of the two found what is shown. So an
answer y, 1 for dope, 0 for nope and 1/2 for a skip, gives z = 2 A (y - 1/2), A being 1 for the private one
and -1 for the public one, whose mean is what the private one is liked more, whatever the question, and
whatever came before. It lies between -1 and 1, so Robbins' normal mixture bounds its mean at all looks
together, exactly and for any number of answers (Robbins 1970; for bounded variables Howard, Ramdas, McAuliffe
& Sekhon 2021, *Time-uniform, nonparametric, nonasymptotic confidence sequences*).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

from evaluation.stats.intervals import Difference
from evaluation.stats.sequences import mixture_quantile

FEWEST = 20  # answers, before anything is said
PLANNED = 80  # the bounds are tightest at about so many


@dataclass(frozen=True)
class Heard:
    """What was said of what one of the two found."""

    dopes: int = 0
    nopes: int = 0
    skips: int = 0

    @property
    def shown(self) -> int:
        return self.dopes + self.nopes + self.skips

    @property
    def approval(self) -> float | None:
        """Dopes among the answers that are no skips."""
        said = self.dopes + self.nopes
        return self.dopes / said if said else None


@dataclass(frozen=True)
class Comparison:
    """``lead``: how much more the private one is liked, as shares, with a skip for half a dope.

    None before `FEWEST` answers, of which ``missing`` are still to come.
    """

    private: Heard
    public: Heard
    lead: Difference | None
    missing: int

    @property
    def verdict(self) -> Literal["early", "private", "public", "open"]:
        """Which one is proven to be liked more, if any."""
        if self.lead is None:
            return "early"
        return "private" if self.lead.low > 0 else "public" if self.lead.high < 0 else "open"


def compare_taste(private: Heard, public: Heard, *, level: float = 0.95) -> Comparison:
    """Right at all looks together with probability ``level``."""
    answers = private.shown + public.shown
    if answers < FEWEST:
        return Comparison(private, public, None, FEWEST - answers)
    lead = (private.dopes - private.nopes - public.dopes + public.nopes) / answers
    reach = mixture_quantile(answers, level=level, tightest=PLANNED) / sqrt(answers)
    return Comparison(private, public, Difference(lead, max(-1.0, lead - reach), min(1.0, lead + reach)), 0)
