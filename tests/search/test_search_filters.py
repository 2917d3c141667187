"""Filters of a search: what they leave, what is offered to filter by, and what is refused how."""

import pytest

from search.models import Aspect, Item
from search.selectors import searchable
from tests.search.searching import (
    give_colours,
    keep_photo_of,
    make_searchable,
    positions,
    refused,
    search,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def catalogue(monkeypatch):
    return make_searchable(monkeypatch)


def test_filters_leave_what_has_one_of_the_values_of_every_aspect(catalogue):
    give_colours(catalogue)
    found = search(item=1, filters={"colour": ["red"], "kind": ["shirt", "boot"]})
    assert found.candidates
    for candidate in found.candidates:
        assert candidate.item.position % 3 == 0 and candidate.item.category in ("shirt", "boot")
        assert candidate.item.attributes["colour"] == "red"
    unfiltered = [n for n in positions(search(item=1)) if n in positions(found)]
    assert unfiltered == positions(found)[: len(unfiltered)]


def test_filters_offered_count_the_items(catalogue):
    give_colours(catalogue)
    offered = {choice.aspect: dict(choice.values) for choice in searchable.list_filters(catalogue)}
    assert offered == {"kind": {"boot": 10, "bag": 10, "shirt": 10}, "colour": {"blue": 20, "red": 10}}


def test_a_filter_nobody_has_is_refused_by_name(catalogue):
    assert "“size”" in str(refused(item=1, filters={"size": ["large"]}))
    wrong = refused(item=1, filters={"kind": ["toaster"]})
    assert wrong.code == "bad-filter" and "toaster" in str(wrong) and wrong.status == 422


def test_the_name_of_an_aspect_may_hold_colons(catalogue):
    give_colours(catalogue)
    Aspect.objects.filter(name="colour").update(name="size: sleeve")
    found = search(item=1, filters={"size": [" sleeve:red"]})  # as a program parts it
    assert found.candidates and positions(found) == positions(
        search(item=1, filters={"size: sleeve": ["red"]})
    )


def test_values_to_filter_by_are_ten_at_most(catalogue):
    wrong = refused(item=1, filters={"kind": [f"boot {number}" for number in range(11)]})
    assert (wrong.code, wrong.status) == ("bad-filter", 422) and "At most 10" in str(wrong)


def test_a_catalogue_without_aspects_is_searched_and_offers_no_filters(monkeypatch):
    bare = make_searchable(monkeypatch, categories=0)
    assert searchable.list_filters(bare) == []
    found = search(photo=keep_photo_of(Item.objects.get(position=2)))
    assert found.candidates[0].item.position == 2 and found.candidates[0].item.category == ""
