"""How far can 500 hostile votes move a contender, and how far once players who fail the checks are left out?

The two strategies of Min et al. 2025 ("Improving Your Model Ranking on Chatbot Arena by Vote Rigging", ICML),
put to a board of dopes and nopes. Targeted: dopes on what the target found, everything else is skipped.
Omnipresent: besides, nopes on everything else, so that no vote is lost. The attackers know who found what,
which the game never tells. Either 20 players vote as often as anybody, or 50 say little each, so that there
is little to know them by.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from evaluation.stats.simulated.crowd import World, draw_world
from evaluation.stats.simulated.study import Outcome, Study, error_of, mean_of
from evaluation.stats.vetting import State
from evaluation.stats.vetting_crowd import check_agreement, check_favour, gather
from evaluation.stats.votes import Floats, Places, Votes

PEOPLE, CAP, HOSTILE = 200, 25, 500  # honest players, votes of each player at most, hostile votes
CONTENDERS, SPREAD, QUESTIONS, OVERLAP = 12, 1.0, 300, 0.6
SKIPS = 0.05  # of what is dealt to honest players
STRATEGIES = ("targeted", "omnipresent")
CREWS = (20, 50)  # hostile players
# Places won with all votes and with those of players who pass; approval won on the others' mean with all; the
# shares of hostile and of honest players who fail.
FIGURES = ("rank_shift", "vetted_shift", "approval_shift", "caught", "honest_excluded")

Dealt = tuple[Places, Places, Places]  # player, pair, and what was said: 1 dope, 0 nope, -1 skipped


def repeat(rng: np.random.Generator) -> Outcome:
    """One board: places won by the target, with all votes and without those of players who fail."""
    world = draw_world(
        rng,
        effects=list(np.linspace(SPREAD, -SPREAD, CONTENDERS)),
        questions=QUESTIONS,
        overlap=OVERLAP,
        question_sd=1.0,
        player_sd=1.0,
    )
    honest = _deal_honest(world, rng)
    before = _shares(_votes(world, honest))
    target = int(rng.choice(np.flatnonzero(_places(before) > 1)))
    outcome: dict[str, float] = {}
    for crew, strategy in product(CREWS, STRATEGIES):
        hostile = _deal_hostile(world, target, strategy == "omnipresent", HOSTILE // crew, rng)
        name = f"{strategy} {crew}"
        dealt: Dealt = tuple(np.concatenate(both) for both in zip(honest, hostile, strict=True))  # type: ignore[assignment]
        votes = _votes(world, dealt)
        failed = _vet(votes, dealt)
        start = _places(before)[target]
        vetted = votes.only(~failed[votes.player])
        outcome |= {
            f"{name} rank_shift": float(start - _places(_shares(votes))[target]),
            f"{name} vetted_shift": float(start - _places(_shares(vetted))[target]),
            f"{name} approval_shift": _lead(_shares(votes), target) - _lead(before, target),
            f"{name} caught": float(failed[PEOPLE:].mean()),
            f"{name} honest_excluded": float(failed[:PEOPLE].mean()),
        }
    return outcome


def sum_up(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {"rigging": [_row(outcomes, strategy, crew) for crew, strategy in product(CREWS, STRATEGIES)]}


def _row(outcomes: Sequence[Outcome], strategy: str, crew: int) -> dict[str, Any]:
    row: dict[str, Any] = {"strategy": strategy, "crew": f"{crew} players", "votes": HOSTILE}
    for figure in FIGURES:
        row[figure] = mean_of(outcomes, f"{strategy} {crew} {figure}")
        row[f"{figure}_se"] = error_of(outcomes, f"{strategy} {crew} {figure}")
    return row


def _deal_honest(world: World, rng: np.random.Generator) -> Dealt:
    pair = rng.random((PEOPLE, len(world.logit))).argsort(axis=1)[:, :CAP]
    said = world.answer(pair, world.draw_people(PEOPLE, rng)[:, None], rng).astype(np.int64)
    said[rng.random(said.shape) < SKIPS] = -1
    return np.repeat(np.arange(PEOPLE), CAP), pair.ravel(), said.ravel()


def _deal_hostile(world: World, target: int, omnipresent: bool, each: int, rng: np.random.Generator) -> Dealt:
    """Players of so many votes ``each``, dealt pairs as anybody is; who waits for some is dealt more."""
    columns = []
    for number in range(HOSTILE // each):
        pair = rng.permutation(len(world.logit))
        mine = world.found[pair, target]
        said = np.where(mine, 1, 0 if omnipresent else -1)
        length = int(np.flatnonzero(np.cumsum(said >= 0) == each)[0]) + 1
        columns.append((np.full(length, PEOPLE + number), pair[:length], said[:length]))
    player, pair, said = (np.concatenate(column) for column in zip(*columns, strict=True))
    return player, pair, said


def _votes(world: World, dealt: Dealt) -> Votes:
    player, pair, said = dealt
    told = said >= 0
    return Votes(player[told], pair[told], said[told] == 1, world.question, world.found)


def _shares(votes: Votes) -> Floats:
    mine = votes.found[votes.pair]
    shares: Floats = mine[votes.dope].sum(axis=0) / mine.sum(axis=0)
    return shares


def _lead(shares: Floats, target: int) -> float:
    return float(shares[target] - np.delete(shares, target).mean())


def _places(shares: Floats) -> Places:
    places: Places = 1 + (shares[None, :] > shares[:, None]).sum(axis=1)
    return places


def _vet(votes: Votes, dealt: Dealt) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(players,): who fails a check against the crowd."""
    crowd = gather(votes)
    player, pair, said = dealt
    failed = np.zeros(player.max() + 1, dtype=bool)
    for one in range(len(failed)):
        mine, told = player == one, said >= 0
        answers = pair[mine & told], said[mine & told] == 1
        findings = check_agreement(crowd, *answers), check_favour(crowd, *answers, pair[mine & ~told])
        failed[one] = any(finding.state is State.FAIL for finding in findings)
    return failed


RIGGING = Study("rigging", repeat, sum_up, effort=0.5)
