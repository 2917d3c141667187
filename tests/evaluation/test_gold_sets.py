"""Gold is drawn from what is known of a catalogue, before there is a challenger, and stays as it was."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from evaluation.models import GoldSet, Promotion
from evaluation.services.gold_sets import GoldDamaged, find_gold
from search.models import Catalogue, Item
from tests.evaluation.teaching import make_standing, put_in_charge, see_kinds
from tests.factories import NOW, make_catalogue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def catalogue() -> Catalogue:
    """A catalogue with an encoder in charge."""
    catalogue = make_catalogue(items=120, with_images=False)
    put_in_charge(catalogue, make_standing(catalogue, vectors=see_kinds(catalogue, seed=1)))
    return catalogue


def test_gold_is_frozen_and_no_picture_of_it_changes_unnoticed(catalogue: Catalogue) -> None:
    gold = find_gold(catalogue, now=NOW)
    assert gold is not None
    assert find_gold(catalogue, now=NOW + timedelta(days=9)) == gold
    sides = dict(Item.objects.values_list("pk", "split"))
    assert {sides[card["question"]] for card in gold.cards} == {"evaluation"}
    kinds = dict(Item.objects.values_list("pk", "category_id"))
    for card in gold.cards:
        assert kinds[card["question"]] == kinds[card["right"]] != kinds[card["wrong"]]
    Item.objects.filter(pk=gold.cards[0]["wrong"]).update(image_sha256="f" * 64)
    with pytest.raises(GoldDamaged, match="not what was frozen"):
        find_gold(catalogue, now=NOW)


def test_gold_is_frozen_before_there_is_a_challenger_and_asks_no_votes(catalogue: Catalogue) -> None:
    gold = GoldSet.objects.get(catalogue=catalogue)
    assert gold.frozen_at == NOW
    assert {card["source"] for card in gold.cards} <= {"near duplicate", "labels"}


@pytest.mark.parametrize("model", [Promotion, GoldSet])
def test_who_was_in_charge_and_what_was_frozen_cannot_be_changed(catalogue: Catalogue, model: Any) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        model.objects.all().delete()
