"""Races: all look for the same item, nobody comes in beside the start, and they end whatever players do."""

import uuid
from datetime import timedelta
from http import HTTPStatus

import numpy as np
import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from evaluation.models import Move, NavigationGame, Player, Puzzle, Race, RaceSeat, Slate
from evaluation.selectors.game_results import read_navigation_board
from evaluation.selectors.races import MOST_SEATS, Phase
from evaluation.services.accounts import export_player
from evaluation.services.games import GameRefused
from evaluation.services.nicknames import draw_nickname, read_nickname
from evaluation.services.players import forget_holder
from evaluation.services.races import (
    RACE_LASTS,
    ROOM_WAITS,
    delete_abandoned_rooms,
    draw_race,
    end_late,
    join_race,
    leave_race,
    open_rematch,
)
from search.models import Revision
from tests.evaluation.finding import make_ground
from tests.evaluation.racing import begin_race, look_at, open_room, sit_down, start
from tests.factories import NOW

pytestmark = pytest.mark.django_db
Kind, Outcome = Move.Kind, NavigationGame.Outcome


def find_revision(race: Race) -> int:
    return Revision.objects.get(topic=f"race:{race.pk}").number


def test_all_in_a_race_have_the_same_puzzle_and_the_same_picks_lead_to_the_same_slates():
    race, (one, other) = begin_race(make_ground())
    assert (race.puzzle.policy, race.puzzle.propensity) == ("information", 1)
    assert one.game.pk != other.game.pk and one.game.puzzle_id == other.game.puzzle_id
    assert one.play().game.outcome == other.play().game.outcome == Outcome.FOUND
    assert [slate.items for slate in one.state.slates] == [slate.items for slate in other.state.slates]
    assert look_at(race).phase == Phase.OVER


def test_a_race_needs_two_and_is_started_once_by_anybody_in_it():
    catalogue = make_ground()
    alone, [host] = open_room(catalogue, players=1)
    with pytest.raises(GameRefused, match="needs two"):
        start(alone, host)
    race, (_, guest) = open_room(catalogue)
    with pytest.raises(GameRefused, match="not in this race") as refused:
        start(race, uuid.uuid4())
    assert refused.value.status == HTTPStatus.FORBIDDEN
    assert look_at(race).phase == Phase.OPEN and not NavigationGame.objects.exists()
    start(race, guest)
    start(race, guest, now=NOW + timedelta(minutes=5))
    assert look_at(race).race.ends_at == NOW + RACE_LASTS
    assert NavigationGame.objects.count() == Slate.objects.count() == 2


def test_who_joins_twice_has_one_seat_and_who_left_has_none():
    race, (host, guest) = open_room(make_ground())
    mine = join_race(key=guest, code=race.pk, nickname="Another name", now=NOW)
    assert mine.nickname == "Racer 2" and RaceSeat.objects.count() == 2
    for _ in range(2):
        leave_race(key=guest, code=race.pk)
    assert [seat.player.key for seat in look_at(race).seats] == [host]


def test_who_comes_after_the_start_may_join_until_the_first_has_found_it():
    race, (one, _) = begin_race(make_ground())
    one.pick()
    key = uuid.uuid4()
    late = sit_down(race, join_race(key=key, code=race.pk, nickname="Late", now=NOW).player.key)
    assert late.state.slates[0].items == one.state.slates[0].items and len(late.state.slates) == 1
    one.play()
    with pytest.raises(GameRefused, match="found it already"):
        join_race(key=uuid.uuid4(), code=race.pk, nickname="Too late", now=NOW)
    assert join_race(key=key, code=race.pk, nickname="Late", now=NOW).game_id == late.game.pk


