"""Do votes make an encoder that other people prefer, and is a challenger ever promoted for nothing?

People look at six aspects of things, as the parent encoder does, but weigh them differently. They vote on
what the parent and others found for trainable items; the votes become triplets as the queue makes them, and
the production code teaches the parent's masks. New people then judge blind, on items nobody learned from:
first what the parent found alone, and once the challenger has entered what either did, dealt as in the game.
The promotion rule is asked after every 500 votes from then on. Everybody has a leniency and a taste of their
own around the crowd's. Where the crowd's taste is the parent's, nothing is to be won.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.stats.lessons import Ballots, draw_lessons
from evaluation.stats.promotion import Gold, Ruling, rule, share_level
from evaluation.stats.simulated.study import Outcome, Study, error_of, mean_of
from evaluation.stats.simulated.tastes import (
    DIMENSIONS,
    EACH,
    QUESTIONS,
    Crowd,
    Poll,
    Things,
    draw_things,
    find,
)
from evaluation.stats.votes import Places
from search.engine.training.retrained_vectors import retrain_vectors
from search.engine.training.retraining import Lessons, measure_distances
from search.engine.training.settings import MASKS, RetrainSettings

CODE = ("search.engine.training.retrained_vectors",)
TASTE = np.array([2.5, 1.6, 1.0, 0.7, 0.4, 0.25])  # what people weigh aspects with; the parent: all alike
LESSONS, LOOK = 5000, 500
BEFORE, JUDGED = 5000, 4000  # votes before the challenger enters, and from then on
GOLD = 200
# Contenders besides the parent, how they blur vectors, and lean (log weights).
OTHERS, BLUR, LEAN = 6, 0.3, 0.5
MILDER = np.sqrt(TASTE)


@dataclass(frozen=True)
class Looks:
    """What the rule says at each look, by votes dealt since both stand, as for a real challenger.

    ``old``: by those on what the parent found before as well, which the rule has to bear.
    """

    fair: Sequence[Ruling]
    old: Sequence[Ruling]


def teach(things: Things, crowd: Crowd, rng: np.random.Generator) -> NDArray[np.float32]:
    """What the parent's vectors become once 5,000 votes on what it and others found have been learned."""
    asked = rng.choice(things.trainable, QUESTIONS, replace=False)
    finders = [things.vectors, *_draw_others(things.vectors, rng)]
    found = [find(vectors, asked, things.trainable) for vectors in finders]
    found.append(rng.choice(things.trainable, QUESTIONS))  # the control
    pairs = np.unique(np.stack([np.tile(asked, len(found)), np.concatenate(found)], axis=1), axis=0)
    players = LESSONS // EACH
    shown = deal(len(pairs), players, rng)
    said = crowd.look_at(pairs, rng).answer(shown, rng)
    who = np.repeat(np.arange(players), EACH)
    question, candidate = pairs[shown.ravel()].T
    ballots = Ballots(who, question, candidate, said.ravel(), np.arange(shown.size))
    seed = int(rng.integers(2**31))
    triplets = draw_lessons(ballots, seed=seed).triplets
    lessons = Lessons(triplets, np.ones(len(triplets), np.float32))
    return retrain_vectors(things.vectors, lessons, RetrainSettings.learning(MASKS, {"seed": str(seed)}))[0]


def judge(
    parent: NDArray[np.float32], challenger: NDArray[np.float32], crowd: Crowd, rng: np.random.Generator
) -> Looks:
    """What the promotion rule says of the parent's first challenger after every `LOOK` votes."""
    asked = rng.choice(crowd.things.kept_away, QUESTIONS, replace=False)
    every = np.arange(len(parent))
    found = np.stack([find(vectors, asked, every) for vectors in (parent, challenger)], axis=1)
    same = found[:, 0] == found[:, 1]
    question = np.concatenate([np.arange(QUESTIONS), np.flatnonzero(~same)])
    by = np.concatenate(
        [np.stack([np.ones(QUESTIONS, bool), same], axis=1), np.tile([False, True], ((~same).sum(), 1))]
    )
    items = np.concatenate([found[:, 0], found[~same, 1]])
    poll = Poll(crowd.look_at(np.stack([asked[question], items], axis=1), rng), question, by)
    poll.ask(BEFORE, rng, contenders=1)
    poll.ask(JUDGED, rng, contenders=2)
    votes, gold = poll.count(), ask_gold(parent, challenger, rng)
    looks = range(BEFORE + LOOK, BEFORE + JUDGED + 1, LOOK)
    order = np.arange(len(votes))
    fair, old = (
        [
            rule(
                votes.only((first <= order) & (order < look)),
                parent=0,
                challenger=1,
                gold=gold,
                level=share_level(1),
            )
            for look in looks
        ]
        for first in (BEFORE, 0)
    )
    return Looks(fair, old)


