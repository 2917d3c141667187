"""With which pictures indexes are calibrated, and what is no answer to them."""

import numpy as np
import pytest

from search.artifacts import open_index
from search.engine import no_match
from search.models import Asking, JobState, Split
from search.services import calibrating_run
from search.services.calibrating_run import ask_index, read_categories
from search.services.calibration_queries import choose_queries
from search.services.training_samples import read_items
from tests.factories import make_catalogue
from tests.search.calibrating import build, calibrate, photograph

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("one_cheap_encoder")]


def test_photos_of_items_in_use_are_asked_with_where_there_are_enough(monkeypatch):
    monkeypatch.setattr("search.services.calibration_queries.LEAST_QUERIES", 10)
    catalogue = make_catalogue(items=40)
    assert choose_queries(read_items(catalogue)).asking == Asking.CHANGED
    catalogue.items.update(group="")
    for item in catalogue.items.all():
        item.group = f"product {item.position // 4}"
        item.save()
    assert choose_queries(read_items(catalogue)).asking == Asking.OTHERS
    photograph(catalogue)
    chosen = choose_queries(read_items(catalogue))
    assert chosen.asking == Asking.PHOTOS
    sides = dict(catalogue.items.values_list("position", "split"))
    assert {sides[place] for place in chosen.places.tolist()} == {Split.EVALUATION}
    assert len(chosen) == len(set(chosen.places.tolist())) == 20


def test_the_products_own_pictures_are_not_found_when_it_is_taken_away(monkeypatch):
    """Photos that are the very catalogue pictures: there, each is found at no distance; removed, none is."""
    monkeypatch.setattr("search.services.calibration_queries.LEAST_QUERIES", 10)
    catalogue = make_catalogue(items=60)
    photograph(catalogue)
    index = build(catalogue)
    seen = {}

    def keep(present, absent):
        seen.update(present=present, absent=absent)
        return no_match.calibrate(present, absent)

    monkeypatch.setattr(calibrating_run, "settle", keep)
    assert calibrate(index).state == JobState.DONE
    assert seen["present"].right.all()
    assert np.allclose(seen["present"].distances[:, 0], 0, atol=1e-3)
    assert not seen["absent"].right.any()
    assert (seen["absent"].distances[:, 0] > 1e-3).all()


def test_of_two_that_are_near_duplicates_one_is_the_first_and_the_other_not_the_second(monkeypatch):
    monkeypatch.setattr("search.services.calibration_queries.LEAST_QUERIES", 10)
    catalogue = make_catalogue(items=60)
    photograph(catalogue)
    first, second = catalogue.items.order_by("position")[:2]
    second.image_sha256, second.near_duplicate_of = first.image_sha256, first
    second.save()
    index = build(catalogue)
    items = read_items(catalogue)
    queries = choose_queries(items)
    [place] = np.flatnonzero(queries.places == 0)
    vectors = np.asarray(open_index(index).index.vectors.rows)[queries.places]
    present, absent = ask_index(index, items, queries, vectors, categories=read_categories(catalogue))
    near, other = present.asked.distances[place]
    assert near == 0
    assert other > 0
    assert absent.asked.distances[place, 0] > 0, "its near-duplicate is taken away with it"


def test_a_near_duplicate_of_the_picture_that_is_asked_with_is_no_other_picture_of_the_product(monkeypatch):
    monkeypatch.setattr("search.services.calibration_queries.LEAST_QUERIES", 1)
    catalogue = make_catalogue(items=60)
    catalogue.items.update(group="")
    first, second, third, fourth, *_ = catalogue.items.order_by("position")
    for item in (first, second, third):
        item.group = "product"
    fourth.near_duplicate_of, fourth.group = third, "product"
    second.near_duplicate_of = first  # of other bytes
    for item in (first, second, third, fourth):
        item.split = Split.EVALUATION
        item.save()
    index = build(catalogue)
    items = read_items(catalogue)
    queries = choose_queries(items)
    assert queries.asking == Asking.OTHERS
    assert sorted(queries.places.tolist()) == [0, 1, 2, 3]
    vectors = np.asarray(open_index(index).index.vectors.rows)[queries.places]
    present, absent = ask_index(index, items, queries, vectors, categories=read_categories(catalogue))
    answers = dict(zip(queries.places.tolist(), present.first.tolist(), strict=True))
    assert answers[0] != 1
    assert answers[1] != 0
    assert {2, 3}.isdisjoint({answers[2], answers[3]})
    assert set(absent.first.tolist()).isdisjoint({0, 1, 2, 3})
    catalogue.items.filter(pk__in=[third.pk, fourth.pk]).update(group="")
    only_copies = choose_queries(read_items(catalogue))
    assert only_copies.asking == Asking.CHANGED, "one picture and its near-duplicate are no two pictures"