@pytest.mark.parametrize(
    ("name", "told"), [("rACER 1", "called “rACER 1” already"), ("Racer 21", f"All {MOST_SEATS} seats")]
)
def test_names_differ_and_seats_are_counted(name, told):
    race, _ = open_room(make_ground(), players=MOST_SEATS if "seats" in told else 2)
    with pytest.raises(GameRefused, match=told):
        join_race(key=uuid.uuid4(), code=race.pk, nickname=name, now=NOW)


def test_after_the_start_nobody_leaves_but_by_giving_up():
    race, (one, other) = begin_race(make_ground())
    with pytest.raises(GameRefused, match="give up"):
        leave_race(key=one.key, code=race.pk)
    one.move(Kind.GIVE_UP)
    assert look_at(race).phase == Phase.RUNNING
    other.move(Kind.GIVE_UP)
    assert look_at(race).phase == Phase.OVER
    with pytest.raises(GameRefused, match="is over"):
        join_race(key=uuid.uuid4(), code=race.pk, nickname="Late", now=NOW)


def test_a_race_whose_time_is_over_ends_all_its_games_and_no_other():
    catalogue = make_ground()
    race, (one, other) = begin_race(catalogue)
    solo = begin_race(catalogue, seed=1)[0]
    Race.objects.filter(pk=solo.pk).update(ends_at=NOW + timedelta(days=1))
    one.play()
    other.pick()
    assert end_late(NOW + RACE_LASTS - timedelta(seconds=1)) == 0
    assert end_late(NOW + RACE_LASTS) == 1
    game = other.state.game
    assert (game.outcome, game.slates, game.ended_at) == (Outcome.LATE, 2, NOW + RACE_LASTS)
    assert look_at(race).phase == Phase.OVER and look_at(solo).phase == Phase.RUNNING
    with pytest.raises(GameRefused, match="over"):
        other.pick()
    assert end_late(NOW + RACE_LASTS) == 0


def test_rooms_that_nobody_started_are_cleared_away_after_a_day_and_no_others():
    catalogue = make_ground()
    run, _ = begin_race(catalogue)
    left, _ = open_room(catalogue, seed=1)
    waiting, _ = open_room(catalogue, seed=2)
    Race.objects.filter(pk=waiting.pk).update(created_at=NOW + timedelta(hours=1))
    assert delete_abandoned_rooms(NOW + ROOM_WAITS) == 0
    assert delete_abandoned_rooms(NOW + ROOM_WAITS + timedelta(seconds=1)) == 1
    assert set(Race.objects.all()) == {run, waiting}
    assert set(Puzzle.objects.all()) == {run.puzzle, waiting.puzzle}
    assert RaceSeat.objects.count() == 4 and not Revision.objects.filter(topic=f"race:{left.pk}").exists()


def test_everything_that_happens_raises_the_revision_of_this_race_alone():
    catalogue = make_ground()
    still, _ = open_room(catalogue)
    before = find_revision(still)
    race, keys = open_room(catalogue, seed=1)
    seen = [find_revision(race)]

    def expect_news():
        seen.append(find_revision(race))
        assert seen[-1] > seen[-2]

    guest = uuid.uuid4()
    join_race(key=guest, code=race.pk, nickname="Guest", now=NOW)
    expect_news()
    leave_race(key=guest, code=race.pk)
    expect_news()
    start(race, keys[0])
    expect_news()
    one, other = (sit_down(race, key) for key in keys)
    one.pick()
    expect_news()
    one.move(Kind.UNDO)
    expect_news()
    one.move(Kind.GIVE_UP)
    expect_news()
    forget_holder(key=one.key, now=NOW)
    expect_news()
    end_late(NOW + RACE_LASTS)
    expect_news()
    again = draw_race(catalogue=catalogue, k=4, now=NOW, rng=np.random.default_rng(9))
    open_rematch(key=other.key, state=look_at(race), puzzle=again, now=NOW)
    expect_news()
    assert find_revision(still) == before


