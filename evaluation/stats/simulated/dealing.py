"""Does the board's approval hold although pairs are dealt by what is known?

20,000 votes by the game's dealing (`allocation`), twelve contenders, a look after every 500. Three worlds:
one contender is better by what it alone found; what contenders found alone is worse than what several found;
and a newcomer joins after half of the votes, whose own finds are worse than what it shares. Beside the
board's approval, in which every pair counts alike: the plain share of dopes, with the interval that goes with
it, and the share weighted by one over each deal's probability (Hajek 1971).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.stats.allocation import Draw, Pool, draw_pairs
from evaluation.stats.intervals import Clustering, Moments, Standing, find_likeness, stand
from evaluation.stats.sequences import watched_interval
from evaluation.stats.simulated.coverage import moments_of
from evaluation.stats.simulated.crowd import Floats, World, draw_world
from evaluation.stats.simulated.study import Outcome, Study, error_of, mean_of
from evaluation.stats.votes import sum_evenness

CONTENDERS, QUESTIONS, OVERLAP = 12, 400, 0.6
PLAYER_SD, QUESTION_SD = 1.0, 0.5
VOTES, LOOK, EACH = 20_000, 500, 25
JOINED = VOTES // 2
SETTLING = 1000  # votes after which a newcomer's own finds are mostly answered
NOTHING = np.array([], dtype=np.int64)
WORLDS = {
    "lead": [1.5, *[0.0] * (CONTENDERS - 1)],
    "alone": list(np.linspace(-2, -1, CONTENDERS)),
    "newcomer": [*[0.0] * (CONTENDERS - 1), -1.5],
}
ESTIMATES = ("even", "plain", "weighted")


@dataclass
class Board:
    """What was counted so far: of each pair (n,), and over players of each contender (c, 4)."""

    world: World
    dopes: NDArray[np.int64] = field(init=False)
    answers: NDArray[np.int64] = field(init=False)
    weighted: Floats = field(init=False)  # (n, 2): dopes and answers by one over their probability
    players: NDArray[np.int64] = field(init=False)  # as `Moments`

    def __post_init__(self) -> None:
        pairs, contenders = self.world.found.shape
        self.dopes, self.answers = np.zeros(pairs, np.int64), np.zeros(pairs, np.int64)
        self.weighted, self.players = np.zeros((pairs, 2)), np.zeros((contenders, 4), np.int64)

    def count(self, draws: Sequence[Draw], said: NDArray[np.bool_]) -> None:
        """What one player said, who does not come again."""
        pairs, chances = np.array([one.pair for one in draws]), np.array([one.propensity for one in draws])
        np.add.at(self.dopes, pairs, said)
        np.add.at(self.answers, pairs, 1)
        np.add.at(self.weighted, pairs, np.column_stack([said / chances, 1 / chances]))
        found = self.world.found[pairs].astype(np.int64)
        d, n = said.astype(np.int64) @ found, found.sum(axis=0)
        self.players += np.column_stack([n > 0, d * d, d * n, n * n])


def repeat(rng: np.random.Generator) -> Outcome:
    """One board of each world: errors at the end, and whether an interval was wrong at some look."""
    outcome: dict[str, float] = {}
    for name, effects in WORLDS.items():
        watched = CONTENDERS - 1 if name == "newcomer" else 0
        board = Board(_draw(effects, rng))
        truth = board.world.approvals()
        wrong = {"even": False, "plain": False}
        first = JOINED + SETTLING if name == "newcomer" else 0
        for votes in range(LOOK, VOTES + 1, LOOK):
            _vote(board, late=name == "newcomer" and votes <= JOINED, rng=rng)
            if votes >= first:
                for kind in wrong:
                    wrong[kind] = wrong[kind] or _misses(board, watched, float(truth[watched]), kind)
        for kind, estimates in _estimate(board).items():
            errors = estimates - truth
            outcome[f"{name} bias {kind}"] = errors[watched]
            outcome[f"{name} squared {kind}"] = float(np.mean(errors**2))
        outcome |= {f"{name} wrong {kind}": value for kind, value in wrong.items()}
    return outcome


def sum_up(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """By world: ``bias`` of the leader, or the newcomer; ``rms`` over all contenders; ``wrong`` at a look."""
    told: dict[str, Any] = {}
    for name in WORLDS:
        told[name] = {"bias": {}, "rms": {}, "wrong": {}}
        for kind in ESTIMATES:
            bias = f"{name} bias {kind}"
            told[name]["bias"] |= {kind: mean_of(outcomes, bias), f"{kind}_se": error_of(outcomes, bias)}
            told[name]["rms"][kind] = float(np.sqrt(mean_of(outcomes, f"{name} squared {kind}")))
        for kind in ("even", "plain"):
            wrong = f"{name} wrong {kind}"
            told[name]["wrong"] |= {kind: mean_of(outcomes, wrong), f"{kind}_se": error_of(outcomes, wrong)}
    return {"dealing": told}


def _draw(effects: Sequence[float], rng: np.random.Generator) -> World:
    return draw_world(
        rng,
        effects=effects,
        questions=QUESTIONS,
        overlap=OVERLAP,
        question_sd=QUESTION_SD,
        player_sd=PLAYER_SD,
    )


def _vote(board: Board, *, late: bool, rng: np.random.Generator) -> None:
    """As many votes as lie between two looks; ``late``: the last contender is not there yet."""
    world, there = board.world, CONTENDERS - late
    some = np.flatnonzero(world.found[:, :there].any(axis=1))
    found, question = world.found[some, :there], world.question[some]
    for number in range(LOOK // EACH):
        if number % 2 == 0:  # what is known is looked up after every fifty votes
            dopes, answers = board.dopes[some], board.answers[some]
            pool = Pool(some, question, answers, dopes, answers - dopes, found)
        draws = draw_pairs(pool, seen=NOTHING, count=EACH, previous_question=None, rng=rng)
        leniency = np.repeat(world.draw_people(1, rng), EACH)
        board.count(draws, world.answer(np.array([one.pair for one in draws]), leniency, rng))


def _misses(board: Board, contender: int, truth: float, kind: str) -> bool:
    mine = board.world.found[:, contender] & (board.answers > 0)
    d, n = board.dopes[mine], board.answers[mine]
    yes, answers = int(d.sum()), int(n.sum())
    clustering = Clustering(Moments(*board.players[contender].tolist()), moments_of(d, n))
    if kind == "even":
        standing = stand(yes, answers, clustering, sum_evenness(d, n))
    else:
        standing = _stand_plainly(yes, answers, clustering)
    interval = watched_interval(standing)
    return not interval.low <= truth <= interval.high


def _stand_plainly(yes: int, answers: int, clustering: Clustering) -> Standing:
    """Of the plain share, in which every answer counts alike."""
    alike = find_likeness(yes, answers, clustering)
    of_pairs = clustering.pairs.nn / answers
    effect = 1 + alike.players * (alike.each - 1) + alike.pairs * (of_pairs - 1)
    clusters = min(clustering.players.clusters, clustering.pairs.clusters)
    return Standing(yes, answers, max(1.0, effect), clusters)


def _estimate(board: Board) -> dict[str, Floats]:
    """(contenders,) each."""
    found = board.world.found.T.astype(float)
    own = np.divide(board.dopes, board.answers, out=np.zeros(len(board.dopes)), where=board.answers > 0)
    weighted = found @ board.weighted
    return {
        "even": found @ own / (found @ (board.answers > 0)),
        "plain": found @ board.dopes / (found @ board.answers),
        "weighted": weighted[:, 0] / weighted[:, 1],
    }


DEALING = Study("dealing", repeat, sum_up, effort=1 / 3)
