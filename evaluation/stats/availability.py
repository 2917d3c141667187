"""How often pairs could have been dealt, since those of a newcomer could be only lately.

A vote's inverse propensity makes up for how readily its pair was dealt at that moment, not for how many
moments there were: a pair that was there from the first has as many more votes as it was there longer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluation.stats.votes import Flags, Floats, Places


def count_chances(found: Flags, spans: Floats, dealt: Floats) -> Places:
    """(m,): at how many deals each pair could have been dealt, at least 1.

    ``found`` (m, c): who found each pair; ``spans`` (c, 2): since when and until when each contender's finds
    could be dealt, in seconds, infinity where they still can; ``dealt`` (n,): when deals were made.
    """
    times = np.sort(dealt)
    finders, place = np.unique(found, axis=0, return_inverse=True)
    counts = np.array([_count(times, spans[row]) for row in finders], np.int64)
    return np.asarray(np.maximum(counts, 1)[place.reshape(-1)])


def _count(times: Floats, spans: Floats) -> int:
    """How many of the sorted times lie within any of the spans (k, 2)."""
    return sum(
        int(np.searchsorted(times, until) - np.searchsorted(times, since)) for since, until in _merge(spans)
    )


def _merge(spans: Floats) -> Sequence[tuple[float, float]]:
    """The same spans without overlap, in order."""
    merged: list[tuple[float, float]] = []
    for since, until in sorted(map(tuple, spans.tolist())):
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(until, merged[-1][1]))
        else:
            merged.append((since, until))
    return merged
