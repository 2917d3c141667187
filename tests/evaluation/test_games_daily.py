"""The daily puzzle: one per date, the same for all, one game for each player."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from evaluation.models import NavigationGame, Puzzle, Slate
from evaluation.selectors.game_results import read_day
from evaluation.services.daily import find_daily
from evaluation.services.games import GameRefused, begin_game
from search.models import Index
from tests.evaluation.finding import Visitor, add_spaces, end_game, forget_opened, make_ground
from tests.factories import NOW, make_catalogue

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 1)


def ask(day=DAY, seed=0):
    return find_daily(day=day, now=NOW, rng=np.random.default_rng(seed))


def test_whoever_asks_first_freezes_the_puzzle_of_the_day():
    catalogue = make_ground()
    puzzle = ask()
    assert (puzzle.policy, puzzle.propensity, puzzle.k, puzzle.number) == ("information", 1, 4, 1)
    add_spaces(catalogue, version="2")
    assert ask(seed=1) == puzzle
    frozen = ask(seed=1)
    assert (frozen.spaces, frozen.target_id, frozen.seed) == (puzzle.spaces, puzzle.target_id, puzzle.seed)


def test_numbers_count_days_from_the_first_also_those_on_which_nobody_came():
    make_ground()
    numbers = [ask(DAY + timedelta(days=days)).number for days in (0, 1, 5)]
    assert numbers == [1, 2, 6]


@pytest.mark.django_db(transaction=True)
def test_all_who_ask_at_once_get_the_same_puzzle():
    make_ground()

    def ask_apart(seed):
        try:
            return ask(seed=seed).pk
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        assert len(set(pool.map(ask_apart, range(4)))) == 1
    assert Puzzle.objects.count() == 1


def test_every_player_sees_the_same_slates_and_has_one_game():
    make_ground()
    puzzle = ask()
    keys = [uuid.uuid4(), uuid.uuid4()]
    games = []
    for key in (*keys, keys[0]):
        forget_opened()
        games.append(begin_game(key=key, puzzle=puzzle, now=NOW))
    assert games[0] == games[2] and games[0] != games[1]
    first, second = Slate.objects.order_by("pk")
    assert first.items == second.items


def test_without_anything_to_look_for_there_is_no_puzzle():
    with pytest.raises(GameRefused, match="nothing to look for yet"):
        ask()
    make_ground(items=4, masks=False)
    with pytest.raises(GameRefused, match="4 different items, and 5 are needed"):
        ask()


def test_the_oldest_catalogue_that_can_be_navigated_is_taken():
    make_catalogue(items=12, slug="bare", with_images=False)
    make_ground(items=4, slug="tiny", masks=False)
    make_ground(slug="demo")
    assert ask().catalogue.slug == "demo"


def test_the_results_of_a_day_count_each_ended_game_once():
    make_ground()
    puzzle = ask()
    for outcome, slates in [("found", 3), ("found", 3), ("found", 5), ("given-up", 2), ("broken", 4)]:
        end_game(begin_game(key=uuid.uuid4(), puzzle=puzzle, now=NOW), outcome, slates)
    begin_game(key=uuid.uuid4(), puzzle=puzzle, now=NOW)
    day = read_day(puzzle)
    assert day.games == 4 and day.most == 2
    assert day.bars == [("1", 0), ("2", 0), ("3", 2), ("4", 0), ("5", 1), ("not found", 1)]


def test_the_day_is_played_through_and_told_to_others():
    make_ground()
    visitor = Visitor()
    visitor.page = visitor.client.get("/find/daily/")
    assert "Puzzle #1" in visitor.text
    begun = {"sitting": visitor.sitting, "number": "1"}
    visitor.page = visitor.client.post("/find/daily/begin/", begun, follow=True)
    visitor.game = NavigationGame.objects.get().pk
    target = Puzzle.objects.get().target_id
    while target not in visitor.tiles:
        visitor.send(pick=visitor.tiles[0])
    visitor.send(pick=target)
    game = NavigationGame.objects.get()
    # The first slate may show the day's target by chance.
    told = "1 slate" if game.slates == 1 else f"{game.slates} slates"
    assert f"Dope or Nope #1 · {told} (best program" in visitor.text
    assert "so far" in visitor.text and "/find/daily/" in visitor.text
    again = visitor.client.post("/find/daily/begin/", begun, follow=True)
    assert again.request["PATH_INFO"] == f"/find/games/{game.pk}/"
    assert "You have played it" in visitor.client.get("/find/daily/").content.decode()
    assert NavigationGame.objects.count() == 1


def test_the_day_after_shows_the_results_of_the_day_before():
    make_ground()
    visitor = Visitor()
    puzzle = ask(timezone.now().date() - timedelta(days=1))
    end_game(begin_game(key=uuid.uuid4(), puzzle=puzzle, now=NOW), "found", 7)
    visitor.page = visitor.client.get("/find/daily/")
    visitor.page = visitor.client.post(
        "/find/daily/begin/", {"sitting": visitor.sitting, "number": "2"}, follow=True
    )
    visitor.game = NavigationGame.objects.exclude(puzzle=puzzle).get().pk
    assert "Puzzle #1" not in visitor.text
    visitor.send(kind="give-up")
    assert "Puzzle #2" in visitor.text and "Puzzle #1" in visitor.text and "7: 1" in visitor.text


def test_a_game_of_a_day_that_is_over_can_be_gone_on_with():
    make_ground()
    visitor = Visitor()
    visitor.begin()
    player = NavigationGame.objects.get().player
    today = timezone.now().date()
    games = {
        days: begin_game(key=player.key, puzzle=ask(today - timedelta(days=days)), now=NOW) for days in (1, 0)
    }
    visitor.page = visitor.client.get("/find/")
    assert f"/find/games/{games[1].pk}/" in visitor.text
    assert f"/find/games/{games[0].pk}/" not in visitor.text, "it has a page of its own"


def test_who_begins_the_puzzle_of_a_day_that_has_passed_is_told():
    make_ground()
    visitor = Visitor()
    ask(timezone.now().date() - timedelta(days=1))
    visitor.page = visitor.client.get("/find/daily/")
    stale = {"sitting": visitor.sitting, "number": "1"}  # as the page of the day before sends it
    visitor.page = visitor.client.post("/find/daily/begin/", stale)
    assert visitor.page.status_code == 409 and "another day by now" in visitor.text
    assert "Puzzle #2" in visitor.text and not NavigationGame.objects.exists()


def test_an_index_that_is_retired_leaves_the_puzzle_of_the_day_playable():
    make_ground()
    puzzle = ask()
    Index.objects.update(state="retired")
    forget_opened()
    assert begin_game(key=uuid.uuid4(), puzzle=puzzle, now=NOW).puzzle == puzzle
