"""How many votes does it take until the best of twelve contenders is declared?

Two searches of the same world, with the same people, the same sequences (`comparisons`) and the same rule.

"allocated": pairs are dealt as in the game (`allocation`), with what is known after every 50 votes; a vote
counts for every contender that found the pair.

"uniform": one of all (contender, question), each as likely; the vote counts for that contender alone, as
where each contender is tried by itself and approvals are then compared. Its votes make the same terms,
weighted by propensity and with the player's own share of dopes taken out, so that it loses by nothing else.

Both have a player give 25 votes, none twice to the same. The false winner is looked for where one is most
likely: two contenders share the lead with exactly equal approvals, and whoever is declared is false.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.stats.allocation import Pool, draw_pairs
from evaluation.stats.comparisons import Answers, Contest, Ledger
from evaluation.stats.simulated.crowd import World, draw_world
from evaluation.stats.simulated.study import Outcome, Study, error_of, mean_of

CONTENDERS, QUESTIONS, OVERLAP = 12, 400, 0.6
PLAYER_SD, QUESTION_SD, LEVEL = 1.0, 0.5, 0.0
# Logits by which what the best alone found is better: six in a hundred of all its questions.
LIFT = 1.5
EACH = 25  # votes of a player
LOOK, UNIFORM_LOOK = 50, 200  # votes between looks; uniform dealing needs so many that these matter less
MOST, UNIFORM_MOST, TIED_MOST = 20_000, 150_000, 5_000  # votes after which a search is given up
UNIFORM_PLANNED = 40_000
NOTHING = np.array([], dtype=np.int64)
Ask = Callable[[int], Answers]


@dataclass(frozen=True)
class Search:
    """How a search ended: votes until then, and who was declared, None where it was given up."""

    votes: int
    winner: int | None


def repeat(rng: np.random.Generator) -> Outcome:
    """One world with a best contender, searched both ways; and one with two best."""
    world = _draw([LIFT, *[0.0] * (CONTENDERS - 1)], rng)
    allocated, uniform = search_allocated(world, rng, most=MOST), search_uniform(world, rng)
    tied = search_allocated(_draw([0.0, 0.0, *[-LIFT] * (CONTENDERS - 2)], rng), rng, most=TIED_MOST)
    approvals = world.approvals()
    return {
        "margin": approvals[0] - approvals[1:].max(),
        "allocated": allocated.votes,
        "uniform": uniform.votes,
        "decided": allocated.winner is not None,
        "uniform_decided": uniform.winner is not None,
        "wrong": allocated.winner not in (0, None),
        "uniform_wrong": uniform.winner not in (0, None),
        "tied": tied.winner is not None,
    }


def sum_up(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Means; a search that was given up counts with the votes it had by then.

    ``ratio_se`` of the ratio of two means by the delta method; ``false_winner`` is the larger of the two
    shares: another than the best declared, or anyone where two are best.
    """
    uniform, allocated = mean_of(outcomes, "uniform"), mean_of(outcomes, "allocated")
    ratio = allocated / uniform
    rests = [{"rest": (one["allocated"] - ratio * one["uniform"]) / uniform} for one in outcomes]
    false = max(("tied", "wrong"), key=lambda key: mean_of(outcomes, key))
    told = {
        "uniform": uniform,
        "uniform_se": error_of(outcomes, "uniform"),
        "allocated": allocated,
        "allocated_se": error_of(outcomes, "allocated"),
        "ratio": ratio,
        "ratio_se": error_of(rests, "rest"),
        "false_winner": mean_of(outcomes, false),
        "false_winner_se": error_of(outcomes, false),
        "margin": mean_of(outcomes, "margin"),
    }
    shares = ("decided", "uniform_decided", "wrong", "uniform_wrong")
    return {"votes_to_winner": told | {name: mean_of(outcomes, name) for name in shares}}


def search_allocated(world: World, rng: np.random.Generator, *, most: int) -> Search:
    """By the game's dealing, every player's draws from what is known when they come."""
    count = len(world.question)
    dopes, nopes = np.zeros(count, np.int64), np.zeros(count, np.int64)
    players = 0

    def ask(votes: int) -> Answers:
        nonlocal players
        pool = Pool(np.arange(count), world.question, dopes + nopes, dopes, nopes, world.found)
        coming = votes // EACH
        draws = [
            draw
            for _ in range(coming)
            for draw in draw_pairs(pool, seen=NOTHING, count=EACH, previous_question=None, rng=rng)
        ]
        pairs = np.array([draw.pair for draw in draws])
        who = np.repeat(np.arange(coming), EACH)
        said = world.answer(pairs, world.draw_people(coming, rng)[who], rng)
        np.add.at(dopes, pairs[said], 1)
        np.add.at(nopes, pairs[~said], 1)
        players += coming
        chances = np.array([draw.propensity for draw in draws])
        return Answers(players - coming + who, world.found[pairs], said, chances)

    return _search(ask, Ledger(contenders=world.found.shape[1], questions=world.questions), LOOK, most)


def search_uniform(world: World, rng: np.random.Generator, *, most: int = UNIFORM_MOST) -> Search:
    """By uniform dealing over (contender, question), each vote to the contender it was dealt for."""
    contenders = world.found.shape[1]
    pair_of = _find_pairs(world)
    players = 0

    def ask(votes: int) -> Answers:
        nonlocal players
        coming = votes // EACH
        cells = np.concatenate([rng.choice(pair_of.size, EACH, replace=False) for _ in range(coming)])
        who = np.repeat(np.arange(coming), EACH)
        said = world.answer(pair_of.ravel()[cells], world.draw_people(coming, rng)[who], rng)
        players += coming
        chances = np.tile(1 / (pair_of.size - np.arange(EACH)), coming)
        alone = np.eye(contenders, dtype=bool)[cells // world.questions]
        return Answers(players - coming + who, alone, said, chances)

    ledger = Ledger(contenders=contenders, questions=world.questions, planned=UNIFORM_PLANNED)
    return _search(ask, ledger, UNIFORM_LOOK, most)


def _search(ask: Ask, ledger: Ledger, look: int, most: int) -> Search:
    contest = Contest(ledger.contenders)
    while ledger.votes < most:
        ledger.add(ask(look))
        winner = contest.declare_winner(ledger)
        if winner is not None:
            return Search(ledger.votes, winner)
    return Search(ledger.votes, None)


def _find_pairs(world: World) -> NDArray[np.int64]:
    """(contenders, questions): the pair that each found for each."""
    pair_of = np.zeros((world.found.shape[1], world.questions), np.int64)
    pairs, contenders = np.nonzero(world.found)
    pair_of[contenders, world.question[pairs]] = pairs
    return pair_of


def _draw(effects: Sequence[float], rng: np.random.Generator) -> World:
    return draw_world(
        rng,
        effects=effects,
        questions=QUESTIONS,
        overlap=OVERLAP,
        question_sd=QUESTION_SD,
        player_sd=PLAYER_SD,
        level=LEVEL,
    )


WINNER = Study("votes_to_winner", repeat, sum_up)
