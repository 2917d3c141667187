"""What one line of the benchmark says, and how interleaved runs become one."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """One comparison. ``ours`` and ``best`` are rates (more is better) in ``unit``; ``ratio`` is what has to
    reach ``floor``; ``notes`` holds what else was measured: the alternatives, percentiles, sizes."""

    name: str
    ours: float
    best: float
    ratio: float
    floor: float
    unit: str
    notes: Mapping[str, Any] = field(default_factory=dict)


def take_turns(
    runs: Mapping[str, Callable[[], int]], *, repeats: int, warm_up: bool = True
) -> dict[str, list[float]]:
    """Rates per second of each run, one per round: the runs take turns, so that a busy moment hits them all.

    A run does its work once and returns how many units of it there were. Later rounds go through the runs in
    the opposite order, so that none profits from always following the same other one.
    """
    if warm_up:
        for run in runs.values():
            run()
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats):
        for name in list(runs) if turn % 2 == 0 else list(runs)[::-1]:
            gc.collect()
            begin = time.perf_counter()
            units = runs[name]()
            rates[name].append(units / (time.perf_counter() - begin))
    return rates


def compare(
    name: str,
    rates: Mapping[str, list[float]],
    *,
    floor: float,
    unit: str,
    notes: Mapping[str, Any] | None = None,
) -> Row:
    """The row of medians: ``rates["ours"]`` against the best of the others."""
    medians = {one: statistics.median(values) for one, values in rates.items()}
    best = max((one for one in medians if one != "ours"), key=lambda one: medians[one])
    told = {"against": best, "medians": medians, **(notes or {})}
    return Row(name, medians["ours"], medians[best], medians["ours"] / medians[best], floor, unit, told)
