"""The search page over HTTP, as a browser without JavaScript uses it, and what its script fetches."""

import re

import pytest
from django.test import Client

from evaluation.models import Player
from search.models import BuildState, Index, Photo
from tests.evaluation.finding import add_spaces, forget_opened
from tests.evaluation.search_people import Searcher, newcomer, searched_catalogue  # noqa: F401
from tests.evaluation.searching import make_searchable, photo_of_noise
from tests.factories import make_catalogue
from tests.search.spaces import make_space

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true", "HX-Target": "answer"}


def test_looking_at_the_page_stores_nothing(searcher):
    assert searcher.page.status_code == 200 and "Take a photo" in searcher.text
    assert not searcher.client.cookies and not Player.objects.exists()


def test_the_pages_script_fetches_the_answer_alone_but_the_back_button_all(searcher, catalogue):
    searcher.send(photo_of_noise())
    part = searcher.look(searcher.address, **PART).content.decode()
    assert "<html" not in part and 'id="search-said"' in part and 'class="found"' in part
    back = searcher.look(searcher.address, **PART, **{"HX-History-Restore-Request": "true"})
    assert "<html" in back.content.decode()


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("left=10&top=10&width=3&height=20", 422, "at least 4 percent"),
        ("left=10&top=10", 422, "four numbers"),
        ("f-colour=mauve", 422, "mauve"),
        ("f-mood=merry", 422, "mood"),
        ("own=1&w-overall=300", 422, "0 to 100"),
        ("page=no", 422, "whole number"),
    ],
)
def test_what_cannot_be_answered_is_said_beside_the_photo(searcher, catalogue, address, status, words):
    searcher.send(photo_of_noise())
    page = searcher.look(f"{searcher.address}&{address}")
    assert page.status_code == status
    assert words in searcher.text and 'role="alert"' in searcher.text
    assert "crop-box" in searcher.text, "the photo is gone"
    part = searcher.look(f"{searcher.address}&{address}", **PART)
    assert part.status_code == status and words in searcher.text


def test_more_like_this_finds_others_and_says_of_what(searcher, catalogue):
    page = searcher.look("/search/demo/?item=5")
    assert page.status_code == 200 and "More like this" in searcher.text
    query, *found = searcher.found
    assert query == 5 and found and 5 not in found
    assert searcher.look("/search/demo/?item=4999").status_code == 404
    assert "Take a photo" in searcher.text


def test_filters_are_chips_that_can_be_taken_away(searcher, catalogue):
    searcher.look("/search/demo/?item=5&f-colour=red")
    reds = {item.position for item in catalogue.items.filter(labels__attribute__value="red")}
    assert set(searcher.found[1:]) and set(searcher.found[1:]) <= reds
    chip = re.search(r'class="chip accent"\s+href="([^"]+)"', searcher.text)
    assert chip is not None and chip[1] == "/search/demo/?item=5"
    assert re.search(r'<option value="red" selected', searcher.text)


def test_several_values_of_an_aspect_stay_when_something_else_is_changed(searcher, catalogue):
    searcher.look("/search/demo/?item=5&f-colour=red&f-colour=blue")
    shown = re.findall(r'<option value="(\w+)" selected', searcher.text)
    sent_along = re.findall(r'type="hidden" name="f-colour" value="(\w+)"', searcher.text)
    assert shown == ["red"] and sent_along == ["blue"]


def test_pages_go_on_where_the_one_before_ended(catalogue, searcher):
    make_more = make_searchable(items=60, slug="more")
    addresses, seen = ["/search/more/?item=3"], []
    while addresses:
        searcher.look(addresses.pop())
        seen += re.findall(r'class="tile"\s+href="/search/more/items/(\d+)/"', searcher.text)[1:]
        following = re.search(r'rel="next"\s+href="([^"]+)"', searcher.text)
        addresses = [following[1].replace("&amp;", "&")] if following else []
    assert len(seen) == len(set(seen)) == make_more.items.count() - 1


def test_weights_of_the_person_are_said_to_be_theirs(searcher, catalogue):
    searcher.send(photo_of_noise())
    own = searcher.look(f"{searcher.address}&own=1&w-overall=40")
    assert own.status_code == 200
    assert "w-overall=40" in searcher.text or "no aspects to weigh" in searcher.text


def test_a_catalogue_of_bare_vectors_refuses_photos_and_offers_its_items(searcher, catalogue):
    bare = make_catalogue(items=12, slug="bare")
    make_space(bare, "brought", rows=12, family="vectors")
    searcher.look("/search/bare/")
    assert "takes no photos" in searcher.text and "Take a photo" not in searcher.text
    assert 'href="/search/bare/?item=0"' in searcher.text
    assert searcher.look("/search/bare/?item=0").status_code == 200
    searcher.look("/search/demo/")
    searcher.send(photo_of_noise())
    refused = searcher.look(f"/search/bare/?photo={Photo.objects.get().key}")
    assert refused.status_code == 422 and "Search from one of its items" in searcher.text


def test_before_there_is_anything_to_search_the_page_says_so(db):
    page = Client().get("/search/")
    assert page.status_code == 200 and "Nothing to search yet" in page.content.decode()
    assert Client().get("/search/demo/").status_code == 404


def test_a_catalogue_without_aspects_says_that_there_is_nothing_to_weigh(db):
    make_searchable(categories=0)
    searcher = Searcher()
    searcher.look("/search/demo/?item=2")
    assert "no aspects to weigh" in searcher.text and "Only some of them" not in searcher.text


def test_an_item_of_a_catalogue_that_cannot_be_searched_offers_no_search(searcher, catalogue):
    assert 'href="/search/demo/"' in searcher.look("/search/demo/items/5/").content.decode()
    Index.objects.update(state=BuildState.FAILED)
    page = searcher.look("/search/demo/items/5/")
    assert page.status_code == 200 and 'href="/search/demo/' not in searcher.text


def test_any_found_item_leads_to_its_page_and_on_to_a_game(searcher, catalogue):
    add_spaces(catalogue)
    forget_opened()
    searcher.look("/search/demo/?item=5")
    link = re.search(r'href="(/find/\?catalogue=demo&amp;from=\d+)"', searcher.text)
    assert link is not None
    assert "You go on from this one" in searcher.look(link[1].replace("&amp;", "&")).content.decode()
    page = searcher.look("/search/demo/items/5/")
    assert page.status_code == 200 and "/find/?catalogue=demo&amp;from=5" in searcher.text
    assert re.search(r"<dt>Colour</dt>\s*<dd>green</dd>", searcher.text)
    assert searcher.look("/search/demo/items/4999/").status_code == 404
