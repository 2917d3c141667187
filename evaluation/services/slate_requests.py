"""Slates that are asked for elsewhere: written down, read again by a worker, and chosen there.

Choosing takes the same steps in the same code wherever it is done, so the slate is the same.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from evaluation.services.game_grounds import Choice, GroundLost, Recipe, Wanted, open_guide, prepare
from search.engine.errors import EngineError
from search.engine.navigation.history import History, Step
from search.engine.navigation.reckoning import IN_ORDER, Reckoner
from search.services.rankers import NoRanker

# A slate that is wanted, as JSON can hold it.
Words = dict[str, Any]

log = logging.getLogger(__name__)


def write_down(wanted: Wanted) -> Words:
    """Everything that `read_wanted` needs in another process."""
    recipe, history = wanted.guide.recipe, wanted.history
    return {
        "spaces": [list(space) for space in recipe.spaces],
        "policy": recipe.policy,
        "seed": recipe.seed,
        "ranker": recipe.ranker,
        "k": wanted.k,
        "start": history.start,
        "steps": [[list(step.slate), step.pick] for step in history.steps],
    }


def read_wanted(words: Words, reckoner: Reckoner = IN_ORDER) -> Wanted:
    """What `write_down` wrote. Raises GroundLost and NoRanker."""
    spaces = tuple((pk, sha256) for pk, sha256 in words["spaces"])
    recipe = Recipe(spaces, words["policy"], words["seed"], words["ranker"])
    ground, guide = open_guide(recipe, reckoner)
    steps = tuple(Step(tuple(slate), pick) for slate, pick in words["steps"])
    return Wanted(ground, guide, History(start=words["start"], steps=steps), words["k"])


def choose_all(asked: Sequence[Words], reckoner: Reckoner = IN_ORDER) -> Iterator[tuple[int, Choice | None]]:
    """The slates, each with its place in ``asked``, as soon as it is chosen; those of one ground together.

    None where a slate cannot be chosen here; the log says why.
    """

    def name_ground(place: int) -> str:
        return str(asked[place]["spaces"])

    for _, places in groupby(sorted(range(len(asked)), key=name_ground), name_ground):
        yield from _choose_together({place: asked[place] for place in places}, reckoner)


def _choose_together(asked: Mapping[int, Words], reckoner: Reckoner) -> Iterator[tuple[int, Choice | None]]:
    read: dict[int, Wanted] = {}
    for place, words in asked.items():
        try:
            read[place] = read_wanted(words, reckoner)
        except (GroundLost, NoRanker, EngineError) as error:
            log.warning("A slate cannot be chosen here: %s", error)
            yield place, None
    try:
        prepare([*read.values()])
    except Exception:  # all that it does is to save time
        log.exception("Slates cannot be prepared together: each is worked out by itself.")
    for place, wanted in read.items():
        try:
            yield place, wanted.choose()
        except EngineError as error:
            log.warning("A slate cannot be chosen here: %s", error)
            yield place, None