def ask_gold(parent: NDArray[np.float32], challenger: NDArray[np.float32], rng: np.random.Generator) -> Gold:
    """Questions about things and all but copies of them, beside others drawn by lot: nobody may err there.

    A copy's vector is what a thing's becomes when a tenth of another's is mixed in, in either encoder.
    """
    thing, other, mixed = (rng.choice(len(parent), GOLD) for _ in range(3))
    answers = []
    for vectors in (parent, challenger):
        copies = 0.9 * vectors[thing] + 0.1 * vectors[mixed]
        places = np.stack([np.arange(GOLD), GOLD + np.arange(GOLD), 2 * GOLD + np.arange(GOLD)], axis=1)
        near, far = measure_distances(np.concatenate([vectors[thing], copies, vectors[other]]), places)
        answers.append(near <= far)
    return Gold(*answers)


def deal(pairs: int, players: int, rng: np.random.Generator) -> Places:
    """(players, votes): which pairs each is shown, any as likely, none twice."""
    return np.asarray(rng.random((players, pairs)).argsort(axis=1)[:, :EACH])


def _draw_others(vectors: NDArray[np.float32], rng: np.random.Generator) -> list[NDArray[np.float32]]:
    """Other contenders: they see things less sharply than the parent and lean to aspects of their own."""
    leans = np.exp(rng.normal(0, LEAN, (OTHERS, len(TASTE))))
    return [
        ((vectors + rng.normal(0, BLUR, vectors.shape)) * lean.repeat(DIMENSIONS)).astype(np.float32)
        for lean in leans
    ]


def repeat(rng: np.random.Generator) -> Outcome:
    """One loop with a crowd of another taste than the parent's."""
    things = draw_things(rng)
    crowd = Crowd(TASTE, things)
    last = judge(things.vectors, teach(things, crowd, rng), crowd, rng).fair[-1]
    parent, challenger = (float(np.nan_to_num(one)) for one in (last.parent, last.challenger))
    return {
        "parent": parent,
        "challenger": challenger,
        "low": max(0.0, parent + last.low),
        "promoted": last.promoted,
    }


def repeat_equal(rng: np.random.Generator) -> Outcome:
    """One loop with a crowd of the parent's taste: whether a challenger is promoted at any look.

    ``equal``: whether one is that finds other things and is as good, both seeing things with as much noise;
    ``old``: whether it were, if older votes counted. ``taught``: whether one is that was taught, and
    ``unchanged`` whether that is its parent, number by number: such a one cannot win.
    """
    things = draw_things(rng)
    crowd = Crowd(np.ones_like(TASTE), things)
    vectors = teach(things, crowd, rng)
    taught = judge(things.vectors, vectors, crowd, rng)
    blurred = [things.vectors + rng.normal(0, BLUR, things.vectors.shape) for _ in range(2)]
    parent, challenger = (vectors.astype(np.float32) for vectors in blurred)
    equal = judge(parent, challenger, crowd, rng)
    rulings = {"equal": equal.fair, "old": equal.old, "taught": taught.fair}
    told = {name: any(ruling.promoted for ruling in looks) for name, looks in rulings.items()}
    return told | {"unchanged": np.array_equal(vectors, things.vectors)}


def repeat_milder(rng: np.random.Generator) -> Outcome:
    """One loop with a crowd of a milder taste; beside its challenger, one that simply knows the taste."""
    things = draw_things(rng)
    crowd = Crowd(MILDER, things)
    taught = teach(things, crowd, rng)
    knowing = (things.vectors * np.sqrt(MILDER).repeat(DIMENSIONS)).astype(np.float32)
    one, other = (judge(things.vectors, each, crowd, rng).fair[-1] for each in (taught, knowing))
    return {
        "gained": float(np.nan_to_num(one.challenger - one.parent)),
        "promoted": one.promoted,
        "knowing_gained": other.challenger - other.parent,
        "knowing_promoted": other.promoted,
    }


def sum_up(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """A row for each loop; ``low``: the parent's approval plus the least that the challenger has more.

    Approvals are those on the questions for which the two found different things, as in the rule.
    """
    return {"loop": [{"seed": seed, **outcome} for seed, outcome in enumerate(outcomes)]}


def sum_up_equal(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """``false_promotion`` is that of an equal challenger, which is the one that could win."""
    figures = {
        "false_promotion": "equal",
        "false_promotion_old": "old",
        "false_promotion_taught": "taught",
        "taught_unchanged": "unchanged",
    }
    told = {name: mean_of(outcomes, key) for name, key in figures.items()}
    return told | {f"{name}_se": error_of(outcomes, key) for name, key in figures.items()}


def sum_up_milder(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """``gained``: the challenger's approval less its parent's; ``knowing``: of one that knows the taste."""
    told = {name: mean_of(outcomes, name) for name in outcomes[0]}
    return {"loop_milder": told | {f"{name}_se": error_of(outcomes, name) for name in outcomes[0]}}


LOOP = Study("loop", repeat, sum_up, effort=1 / 30, code=CODE)
LOOP_MILDER = Study("loop_milder", repeat_milder, sum_up_milder, effort=1 / 15, code=CODE)
LOOP_EQUAL = Study("false_promotion", repeat_equal, sum_up_equal, effort=0.7, code=CODE)
