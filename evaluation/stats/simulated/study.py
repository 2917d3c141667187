"""A study: one thing done again and again with simulated people, each time anew, then summed up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

Outcome = Mapping[str, float]  # what one repetition came to


@dataclass(frozen=True)
class Study:
    """``repeat`` is one repetition, by a generator of its own; ``sum_up`` turns outcomes into figures by key.

    ``effort`` is how many of its repetitions are done for each one asked for: cheap ones are done more often.
    ``code`` names modules outside the statistics that outcomes depend on as well, those that work with torch;
    ``missing`` says what has to be there for it and is not, and is blank where nothing is.
    """

    name: str
    repeat: Callable[[np.random.Generator], Outcome]
    sum_up: Callable[[Sequence[Outcome]], dict[str, Any]]
    effort: float = 1.0
    code: tuple[str, ...] = ()
    missing: Callable[[], str] = str

    def count(self, repetitions: int) -> int:
        """How many repetitions are done where so many are asked for."""
        return max(1, round(self.effort * repetitions))


def generator_of(study: Study, seed: int, repetition: int) -> np.random.Generator:
    """The generator of one repetition: the same whatever was done before it, and by how many processes."""
    return np.random.default_rng([seed, *study.name.encode(), repetition])


def mean_of(outcomes: Sequence[Outcome], key: str) -> float:
    return float(np.mean([one[key] for one in outcomes]))


def error_of(outcomes: Sequence[Outcome], key: str) -> float:
    """The standard error of `mean_of`; of a share that came out as 0 or 1, by the share (2 more, 1 of them).

    Agresti & Coull 1998: so a share that was never seen otherwise is not told without any error.
    """
    values = np.array([one[key] for one in outcomes], float)
    if set(np.unique(values)) <= {0.0, 1.0} and len(set(values)) == 1:
        share = (values.sum() + 1) / (len(values) + 2)
        return sqrt(share * (1 - share) / len(values))
    return float(values.std(ddof=1) / sqrt(len(values))) if len(values) > 1 else float("nan")
