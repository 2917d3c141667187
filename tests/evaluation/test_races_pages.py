"""Races over HTTP, as browsers without JavaScript take part; and what a page of one tells of the others."""

import re
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from evaluation.models import Move, NavigationGame, Player, Puzzle, Race, RaceSeat, Slate
from evaluation.selectors.game_pages import POLICY_TITLES
from evaluation.services.races import end_late
from evaluation.stats.navigation import SHARES
from evaluation.views import navigation
from evaluation.views.player_cookie import COOKIE
from search.models import Item
from tests.evaluation.finding import make_ground
from tests.evaluation.racing import Guest, find_target, set_seconds
from tests.factories import make_catalogue

pytestmark = pytest.mark.django_db


@pytest.fixture
def host():
    make_ground()
    host = Guest()
    host.open()
    return host


@pytest.fixture
def guest(host):
    guest = Guest()
    guest.visit(host.code)
    guest.do("join", nickname="Bob")
    return guest


@pytest.fixture
def racers(host, guest):
    host.do("start")
    guest.visit(host.code)
    return host, guest


def test_looking_stores_nothing_and_opening_or_joining_gives_the_cookie():
    make_ground()
    host, guest = Guest(), Guest()
    host.client.get("/find/races/")
    assert not host.client.cookies and not Player.objects.exists()
    host.open()
    assert host.client.cookies[COOKIE]["httponly"]
    guest.visit(host.code)
    assert "You are invited" in guest.text and "Ada" in guest.text
    assert not guest.client.cookies and Player.objects.count() == 1
    guest.do("join", nickname="Bob")
    assert guest.client.cookies[COOKIE] and Player.objects.count() == 2


def test_a_race_is_run_with_forms_alone(host, guest):
    assert f"/find/races/{host.code}/" in host.text and "Waiting for the start" in guest.text
    assert "Bob" in host.fetch()
    host.do("start")
    assert host.page.request["PATH_INFO"].startswith("/find/games/") and "Slate 1 of" in host.text
    guest.visit(host.code)
    assert guest.game and guest.game != host.game and guest.tiles == host.tiles
    host.win()
    slates = NavigationGame.objects.get(pk=host.game).slates
    assert f"You found it in {slates} slate" in host.text and "Bob" in host.text
    guest.win()
    set_seconds(Ada=30, Bob=20)  # after as many slates
    for racer in (host, guest):
        racer.visit(host.code)
        assert racer.headline == "Bob won"
        assert POLICY_TITLES["information"] in racer.text and "fewer than" in racer.text
        assert racer.text.count("race-path") == 2


def everything_shown_to(viewer, code):
    page = viewer.client.get(f"/find/races/{code}/", follow=True).content.decode()
    pages = [re.search(r"<main.*</main>", page, re.DOTALL)[0]]
    pages += [viewer.fetch(part) for part in ("room", "strip", "rematch")]
    return "\n".join(pages)


def test_until_it_is_over_nobody_learns_what_others_saw_or_picked_or_who_chose_it(racers):
    host, guest = racers
    bystander = Guest()
    bystander.visit(host.code)
    for _ in range(3):
        host.send(pick=next(item for item in host.tiles if item != find_target(host.code)))
    seen = set(Slate.objects.filter(game=host.game).latest("turn").items)
    hidden = Item.objects.filter(pk__in=seen - set(guest.tiles)).exclude(pk=find_target(host.code))
    policies = (*SHARES, *POLICY_TITLES.values(), "propensity")
    guest.win()
    for viewer in (guest, bystander):
        text = everything_shown_to(viewer, host.code)
        assert "4 slates" in text or ">4<" in text
        for item in hidden:
            assert item.image_sha256 not in text
        for name in policies:
            assert not re.search(rf"\b{re.escape(name.lower())}\b", text.lower()), name
    ended = guest.client.get(f"/find/games/{guest.game}/")
    assert ended.status_code == 302 and ended["Location"] == f"/find/races/{host.code}/"


def test_the_script_is_led_back_to_the_race_when_a_game_ends(racers):
    host, _ = racers
    sent = {"sitting": host.sitting, "turn": "1", "kind": "give-up"}
    part = host.client.post(f"/find/games/{host.game}/moves/", sent, headers={"X-Part": "game"})
    text = part.content.decode()
    assert "data-go" in text and f"/find/races/{host.code}/" in text and "picture" not in text.lower()


def test_who_was_away_comes_back_to_the_game_with_the_cookie(racers):
    host, _ = racers
    host.send(kind="unsure")
    again = Guest(host.client)
    again.visit(host.code)
    assert again.game == host.game and "Slate 2 of" in again.text


def test_when_the_time_is_over_a_move_comes_too_late_and_the_results_are_shown(racers):
    host, guest = racers
    guest.send(kind="unsure")
    Race.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    moves = Move.objects.count()
    host.send(kind="unsure")
    assert Move.objects.count() == moves
    guest.visit(host.code)
    assert "Nobody found it" in guest.text and guest.text.count("ran out of time") == 2
    assert end_late(timezone.now()) == 0