def test_a_rematch_is_one_for_all_who_ask_and_for_those_only():
    catalogue = make_ground()
    race, racers = begin_race(catalogue)

    def ask(key, seed):
        puzzle = draw_race(catalogue=catalogue, k=4, now=NOW, rng=np.random.default_rng(seed))
        return open_rematch(key=key, state=look_at(race), puzzle=puzzle, now=NOW)

    with pytest.raises(GameRefused, match="not over"):
        ask(racers[0].key, 1)
    for racer in racers:
        racer.move(Kind.GIVE_UP)
    with pytest.raises(GameRefused, match="not in this race"):
        ask(uuid.uuid4(), 2)
    first, second = (ask(racer.key, seed) for seed, racer in enumerate(racers, start=3))
    assert first == second != race and first.puzzle_id != race.puzzle_id
    assert [seat.nickname for seat in look_at(first).seats] == ["Racer 1"]
    assert Puzzle.objects.count() == 2


def test_forgotten_players_have_no_name_in_any_race_and_their_moves_still_count():
    catalogue = make_ground()
    race, (one, other) = begin_race(catalogue)
    waiting, (host, _) = open_room(catalogue, seed=1)
    Player.objects.filter(key=host).update(key=uuid.uuid4())
    RaceSeat.objects.filter(race=waiting, nickname="Racer 1").update(player=Player.objects.get(key=one.key))
    one.pick()
    forget_holder(key=one.key, now=NOW)
    forget_holder(key=other.key, now=NOW)
    assert {seat.nickname for seat in look_at(race).seats} == {""}
    assert [seat.nickname for seat in look_at(waiting).seats] == ["Racer 2"]
    assert Move.objects.count() == 1


def test_my_data_has_my_races_and_keeps_their_secrets_until_they_are_over():
    _, (one, other) = begin_race(make_ground())
    one.play()
    mine = export_player(player=Player.objects.get(key=one.key))
    assert [race["nickname"] for race in mine["races"]] == ["Racer 1"]
    assert mine["games"][0]["policy"] is None and mine["games"][0]["target"] is None
    other.move(Kind.GIVE_UP)
    mine = export_player(player=Player.objects.get(key=one.key))
    assert mine["games"][0]["policy"] == "information" and mine["games"][0]["target"]


def test_races_are_left_out_where_policies_are_compared():
    _, racers = begin_race(make_ground())
    assert read_navigation_board(now=timezone.now()).going_on == 0
    for racer in racers:
        racer.play()
    assert read_navigation_board(now=timezone.now()).rows == []


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Ada \t Lovelace ", "Ada Lovelace"),
        ("", ""),
        (" ", ""),
        ("Ünal-3_b.'s", "Ünal-3_b.'s"),
        ("प्रिया", "प्रिया"),
        ("محمد", "محمد"),
        ("\uff21\uff44\uff41", "Ada"),
    ],
)
def test_names_of_every_script_are_taken_as_they_are_meant(typed, name):
    assert read_nickname(typed) == name


@pytest.mark.parametrize(
    "typed",
    ["x" * 21, "<b>", "a\u202eb", "a\u200bb", "a\x00b", "🟩", "...", "a&b", '"', "{{ x }}", "a/b"],
)
def test_names_that_could_mislead_are_refused(typed):
    with pytest.raises(GameRefused) as refused:
        read_nickname(typed)
    assert refused.value.status == HTTPStatus.UNPROCESSABLE_ENTITY


@given(st.text(max_size=40))
def test_a_name_that_was_taken_is_taken_again_as_it_is(typed):
    try:
        name = read_nickname(typed)
    except GameRefused:
        return
    assert read_nickname(name) == name and len(name) <= 20


def test_drawn_names_are_names_and_differ():
    rng = np.random.default_rng(0)
    taken = []
    for _ in range(MOST_SEATS):
        taken.append(draw_nickname([name.upper() for name in taken], rng))
        assert read_nickname(taken[-1]) == taken[-1]
    assert len(set(taken)) == MOST_SEATS
