"""The navigation game over HTTP, as a browser without JavaScript plays it."""

import re
import uuid
from datetime import timedelta

import numpy as np
import pytest
from django.test import Client

from evaluation.models import Move, NavigationGame, Player, Puzzle
from evaluation.selectors.game_pages import POLICY_TITLES
from evaluation.selectors.games import read_state
from evaluation.stats.navigation import NEED_RANKERS, SHARES
from evaluation.views import navigation, player_cookie
from evaluation.views.player_cookie import COOKIE, sign_cookie, sign_sitting
from search.models import Item
from tests.evaluation.finding import Visitor, make_ground
from tests.factories import make_catalogue

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor(monkeypatch):
    monkeypatch.setattr(navigation, "rng", np.random.default_rng(0))
    make_ground()
    return Visitor()


def test_nothing_is_stored_before_a_game_is_begun(visitor):
    visitor.client.get("/find/daily/")
    assert not visitor.client.cookies
    assert not Player.objects.exists()
    visitor.begin()
    assert Player.objects.count() == 1
    assert visitor.client.cookies[COOKIE]["httponly"]


def test_a_game_is_played_with_forms_alone(visitor):
    visitor.begin()
    assert len(visitor.tiles) == 4 and "Slate 1 of at most 50" in visitor.text
    target = Puzzle.objects.get().target_id
    visitor.send(kind="unsure")
    assert "Slate 2 of at most 50" in visitor.text and "could not tell" in visitor.text
    visitor.send(kind="undo")
    assert "Slate 2 of at most 50" in visitor.text
    for _ in range(12):
        if target in visitor.tiles:
            break
        visitor.send(pick=visitor.tiles[0])
    visitor.send(pick=target)
    game = NavigationGame.objects.get()
    assert game.outcome == "found"
    assert f"Found in {game.slates} slates" in visitor.text
    assert POLICY_TITLES[game.puzzle.policy] in visitor.text
    assert visitor.text.count("yours") == 1
    assert {row["policy"] for row in Puzzle.objects.get().simulated["policies"]} == set(SHARES) - NEED_RANKERS


def test_before_the_end_nothing_tells_the_policy_or_more_of_the_target_than_its_picture(visitor):
    puzzles = []
    for _ in range(6):
        visitor.begin()
        sent = {"sitting": visitor.sitting, "turn": "1", "kind": "unsure"}
        address = f"/find/games/{visitor.game}/moves/"
        visitor.page = visitor.client.post(address, sent, headers={"X-Part": "game"})
        answer = f"{visitor.text}{dict(visitor.page.headers)}".lower()
        for name in (*SHARES, *POLICY_TITLES.values(), "propensity"):
            assert not re.search(rf"\b{re.escape(name.lower())}\b", answer), name
        game = NavigationGame.objects.get(pk=visitor.game)
        puzzle = game.puzzle
        puzzles.append(puzzle.policy)
        target = puzzle.target
        assert target.key not in answer
        if target.pk not in read_state(game).seen:
            assert not re.search(rf'value="{target.pk}"', answer)
    assert len(set(puzzles)) > 1


def test_in_mind_no_picture_is_given_and_the_player_ends_the_game(visitor):
    visitor.begin(mode="mind", k="8")
    assert len(visitor.tiles) == 8 and "find-target" not in visitor.text
    visitor.send(found=visitor.tiles[5])
    assert "Found in 1 slate" in visitor.text and "You looked for" in visitor.text


@pytest.mark.parametrize("k", [4, 8])
def test_a_game_goes_on_from_what_a_search_found(visitor, k):
    found = Item.objects.get(position=11)
    twin = Item.objects.get(position=12)
    twin.image_sha256 = found.image_sha256
    twin.save()
    assert found.image_sha256 in visitor.client.get("/find/?catalogue=demo&from=11").content.decode()
    for _ in range(5):  # whatever policy is drawn
        visitor.begin(**{"from": "11", "mode": "mind", "k": str(k)})
        assert len(set(visitor.tiles)) == k and found.pk in visitor.tiles and twin.pk not in visitor.tiles
    puzzle = Puzzle.objects.latest("pk")
    assert (puzzle.start_id, puzzle.target_id) == (found.pk, None)
    visitor.send(pick=found.pk)
    assert "Slate 2 of at most 50" in visitor.text


@pytest.mark.parametrize("lead", ["99999", "-1", "٣", "9" * 30, "first", ""])
def test_a_game_that_is_to_go_on_from_nothing_begins_anew(visitor, lead):
    page = visitor.client.get("/find/", {"catalogue": "demo", "from": lead})
    assert page.status_code == 200 and "You go on from this one" not in page.content.decode()
    visitor.begin(**{"from": lead, "mode": "target"})
    assert Puzzle.objects.get().target_id is not None


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 422),
        ({"kind": "dance"}, 422),
        ({"kind": "pick"}, 422),
        ({"pick": "one"}, 422),
        ({"pick": "9" * 40}, 422),
        ({"pick": "٣"}, 422),
        ({"pick": "-1"}, 422),
        ({"kind": "unsure", "turn": "nine"}, 409),
        ({"kind": "unsure", "turn": "2"}, 409),
        ({"kind": "unsure", "turn": "9" * 30}, 409),
        ({"kind": "undo"}, 409),
    ],
)
def test_a_wrong_move_leaves_the_game_as_it_was_and_says_why(visitor, fields, status):
    visitor.begin()
    tiles = visitor.tiles
    visitor.send(**fields)
    assert visitor.page.status_code == status
    assert visitor.tiles == tiles and 'role="alert"' in visitor.text
    assert not Move.objects.exists()


