"""A catalogue in which players are checked often, and people who play on it."""

import uuid
from datetime import timedelta

import numpy as np
import pytest

from evaluation.models import Catch, Deal, Pair
from evaluation.selectors import extras
from evaluation.stats import places
from evaluation.stats.places import CHECKS
from evaluation.views import play
from search.models import Catalogue
from tests.evaluation.decks import cast, deal_to
from tests.factories import NOW, give_extras, make_catalogue, make_contenders


def make_checked_catalogue(monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    """One place in three is a check, and a pair comes again after five others."""
    monkeypatch.setattr(places, "CHECK_SHARE", 1 / 3)
    monkeypatch.setattr(extras, "FEWEST_BETWEEN", 5)
    monkeypatch.setattr(play, "rng", np.random.default_rng(0))
    catalogue = make_catalogue(items=160, with_images=False)
    contender, *_ = make_contenders(catalogue, count=3)
    give_extras(contender)
    return catalogue


def play_checked(
    key: uuid.UUID, *, hands: int = 8, count: int = 10, errs: bool = False, seed: int = 0
) -> None:
    """Dopes what is the same twice or every third candidate, and says the same again; or the contrary.

    One answer a second: which of them were given a while ago depends on their order.
    """
    now = NOW
    for turn in range(hands):
        for deal in deal_to(key, now=now, count=count, seed=100 * seed + turn).deals:
            pair = Pair.objects.select_related("candidate").get(pk=deal.pair)
            likes = pair.question_id == pair.candidate_id
            if not Catch.objects.filter(pair=pair).exists():
                likes = pair.candidate.position % 3 == 0
            if errs and Deal.objects.get(pk=deal.pk).policy in CHECKS:
                likes = not likes
            now += timedelta(seconds=1)
            cast(key, {deal.pk: "dope" if likes else "nope"}, now=now)