def test_who_ran_out_of_time_is_led_from_the_slate_to_the_race(racers):
    host, guest = racers
    assert "data-go" not in host.fetch("strip")
    guest.send(kind="give-up")
    assert "data-go" in guest.fetch("strip") and "data-go" not in host.fetch("strip")
    Race.objects.update(ends_at=timezone.now())
    end_late(timezone.now())
    strip = host.fetch("strip")
    link = re.search(r'<a[^>]*href="([^"]+)"[^>]*data-go', strip)[1]
    assert link == f"/find/races/{host.code}/"
    assert "Ada (you) 1 slate, ran out of time" in " ".join(re.sub(r"<[^>]+>", " ", strip).split())
    host.page = host.client.get(link)
    assert "Nobody found it" in host.text


def test_the_sweeper_ends_races_that_nobody_looks_at(racers):
    Race.objects.update(ends_at=timezone.now())
    assert end_late(timezone.now()) == 2


def test_a_rematch_has_a_new_puzzle_and_the_old_link_invites_to_it(racers):
    host, guest = racers
    for racer in racers:
        racer.send(kind="give-up")
    before = host.code
    host.visit(before)
    assert "Come to the rematch" not in host.fetch("rematch")
    host.do("rematch")
    assert host.code != before and "Waiting for the start" in host.text
    assert f"/find/races/{host.code}/" in guest.fetch("rematch")
    newcomer = Guest()
    newcomer.visit(before)
    assert newcomer.code == host.code
    guest.do("rematch")
    assert guest.code == host.code and "You are invited" in guest.text and 'value="Bob"' in guest.text
    guest.visit(before)
    assert guest.code == before and "Nobody found it" in guest.text
    assert Puzzle.objects.count() == 2


def test_above_a_slate_the_rematches_that_followed_are_not_asked_for(racers):
    for racer in racers:
        racer.send(kind="give-up")
    first = racers[0].code
    before = count_queries(racers[0], first)
    racers[0].visit(first)
    racers[0].do("rematch")
    assert count_queries(racers[0], first) == before


def count_queries(viewer, code):
    with CaptureQueriesContext(connection) as asked:
        viewer.client.get(f"/find/races/{code}/standing/", {"part": "strip"})
    return len(asked)


def test_who_leaves_before_the_start_gives_the_seat_back(host, guest):
    guest.do("leave")
    assert "You are invited" in guest.text and "Bob" not in host.fetch()
    host.do("start")
    assert host.page.status_code == 409 and "needs two" in host.text


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [
        ("<script>alert(1)</script>", 422, "20 characters at most"),
        ("<img>", 422, "letters, digits"),
        ("ada", 409, "already"),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_never_becomes_markup(host, name, status, told):
    guest = Guest()
    guest.visit(host.code)
    guest.do("join", nickname=name)
    assert guest.page.status_code == status and told in guest.text
    assert name == "ada" or name not in guest.text
    assert RaceSeat.objects.count() == 1


def test_without_a_name_one_is_drawn(host):
    guest = Guest()
    guest.visit(host.code)
    guest.do("join", nickname=" ")
    drawn = RaceSeat.objects.latest("pk").nickname
    assert re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", drawn) and drawn in guest.text


@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ({"k": "5"}, 422, "4 or 8 items"),
        ({"catalogue": "bare"}, 409, "cannot be searched yet"),
        ({"catalogue": "none"}, 404, ""),
        ({"sitting": "forged"}, 403, ""),
        ({"nickname": "\u202e"}, 422, "letters, digits"),
    ],
)
def test_what_cannot_be_opened_is_told(fields, status, told):
    make_ground()
    make_catalogue(items=12, slug="bare", with_images=False)
    host = Guest()
    host.open(**fields)
    assert host.page.status_code == status and told in host.text
    assert not (Race.objects.exists() or Player.objects.exists())


def test_only_who_is_in_it_starts_a_race_or_opens_its_rematch(host, guest):
    stranger = Guest()
    stranger.visit(host.code)
    assert stranger.do("start").status_code == 403
    assert stranger.do("rematch").status_code == 403
    assert guest.do("rematch").status_code == 409
    assert not NavigationGame.objects.exists() and Race.objects.count() == 1


@pytest.mark.parametrize("code", ["000000000000", "x", "A" * 12, "-" * 60])
def test_there_is_no_race_of_another_code(host, code):
    visitor = Guest()
    visitor.page = visitor.client.get("/find/races/")
    assert visitor.client.get(f"/find/races/{code}/").status_code == 404
    assert visitor.client.get(f"/find/races/{code}/standing/").status_code == 404
    for what in ("join", "start", "leave", "rematch"):
        sent = {"sitting": visitor.sitting}
        assert visitor.client.post(f"/find/races/{code}/{what}/", sent).status_code == 404
    assert host.client.get(f"/find/races/{host.code}/standing/?part=all").status_code == 404


def test_rooms_are_opened_no_faster_than_people_do(settings, monkeypatch):
    settings.VOTES_PER_MINUTE = 3
    monkeypatch.setattr(navigation, "limits", navigation.PlayLimits(clock=lambda: 0.0))
    make_ground()
    host = Guest()
    statuses = [host.open().status_code for _ in range(8)]
    assert statuses == [200] * 6 + [429] * 2 and Race.objects.count() == 6


def test_codes_are_drawn_without_regard_to_what_was_drawn_before(monkeypatch):
    monkeypatch.setattr(navigation, "rng", np.random.default_rng(0))
    make_ground()
    codes = set()
    for _ in range(4):
        host = Guest()
        host.open()
        codes.add(host.code)
    assert len(codes) == 4
    assert Client().get(f"/find/races/{host.code}/").status_code == 200
