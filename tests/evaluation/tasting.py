"""A catalogue whose public encoder has masks, and somebody who looks by one of them alone."""

from datetime import datetime
from itertools import count, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.models import Contender, Deal, Player, Taste
from evaluation.services.tastes import ask_taste
from search.models import Catalogue
from search.services.jobs import run_in_foreground
from tests.evaluation.teaching import list_trainable, make_standing, say
from tests.factories import NOW, make_catalogue
from tests.search.spaces import make_space

PUBLIC = "beholder"
MASKS = ("colour", "pattern")
Vectors = NDArray[np.float64]


def make_ground(*, items: int = 60, slug: str = "demo", masks: bool = True) -> tuple[Catalogue, Vectors]:
    """The vectors' first half is what the mask of colour leaves, the other half that of pattern."""
    catalogue = make_catalogue(items=items, slug=slug, with_images=False)
    vectors = np.random.default_rng(3).normal(size=(items, 8))
    make_standing(catalogue, PUBLIC, vectors=vectors)
    for number, mask in enumerate(MASKS if masks else ()):
        left = np.where(np.arange(8) // 4 == number, vectors, 0)
        make_space(catalogue, f"{PUBLIC}.{mask}", mask, vectors=left, family="trained", build=False)
    return catalogue, vectors


def find_contender() -> Contender:
    return Contender.objects.get(encoder=PUBLIC, metric="l2")


def tell(
    player: Player,
    catalogue: Catalogue,
    vectors: Vectors,
    *,
    answers: int = 40,
    first: int = 0,
    at: datetime = NOW,
    settled: bool = True,
) -> None:
    """Dopes for what is alike in colour, nopes for what is not; pattern is all the same to them.

    Pairs from the ``first`` on, but for those that the player was dealt before.
    """
    items = list_trainable(catalogue)
    before = set(Deal.objects.filter(player=player).values_list("pair__question", "pair__candidate"))
    pairs = (
        (items[number % len(items)], items[(number + 1 + number // len(items)) % len(items)])
        for number in count(first)
    )
    new = (pair for pair in pairs if (pair[0].pk, pair[1].pk) not in before)
    for question, candidate in islice(new, answers):
        apart = np.square((vectors[question.position] - vectors[candidate.position])[:4]).sum()
        say(player, question, candidate, "dope" if apart < 7 else "nope", at=at, settled=settled)


def learn(player: Player, catalogue: Catalogue, *, now: datetime = NOW) -> Taste:
    """Asked for and, as far as that can be, learned."""
    taste = ask_taste(player, catalogue, now=now)
    assert taste.job is not None
    run_in_foreground(job=taste.job, report=lambda job: None, now=lambda: now)
    return Taste.objects.select_related("job", "contender").get(pk=taste.pk)


def make_taster(catalogue: Catalogue, vectors: Vectors, **how: Any) -> tuple[Player, Taste]:
    """Somebody who has a private encoder."""
    player = Player.objects.create(created_at=NOW)
    tell(player, catalogue, vectors, **how)
    return player, learn(player, catalogue)