def test_a_move_sent_twice_leads_to_the_same_page(visitor):
    visitor.begin()
    sent = {
        "sitting": visitor.sitting,
        "turn": "1",
        "kind": "unsure",
        "dwell_ms": "1200",
        "modality": "touch",
    }
    pages = [visitor.client.post(f"/find/games/{visitor.game}/moves/", sent, follow=True) for _ in range(2)]
    shown = [re.findall(r'name="pick"\s+value="(\d+)"', page.content.decode()) for page in pages]
    assert shown[0] == shown[1]
    move = Move.objects.get()
    assert (move.dwell_ms, move.modality) == (1200, "touch")


def test_the_script_gets_the_part_that_changes(visitor):
    visitor.begin()
    address = f"/find/games/{visitor.game}/moves/"
    sent = {"sitting": visitor.sitting, "turn": "1", "kind": "unsure"}
    part = visitor.client.post(address, sent, headers={"X-Part": "game"})
    assert part.status_code == 200 and part.content.decode().strip().startswith("<form")
    refused = visitor.client.post(address, {**sent, "kind": "undo"}, headers={"X-Part": "game"})
    assert refused.status_code == 409 and "Here is where you are" in refused.content.decode()
    elsewhere = visitor.client.post(f"/find/games/{'0' * 32}/moves/", sent, headers={"X-Part": "game"})
    assert elsewhere.status_code == 404 and "message" in elsewhere.json()
    stale = visitor.client.post(address, {**sent, "sitting": "old"}, headers={"X-Part": "game"})
    assert stale.status_code == 403 and "Reload" in stale.json()["message"]


def test_somebody_else_finds_no_game_there(visitor):
    visitor.begin()
    thief = Client()
    assert thief.get(f"/find/games/{visitor.game}/").status_code == 404
    key = uuid.uuid4()
    thief.cookies[COOKIE] = sign_cookie(key)
    sent = {"sitting": sign_sitting(key), "turn": "1", "kind": "give-up"}
    assert thief.post(f"/find/games/{visitor.game}/moves/", sent).status_code == 404
    assert not Move.objects.exists()


@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ({"k": "5"}, 422, "4 or 8 items"),
        ({"catalogue": "tiny"}, 409, "has 4 different items, and 5 are needed"),
        ({"catalogue": "bare"}, 409, "cannot be searched yet"),
        ({"catalogue": "none"}, 404, ""),
        ({"sitting": "forged"}, 403, ""),
    ],
)
def test_what_cannot_be_begun_is_told(visitor, fields, status, told):
    make_ground(items=4, slug="tiny", masks=False)
    make_catalogue(items=12, slug="bare", with_images=False)
    visitor.begin(**fields)
    assert visitor.page.status_code == status and told in visitor.text
    assert not (NavigationGame.objects.exists() or Player.objects.exists())


def test_who_plays_faster_than_people_is_told_when_to_go_on(visitor, settings, monkeypatch):
    settings.VOTES_PER_MINUTE = 30
    monkeypatch.setattr(navigation, "limits", navigation.PlayLimits(clock=lambda: 0.0))
    visitor.begin()
    sent = {"sitting": visitor.sitting, "turn": "1", "kind": "unsure"}
    answers = [visitor.client.post(f"/find/games/{visitor.game}/moves/", sent) for _ in range(70)]
    assert answers[0].status_code == 302 and answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 0
    assert Move.objects.count() == 1


def test_a_game_that_is_over_shows_its_end_again(visitor):
    visitor.begin()
    visitor.send(kind="give-up")
    assert "Given up after 1 slate" in visitor.text and "No pick was made" in visitor.text
    first = Puzzle.objects.get().simulated
    visitor.look()
    assert "Given up after 1 slate" in visitor.text
    assert Puzzle.objects.get().simulated == first


def test_the_start_page_without_a_catalogue_says_so():
    assert "Nothing to look through yet" in Client().get("/find/").content.decode()


def test_the_start_page_preselects_the_catalogue_of_the_address(visitor):
    make_ground(items=12, slug="other", masks=False)
    text = visitor.client.get("/find/?catalogue=other").content.decode()
    assert re.search(r'value="other"\s+checked', text) and not re.search(r'value="demo"\s+checked', text)


def test_a_game_played_for_long_keeps_its_sitting(visitor, monkeypatch):
    """Each page carries a new token, so that two days do not end a game that goes on."""
    visitor.begin()
    real = player_cookie.time.time
    for days in (1.5, 3.0):
        monkeypatch.setattr(
            player_cookie.time, "time", lambda d=days: real() + timedelta(days=d).total_seconds()
        )
        visitor.look()
        visitor.send(kind="unsure")
        assert visitor.page.status_code == 200


def test_a_game_that_was_left_is_offered_to_its_player_until_it_ends(visitor):
    visitor.begin()
    address = f"/find/games/{visitor.game}/"
    assert address in visitor.client.get("/find/").content.decode()
    assert address not in Client().get("/find/").content.decode()
    visitor.send(kind="give-up")
    assert address not in visitor.client.get("/find/").content.decode()
