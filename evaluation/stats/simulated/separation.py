"""How often are equal contenders told apart, and how much do rank ranges leave open where they differ?

Twelve contenders that found the same for 60 % of the questions, 60 to 200 players of 25 votes who differ by
one logit. Beside ours: ranges from counts alone, which the live board shows, and what somebody concludes who
calls contenders different where their 95 % intervals do not overlap, allowing for clusters or not, or where a
difference is beyond its own 95 %, however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from scipy.special import stdtrit

from evaluation.stats.covariances import Approvals, estimate_approvals
from evaluation.stats.intervals import Standing, wilson
from evaluation.stats.ranks import RankRange, rank_ranges, rank_ranges_by_counts
from evaluation.stats.simulated.crowd import draw_world
from evaluation.stats.simulated.study import Outcome, Study, error_of, mean_of
from evaluation.stats.votes import Floats, Votes, count_standings

CONTENDERS, OVERLAP, QUESTIONS = 12, 0.6, 300
FEWEST_PLAYERS, MOST_PLAYERS, VOTES = 60, 200, 25
PLAYER_SD, QUESTION_SD = 1.0, 1.0
SPREAD = 1.0  # logits from the middle to the best and to the worst, of what each contender alone found
OPEN = RankRange(1, CONTENDERS)
METHODS = ("counts", "intervals", "naive_intervals", "each_by_itself")


def repeat(rng: np.random.Generator) -> Outcome:
    """One board of equals and one of contenders that differ."""
    alike, _ = _vote([0.0] * CONTENDERS, rng)
    differing, truth = _vote(list(np.linspace(SPREAD, -SPREAD, CONTENDERS)), rng)
    approvals, standings = estimate_approvals(alike), [one for one in count_standings(alike) if one]
    ours, counts = rank_ranges(approvals), rank_ranges_by_counts(standings)
    sharp, blunt = (
        rank_ranges(estimate_approvals(differing)),
        rank_ranges_by_counts(count_standings(differing)),
    )
    return {
        "ranges": any(one != OPEN for one in ours),
        "counts": any(one != OPEN for one in counts),
        "intervals": _lie_apart(standings, naive=False),
        "naive_intervals": _lie_apart(standings, naive=True),
        "each_by_itself": _differ(approvals),
        "joint_width": _width(sharp),
        "counts_width": _width(blunt),
        "held": _hold(sharp, truth),
    }


def sum_up(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    apart: dict[str, float] = {}
    for method in METHODS:
        apart |= {method: mean_of(outcomes, method), f"{method}_se": error_of(outcomes, method)}
    widths: dict[str, float] = {}
    for key, name in (("joint_width", "joint"), ("counts_width", "counts"), ("held", "held")):
        widths |= {name: mean_of(outcomes, key), f"{name}_se": error_of(outcomes, key)}
    return {
        "false_separation": mean_of(outcomes, "ranges"),
        "false_separation_se": error_of(outcomes, "ranges"),
        "false_separation_by": apart,
        "rank_places_open": widths,
    }


def _vote(effects: list[float], rng: np.random.Generator) -> tuple[Votes, Floats]:
    """Votes on pairs drawn evenly, nobody judging one twice, and the true approvals."""
    world = draw_world(
        rng,
        effects=effects,
        questions=QUESTIONS,
        overlap=OVERLAP,
        question_sd=QUESTION_SD,
        player_sd=PLAYER_SD,
    )
    players = int(rng.integers(FEWEST_PLAYERS, MOST_PLAYERS + 1))
    pair = rng.random((players, len(world.logit))).argsort(axis=1)[:, :VOTES]
    dope = world.answer(pair, world.draw_people(players, rng)[:, None], rng)
    player = np.repeat(np.arange(players), VOTES)
    return Votes(player, pair.ravel(), dope.ravel(), world.question, world.found), world.approvals()


def _lie_apart(standings: Sequence[Standing], *, naive: bool) -> bool:
    bounds = [wilson(one.yes, one.answers) if naive else one.interval() for one in standings]
    return any(not one.overlaps(other) for one, other in combinations(bounds, 2))


def _differ(approvals: Approvals) -> bool:
    """Whether any difference is beyond its own 95 %."""
    size = np.abs(approvals.estimates[:, None] - approvals.estimates[None, :])
    return bool((size > approvals.errors() * stdtrit(approvals.freedom, 0.975)).any())


def _width(ranges: Sequence[RankRange]) -> float:
    return float(np.mean([1 + one.worst - one.best for one in ranges]))


def _hold(ranges: Sequence[RankRange], truth: Floats) -> bool:
    """Whether every range holds the contender's true place; equals may hold any of theirs."""
    first = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
    last = (truth[None, :] >= truth[:, None]).sum(axis=1)
    return all(
        one.best <= high and low <= one.worst for one, low, high in zip(ranges, first, last, strict=True)
    )


SEPARATION = Study("separation", repeat, sum_up, effort=2)
