"""Do the mixed logistic model's intervals of contenders hold the truth, and how long does it take at night?

Players and pairs spread by one logit each, contenders by half of one; what several found has the mean of
their logits. Coverage is that of effects relative to the mean over the votes, all twelve of a board.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np
from scipy.special import expit, ndtri

from evaluation.stats.mixed_logit import fit_mixed_logit
from evaluation.stats.mixed_logit_approvals import standardise
from evaluation.stats.simulated.crowd import marginal
from evaluation.stats.simulated.study import Outcome, Study, error_of, mean_of
from evaluation.stats.votes import Floats, Votes

CONTENDERS, FINDERS = 12, 4  # of one pair, at most
PLAYER_SD, PAIR_SD, CONTENDER_SD, LEVEL = 1.0, 1.0, 0.5, 0.4
PLAYERS, PAIRS, EACH = 100, 1_500, 60
NIGHTLY_PLAYERS, NIGHTLY_PAIRS, NIGHTLY_EACH = 1_000, 20_000, 100
NAMES = [str(number) for number in range(1, CONTENDERS + 1)]


def repeat(rng: np.random.Generator) -> Outcome:
    """One board of 6,000 votes: the share of contenders whose interval held the truth."""
    votes, truth = draw_board(rng, PLAYERS, PAIRS, EACH)
    model = fit_mixed_logit(votes, NAMES)
    reach = float(ndtri(0.975)) * np.sqrt(np.diagonal(model.covariance))
    held = np.abs(model.effects - (truth - model.credit @ truth)) <= reach
    chances = marginal(_share(votes) @ truth, float(np.hypot(PLAYER_SD, PAIR_SD)))
    approvals = votes.found.T @ chances / votes.found.sum(axis=0)
    pairs = zip(standardise(model, votes.found), approvals, strict=True)
    return {
        "coverage": float(held.mean()),
        "approvals": float(np.mean([interval.low <= one <= interval.high for interval, one in pairs])),
        "player_sd": model.player_sd or 0.0,
        "pair_sd": model.pair_sd or 0.0,
    }


def sum_up(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    names = ("coverage", "approvals", "player_sd", "pair_sd")
    means = {name: mean_of(outcomes, name) for name in names}
    return {"mixed_logit": means | {f"{name}_se": error_of(outcomes, name) for name in names}}


def take_time(rng: np.random.Generator) -> Outcome:
    """One night: 100,000 votes by 1,000 players on 20,000 pairs."""
    votes, _ = draw_board(rng, NIGHTLY_PLAYERS, NIGHTLY_PAIRS, NIGHTLY_EACH)
    begun = perf_counter()
    fit_mixed_logit(votes, NAMES)
    return {"seconds": perf_counter() - begun}


def sum_up_time(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The shortest: what else the machine does can only add to it."""
    return {"mixed_logit": {"seconds": min(one["seconds"] for one in outcomes)}}


def draw_board(rng: np.random.Generator, players: int, pairs: int, each: int) -> tuple[Votes, Floats]:
    """Votes of players who judge so many pairs each, none twice, and the contenders' true logits."""
    found = rng.random((pairs, CONTENDERS)).argsort(axis=1) < rng.integers(1, FINDERS + 1, (pairs, 1))
    logits = rng.normal(LEVEL, CONTENDER_SD, CONTENDERS)
    good, lenient = rng.normal(0, PAIR_SD, pairs), rng.normal(0, PLAYER_SD, players)
    pair = np.concatenate([rng.choice(pairs, each, replace=False) for _ in range(players)])
    player = np.repeat(np.arange(players), each)
    votes = Votes(player, pair, np.zeros(len(pair), bool), np.arange(pairs), found)
    chances = expit((_share(votes) @ logits + good)[pair] + lenient[player])
    return Votes(player, pair, rng.random(len(pair)) < chances, votes.question, found), logits


def _share(votes: Votes) -> Floats:
    """(pairs, contenders): how each pair's votes are credited."""
    shares: Floats = votes.found / votes.found.sum(axis=1, keepdims=True)
    return shares


MIXED = Study("mixed_logit", repeat, sum_up)
MIXED_TIME = Study("mixed_logit_time", take_time, sum_up_time, effort=0.01)
