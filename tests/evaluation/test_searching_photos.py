"""Photos that are searched with, over HTTP: taken in, cropped, kept and deleted."""

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from evaluation.views import search_parts
from evaluation.views.player_cookie import COOKIE
from search.forms.wishes import Asked
from search.models import Photo
from search.selectors.searches import Area, ShownPhoto
from tests.evaluation.search_people import newcomer, searched_catalogue  # noqa: F401
from tests.evaluation.searching import photo_of, photo_of_noise

pytestmark = pytest.mark.django_db


def test_a_photo_leads_to_its_item_and_the_photo_is_shown_to_who_has_the_address(searcher, catalogue):
    item = catalogue.items.get(position=7)
    page = searcher.send(photo_of(item))
    assert page.status_code == 200
    shown = {one.image_sha256 for one in catalogue.items.filter(position__in=searcher.found[:1])}
    assert shown == {item.image_sha256}
    assert searcher.client.cookies[COOKIE]["httponly"]
    photo = Photo.objects.get()
    assert photo.holder is not None
    answer = Client().get(f"/search/photos/{photo.key}.webp")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert "no-store" in answer["Cache-Control"]
    assert str(photo.key) not in Client().get("/search/demo/").content.decode()


def test_the_script_is_told_where_to_go_and_why_not(searcher, catalogue):
    taken = searcher.send(photo_of_noise(), script=True)
    assert taken.status_code == 201
    assert searcher.client.get(taken.json()["address"]).status_code == 200
    refused = searcher.send(b"<svg xmlns='http://www.w3.org/2000/svg'/>", script=True)
    assert refused.status_code == 415 and refused.json()["message"]
    assert searcher.send(None, script=True).status_code == 422
    searcher.sitting = "old"
    stale = searcher.send(photo_of_noise(), script=True)
    assert stale.status_code == 403 and "Reload" in stale.json()["message"]


def test_a_refused_photo_leaves_the_page_as_it_was_and_says_why(searcher):
    page = searcher.send(b"no picture at all")
    assert page.status_code == 415
    assert 'role="alert"' in searcher.text and "Take a photo" in searcher.text
    assert searcher.send(None).status_code == 422 and "No photo came" in searcher.text
    assert not Photo.objects.exists()


def test_a_part_of_the_photo_is_searched_with_by_numbers_or_by_a_proposals_button(searcher, catalogue):
    searcher.send(photo_of_noise())
    by_numbers = searcher.look(f"{searcher.address}&left=10&top=20&width=30&height=40")
    found = searcher.found
    assert by_numbers.status_code == 200
    assert re.search(r'name="width" min="\d+" max="100" value="30"', searcher.text)
    by_button = searcher.look(f"{searcher.address}&left=1&top=1&width=9&height=9&region=10,20,30,40")
    assert by_button.status_code == 200 and searcher.found == found


def test_a_deleted_photo_is_gone_and_its_address_offers_another(searcher):
    searcher.send(photo_of_noise())
    address, photo = searcher.address, Photo.objects.get()
    searcher.post(f"/search/photos/{photo.key}/delete/", next="/search/demo/")
    assert "The photo is deleted" in searcher.text
    assert searcher.page.request["PATH_INFO"] == "/search/demo/"
    assert not Photo.objects.exists()
    assert searcher.client.get(f"/search/photos/{photo.key}.webp").status_code == 404
    gone = searcher.look(address)
    assert (
        gone.status_code == 404 and "not kept any more" in searcher.text and "Take a photo" in searcher.text
    )


def test_a_photo_is_kept_a_day_unless_the_person_agrees_to_more(searcher):
    searcher.send(photo_of_noise())
    photo = Photo.objects.get()
    assert photo.kept_until <= timezone.now() + timedelta(hours=24)
    searcher.post(f"/search/photos/{photo.key}/keep/", next=searcher.address)
    photo.refresh_from_db()
    assert photo.kept_until > timezone.now() + timedelta(days=29)
    assert searcher.page.request["PATH_INFO"] == "/search/demo/" and "Keep it until" not in searcher.text
    searcher.post(f"/search/photos/{photo.key}/keep/", next="https://elsewhere.example/")
    assert searcher.page.request["PATH_INFO"] == "/search/"
    searcher.send(photo_of_noise(1), keep="1")
    assert Photo.objects.latest("pk").kept_until > timezone.now() + timedelta(days=29)


def test_proposals_that_look_the_same_are_shown_once(catalogue):
    areas = [Area(0.1, 0.1, 0.5, 0.5), Area(0.11, 0.1, 0.5, 0.51), Area(0.1, 0.1, 0.2, 0.2)]
    now = timezone.now()
    told = search_parts.tell_photo(ShownPhoto(uuid.uuid4(), 300, 200, areas, now, now), Asked())
    assert told["areas"] == ["10,10,50,50", "10,10,20,20"]
