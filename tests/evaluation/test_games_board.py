"""How many slates people need by policy: which games count, and for how much."""

import csv
import io
import uuid
from datetime import timedelta

import numpy as np
import pytest
from django.test import Client

from evaluation.models import Move, NavigationGame, Player, Puzzle
from evaluation.selectors import game_results
from evaluation.selectors.game_results import LEFT_AFTER
from evaluation.services.daily import find_daily
from evaluation.services.games import begin_game, draw_game
from evaluation.services.moves import MadeMove, make_move
from search.models import EmbeddingSpace
from tests.evaluation.finding import Finder, add_spaces, end_game, make_ground
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue():
    return make_ground()


def read_navigation_board(*, now=NOW):
    return game_results.read_navigation_board(now=now)


def play(catalogue, policy, outcome, slates, *, key=None, k=4, has_target=True):
    rng = np.random.default_rng(0)
    puzzle = draw_game(catalogue=catalogue, k=k, has_target=has_target, now=NOW, rng=rng)
    game = begin_game(key=key or uuid.uuid4(), puzzle=puzzle, now=NOW)
    Puzzle.objects.filter(pk=game.puzzle_id).update(policy=policy)
    if outcome:
        end_game(game, outcome, slates)
    return game


def test_ended_games_of_a_hidden_target_count_by_policy_and_slate(catalogue):
    for slates in (4, 6, 8):
        play(catalogue, "information", "found", slates)
    play(catalogue, "rule", "found", 10)
    play(catalogue, "rule", "given-up", 3)
    play(catalogue, "rule", "not-found", 50)
    play(catalogue, "information", "found", 3, k=8)
    play(catalogue, "information", "broken", 1)
    play(catalogue, "information", "found", 1, has_target=False)
    play(catalogue, "information", "", 0)
    daily = find_daily(day=NOW.date(), now=NOW, rng=np.random.default_rng(0))
    end_game(begin_game(key=uuid.uuid4(), puzzle=daily, now=NOW), "found", 2)
    board = read_navigation_board()
    assert [(row.slate, row.policy, row.games) for row in board.rows] == [
        (4, "information", 3),
        (4, "rule", 3),
        (8, "information", 1),
    ]
    information, rule, wide = board.rows
    assert information.mean == 6 and information.low < 6 < information.high
    assert rule.mean == pytest.approx((10 + 50 + 50) / 3)
    assert (rule.found, rule.given_up) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert (wide.mean, wide.low, wide.high) == (3, None, None)
    assert board.going_on == 1


def test_a_game_that_was_left_counts_as_one_that_was_given_up_until_somebody_comes_back():
    finder = Finder(make_ground(), seed=4)
    finder.pick()
    longest, after = NOW + LEFT_AFTER, NOW + LEFT_AFTER + timedelta(seconds=1)
    assert (read_navigation_board(now=longest).rows, read_navigation_board(now=longest).going_on) == ([], 1)
    board = read_navigation_board(now=after)
    [row] = board.rows
    assert (row.mean, row.left, row.found, row.given_up, board.going_on) == (50, 1, 0, 0, 0)
    finder.play()
    [row] = read_navigation_board(now=after).rows
    assert (row.mean, row.left, row.found) == (finder.state.game.slates, 0, 1)


def test_a_policy_that_drives_people_away_does_not_look_good(catalogue):
    for slates in (4, 6, 8):
        play(catalogue, "information", "found", slates)
        play(catalogue, "rule", "found", slates - 1)
        play(catalogue, "rule", "", 0)
    information, rule = read_navigation_board(now=NOW + 2 * LEFT_AFTER).rows
    assert (information.policy, rule.policy) == ("information", "rule")
    assert (rule.mean, rule.left, rule.found) == (27.5, 0.5, 0.5)


def test_the_last_move_tells_how_long_a_game_was_left(catalogue):
    game = play(catalogue, "information", "", 0)
    made = MadeMove(turn=1, kind=Move.Kind.UNSURE)
    make_move(key=game.player.key, game_id=game.pk, made=made, now=NOW + LEFT_AFTER)
    assert read_navigation_board(now=NOW + LEFT_AFTER * 1.5).going_on == 1


def test_what_was_played_on_other_spaces_stands_in_rows_of_its_own(catalogue):
    play(catalogue, "information", "found", 4)
    add_spaces(catalogue, version="2")
    play(catalogue, "information", "found", 6)
    EmbeddingSpace.objects.filter(mask="shape").update(catalogue_hash="older")  # and so with one mask less
    play(catalogue, "information", "found", 8)
    rows = read_navigation_board().rows
    assert sorted((row.space, row.masks, row.mean) for row in rows) == [
        ("pupil", "colour", 8),
        ("pupil", "colour, shape", 4),
        ("pupil", "colour, shape", 6),
    ]
    assert len({row.build for row in rows}) == 3
    page = Client().get("/find/leaderboard/").content.decode()
    assert page.count("Demo, slates of 4") == 3


def test_games_of_one_player_are_no_sample_of_many(catalogue):
    key = uuid.uuid4()
    for slates in (4, 5, 6):
        play(catalogue, "information", "found", slates, key=key)
    [row] = read_navigation_board().rows
    assert (row.games, row.players, row.low) == (3, 1, None)
    assert Player.objects.count() == 1


def test_page_and_exports_say_the_same(catalogue):
    assert "No game has ended yet" in Client().get("/find/leaderboard/").content.decode()
    play(catalogue, "information", "found", 5)
    play(catalogue, "information", "found", 8)
    page = Client().get("/find/leaderboard/").content.decode()
    assert "6.5" in page and "Demo, slates of 4" in page
    told = Client().get("/find/leaderboard/export.json").json()
    [row] = csv.DictReader(io.StringIO(Client().get("/find/leaderboard/export.csv").content.decode()))
    assert told["rows"][0]["mean"] == float(row["mean"]) == 6.5
    assert row["policy"] == "information" and told["going_on"] == 0
    assert (row["space"], row["masks"], row["left"]) == ("pupil", "colour, shape", "0.0")
    assert f"Played on pupil with masks colour, shape, build {row['build']}" in " ".join(page.split())


def test_a_title_that_a_spreadsheet_would_run_is_a_text(catalogue):
    catalogue.title = "=1+1"
    catalogue.save()
    play(catalogue, "information", "found", 5)
    text = Client().get("/find/leaderboard/export.csv").content.decode()
    assert "'=1+1" in text
    assert NavigationGame.objects.count() == 1
