"""Is the interval of a board that is watched while votes arrive ever wrong, at any of hundreds of looks?

5,000 votes, a look after every 20. Three crowds: people who come one after the other, give 25 votes each and
differ by one logit; a few who stay from the first vote to the last; and, for comparison with what is known of
sequences, votes that are independent. Beside the sequence: Wilson's interval, for independent votes and as it
is widened for votes that are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from evaluation.stats.intervals import Clustering, Interval, stand, wilson
from evaluation.stats.sequences import watched_interval
from evaluation.stats.simulated.coverage import moments_of, spread_evenly
from evaluation.stats.simulated.crowd import marginal
from evaluation.stats.simulated.study import Outcome, Study, error_of, mean_of

VOTES, EVERY = 5000, 20
EACH, AT_ONCE = 25, 8  # votes of somebody who comes and goes; how many of them are there at a time
STAYING = 60
PAIRS, PAIR_SD, PLAYER_SD, LEVEL = 400, 0.5, 1.0, 0.4

Places = NDArray[np.int64]


def repeat(rng: np.random.Generator) -> Outcome:
    """One board of each crowd: whether each interval was wrong at some look."""
    pairs = rng.integers(PAIRS, size=VOTES)
    outcome: dict[str, float] = {}
    for crowd, people in (("", draw_visitors(rng)), ("staying_", rng.integers(STAYING, size=VOTES))):
        leniency = rng.normal(0, PLAYER_SD, int(people.max()) + 1)
        good = rng.normal(LEVEL, PAIR_SD, PAIRS)
        said = rng.random(VOTES) < expit(leniency[people] + good[pairs])
        truth = float(marginal(np.array(LEVEL), float(np.hypot(PLAYER_SD, PAIR_SD))))
        outcome |= {f"{crowd}{name}": wrong for name, wrong in watch(said, people, pairs, truth).items()}
    alone = np.arange(VOTES)
    truth = float(expit(LEVEL))
    wrong = watch(rng.random(VOTES) < truth, alone, alone, truth)
    return outcome | {f"independent_{name}": value for name, value in wrong.items()}


def watch(said: NDArray[np.bool_], people: Places, pairs: Places, truth: float) -> dict[str, bool]:
    """Whether each interval missed the truth at some look; all arrays (votes,), in order of time."""
    wrong = dict.fromkeys(("sequence", "widened", "naive"), False)
    for seen in range(EVERY, len(said) + 1, EVERY):
        yes = int(said[:seen].sum())
        evenness = spread_evenly(said[:seen], pairs[:seen])
        standing = stand(yes, seen, _cluster(said[:seen], people[:seen], pairs[:seen]), evenness)
        intervals = (watched_interval(standing), standing.interval(), wilson(yes, seen))
        for name, interval in zip(wrong, intervals, strict=True):
            wrong[name] = wrong[name] or not _holds(interval, truth)
    return wrong


def draw_visitors(rng: np.random.Generator) -> Places:
    """(votes,): who gives each vote, where a few are there at a time and the next comes when one has gone."""
    there, given, coming = list(range(AT_ONCE)), [0] * AT_ONCE, AT_ONCE
    people = np.empty(VOTES, np.int64)
    for vote, place in enumerate(rng.integers(AT_ONCE, size=VOTES).tolist()):
        people[vote] = there[place]
        given[place] += 1
        if given[place] == EACH:
            there[place], given[place], coming = coming, 0, coming + 1
    return people


def sum_up(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """``sequence`` is the share of boards never wrong; ``watched`` has shares that are wrong at some look."""
    names = [name for name in outcomes[0] if name != "sequence"]
    wrong = {name: mean_of(outcomes, name) for name in names}
    errors = {f"{name}_se": error_of(outcomes, name) for name in names}
    return {
        "coverage": {
            "sequence": 1 - mean_of(outcomes, "sequence"),
            "sequence_se": error_of(outcomes, "sequence"),
        },
        "watched": wrong | errors,
    }


def _cluster(said: NDArray[np.bool_], people: Places, pairs: Places) -> Clustering:
    ways = []
    for cluster in (people, pairs):
        answers = np.bincount(cluster)
        ways.append(moments_of(np.bincount(cluster[said], minlength=len(answers)), answers))
    return Clustering(*ways)


def _holds(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


WATCHING = Study("sequence", repeat, sum_up, effort=5)
