"""Results of a race over HTTP: who won, and who came where."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from evaluation.models import NavigationGame, RaceSeat
from tests.evaluation.finding import make_ground
from tests.evaluation.racing import Guest, set_seconds

pytestmark = pytest.mark.django_db


def race(*names, slug="demo"):
    """Guests of these names in a race that was started."""
    make_ground(slug=slug)
    host, *others = guests = [Guest() for _ in names]
    host.open(nickname=names[0], catalogue=slug)
    for guest, name in zip(others, names[1:], strict=True):
        guest.visit(host.code)
        guest.do("join", nickname=name)
    host.do("start")
    for guest in guests:
        guest.visit(host.code)
    return guests


def find_places(viewer):
    """The names with the places they got, in the order of the page."""
    listed = re.search(r'class="race-places">(.*?)</ol>', viewer.text, re.DOTALL)[1]
    return re.findall(r'<strong class="figures">(.+?)</strong>.*?<bdi>(\w+)</bdi>', listed, re.DOTALL)


def test_who_found_it_wins_and_who_gave_up_comes_last_without_a_place():
    host, guest = race("Ada", "Bob")
    guest.win()
    host.send(kind="give-up")
    host.visit(host.code)
    assert find_places(host) == [("1", "Bob"), ("–", "Ada")]
    assert "gave up" in host.text and host.headline == "Bob won"


def test_of_those_with_as_many_slates_the_quicker_wins():
    host, guest = race("Ada", "Bob")
    for racer in (host, guest):
        racer.win()
    set_seconds(Ada=30, Bob=20)
    host.visit(host.code)
    assert find_places(host) == [("1", "Bob"), ("2", "Ada")] and host.headline == "Bob won"


def test_equals_share_a_place_and_the_next_place_is_left_out():
    guests = race("Ada", "Bob", "Cy")
    for racer in guests:
        racer.win()
    set_seconds(Ada=20, Bob=20, Cy=30)
    guests[0].visit(guests[0].code)
    assert find_places(guests[0]) == [("1", "Ada"), ("1", "Bob"), ("3", "Cy")]
    assert guests[0].headline == "Ada and Bob won"


def test_every_racer_has_a_result_to_share_that_gives_nothing_away():
    ada, bob = guests = race("Ada", "Bob")
    ada.win()
    bob.send(kind="unsure")
    bob.send(kind="give-up")
    onlooker = Guest()
    told = {}
    for racer in (*guests, onlooker):
        racer.visit(ada.code)
        told[racer] = re.findall(r"<textarea[^>]*>(.*?)</textarea>", racer.text, re.DOTALL)
    slates = NavigationGame.objects.get(pk=ada.game).slates
    assert told[onlooker] == []
    first, squares, link = told[ada][0].split("\n")
    assert first.startswith(f"Dope or Nope: race of 2 · place 1, {slates} slate")
    assert len(squares) == slates and set(squares) <= set("🟩🟨⬜") and link.endswith("/find/races/")
    assert told[bob][0].startswith("Dope or Nope: race of 2 · not found")
    for text in (told[ada][0], told[bob][0]):
        assert ada.code not in text and "Ada" not in text and "Bob" not in text and "images" not in text


def test_everybody_sees_who_came_after_the_start():
    ada, bob = race("Ada", "Bob")
    cy = Guest()
    cy.visit(ada.code)
    cy.do("join", nickname="Cy")
    seat = RaceSeat.objects.select_related("race").get(nickname="Cy")
    seat.joined_at = seat.race.started_at + timedelta(minutes=2, seconds=5)
    seat.save(update_fields=["joined_at"])
    assert ada.fetch().count("came 2:05 late") == ada.fetch().count("came") == 1
    for racer in (ada, bob, cy):
        racer.send(kind="give-up")
    ada.visit(ada.code)
    assert re.search(r"<bdi>Cy</bdi>(?:(?!<bdi>).)*came 2:05 late", ada.text, re.DOTALL)
    assert ada.text.count("came ") == 1


def test_results_of_many_take_no_more_queries_than_those_of_two():
    asked = []
    for names in (["Ada", "Bob"], ["Ada", "Bob", *(f"Racer{number}" for number in range(6))]):
        guests = race(*names, slug=f"demo{len(names)}")
        guests[0].send(kind="unsure")
        for racer in guests:
            racer.send(kind="give-up")
        guests[0].visit(guests[0].code)  # the first look has the simulated user play
        with CaptureQueriesContext(connection) as queries:
            guests[0].visit(guests[0].code)
        assert len(find_places(guests[0])) == len(names)
        asked.append(len(queries))
    assert asked[0] == asked[1]
