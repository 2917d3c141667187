"""The pool that pairs are dealt from: who found what, and what was answered by now."""

import uuid
from datetime import timedelta

import pytest

from evaluation.models import Contender, Deal, DealingStamp, Pair
from evaluation.selectors.pools import find_pool, load_pool
from evaluation.selectors.tables import Hall
from evaluation.stats.allocation import EPSILON
from search.models import Catalogue
from tests.evaluation.decks import cast, deal_to
from tests.factories import NOW, make_catalogue, make_contender, make_contenders, make_pairs

pytestmark = pytest.mark.django_db


def _catalogue(*, contenders: int) -> Catalogue:
    catalogue = make_catalogue(items=60, with_images=False)
    make_contenders(catalogue, count=contenders)
    return catalogue


def _hall(catalogue: Catalogue) -> Hall:
    stamp = DealingStamp.objects.get(catalogue=catalogue).stamp
    return Hall(catalogue.pk, catalogue.slug, stamp)


def test_the_pool_knows_who_found_each_pair() -> None:
    pool = load_pool(_catalogue(contenders=3).pk)
    assert pool.found.shape == (len(pool), 4), "three and the random control"
    for column, contender in enumerate(Contender.objects.order_by("pk")):
        found = set(contender.credits.values_list("pair", flat=True))
        assert set(pool.pairs[pool.found[:, column]].tolist()) == found


def test_answers_reach_the_pool_within_half_a_minute_and_move_what_is_dealt() -> None:
    catalogue = _catalogue(contenders=2)
    before = find_pool(_hall(catalogue), now=NOW)
    key = uuid.uuid4()
    hand = deal_to(key, now=NOW, count=9)
    answers = {deal.pk: ("dope", "nope", "skip")[turn % 3] for turn, deal in enumerate(hand.deals)}
    cast(key, answers, now=NOW)
    after = find_pool(_hall(catalogue), now=NOW + timedelta(seconds=31))
    assert (after.judged.sum(), after.dopes.sum(), after.nopes.sum()) == (9, 3, 3)
    assert (after.found == before.found).all()
    for pair, dopes in zip(after.pairs.tolist(), after.dopes.tolist(), strict=True):
        assert Pair.objects.get(pk=pair).dopes == dopes
    assert (after.weights != before.weights).any()


def test_every_deal_says_by_which_policy_and_how_likely_it_was() -> None:
    """Also of pairs that a newcomer alone found; none is below the uniform part."""
    catalogue = _catalogue(contenders=2)
    key = uuid.uuid4()
    cast(key, {deal.pk: "dope" for deal in deal_to(key, now=NOW, count=10).deals}, now=NOW)
    items = list(catalogue.items.evaluation_only().order_by("position"))
    newcomer = make_contender(catalogue, encoder="newcomer")
    make_pairs(newcomer, {item: items[place - 3] for place, item in enumerate(items)})
    pool = load_pool(catalogue.pk)
    own = pool.found[:, -1] & (pool.finders == 1)
    assert own.any() and pool.weights[own].all()
    hand = deal_to(uuid.uuid4(), now=NOW, count=10)
    dealt = Deal.objects.filter(pk__in=[deal.pk for deal in hand.deals])
    assert {(deal.policy, deal.policy_version) for deal in dealt} == {("uniform-discordant", "3")}
    assert min(deal.propensity for deal in dealt) >= EPSILON / len(pool)
