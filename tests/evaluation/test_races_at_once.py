"""Races in which two things happen at once: whoever changes a race has its row first."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from evaluation.models import Move, NavigationGame, Player, Race, RaceSeat, Slate
from evaluation.selectors.races import Phase
from evaluation.services.games import GameRefused
from evaluation.services.moves import MadeMove, check_move, store_move
from evaluation.services.players import finish_forgetting, forget_holder
from evaluation.services.races import RACE_LASTS, end_late, join_race
from search.models import Revision
from tests.evaluation.finding import make_ground
from tests.evaluation.racing import begin_race, look_at, open_room, start
from tests.factories import NOW
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db
Kind, Outcome = Move.Kind, NavigationGame.Outcome


@pytest.mark.django_db(transaction=True)
def test_joining_and_starting_at_once_leaves_nobody_without_a_game():
    race, keys = open_room(make_ground())
    guests = [uuid.uuid4() for _ in range(3)]

    def act(key):
        try:
            if key in keys:
                start(race, key)
            else:
                join_race(key=key, code=race.pk, nickname=f"Guest {guests.index(key)}", now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        list(pool.map(act, [guests[0], keys[0], guests[1], keys[1], guests[2]]))
    state = look_at(race)
    assert len(state.seats) == 5 == len({seat.game_id for seat in state.seats} - {None})


@pytest.mark.parametrize("ends", [False, True])
def test_a_move_under_way_when_the_time_is_over_is_refused_and_changes_nothing(ends):
    _, (one, _) = begin_race(make_ground())
    kind = Kind.GIVE_UP if ends else Kind.UNSURE
    slow = check_move(key=one.key, game_id=one.game.pk, made=MadeMove(1, kind))
    end_late(NOW + RACE_LASTS)
    with pytest.raises(GameRefused, match="over"):
        store_move(slow, slow.wanted.choose() if slow.wanted else None, now=NOW + RACE_LASTS)
    assert not Move.objects.exists() and Slate.objects.count() == 2
    game = NavigationGame.objects.get(pk=one.game.pk)
    assert (game.outcome, game.slates, game.ended_at) == (Outcome.LATE, 1, NOW + RACE_LASTS)


@pytest.mark.parametrize("kind", [Kind.UNSURE, Kind.GIVE_UP])
def test_the_same_move_made_twice_at_once_is_stored_once_and_answered_twice(kind):
    _, (one, _) = begin_race(make_ground())
    slow = check_move(key=one.key, game_id=one.game.pk, made=MadeMove(1, kind))
    quick = one.move(kind, turn=1)
    again = store_move(slow, slow.wanted.choose() if slow.wanted else None, now=NOW + RACE_LASTS)
    assert (again.game.ended_at, again.moves) == (quick.game.ended_at, quick.moves)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time by itself")
@pytest.mark.parametrize("late", [False, True])
def test_a_race_does_not_end_beside_somebody_who_joins(late):
    race, (one, two) = begin_race(make_ground())
    one.move(Kind.GIVE_UP)

    def end():
        try:
            return end_late(NOW + RACE_LASTS) if late else two.move(Kind.GIVE_UP, turn=1)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            hold_race(race)
            ended = pool.submit(end)
            wait_until(lambda: ended.done() or somebody_waits())
            joined = join_race(key=uuid.uuid4(), code=race.pk, nickname="Late", now=NOW)
            assert not ended.done()
        assert ended.result(30)
    assert look_at(race).phase == Phase.RUNNING and joined.game.ended_at is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time by itself")
def test_who_is_forgotten_while_the_race_is_started_has_a_game_and_no_name():
    race, (host, guest) = open_room(make_ground())

    def forget():
        try:
            return forget_holder(key=guest, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            hold_race(race)
            forgotten = pool.submit(forget)
            wait_until(lambda: forgotten.done() or somebody_waits())
            start(race, host)
        assert forgotten.result(30)
    assert [seat.nickname for seat in look_at(race).seats] == ["Racer 1", ""]
    assert NavigationGame.objects.count() == Player.objects.count() == 2


def test_seats_that_were_being_taken_while_their_player_was_forgotten_are_cleared_away():
    catalogue = make_ground()
    race, (one, _) = begin_race(catalogue)
    room, _ = open_room(catalogue, seed=1)
    player = Player.objects.get(key=one.key)
    forget_holder(key=one.key, now=NOW)
    # As if the joining processes had not been done yet.
    RaceSeat.objects.filter(player=player).update(nickname="Racer 1")
    RaceSeat.objects.create(race=room, player=player, nickname="Racer 3", joined_at=NOW)
    before = find_revisions(race, room)
    finish_forgetting(NOW + timedelta(minutes=1))
    assert [seat.nickname for seat in look_at(race).seats] == ["", "Racer 2"]
    assert [seat.nickname for seat in look_at(room).seats] == ["Racer 1", "Racer 2"]
    told = find_revisions(race, room)
    assert all(after > earlier for earlier, after in zip(before, told, strict=True))
    finish_forgetting(NOW + timedelta(minutes=2))
    assert find_revisions(race, room) == told


def find_revisions(*races: Race) -> list[int]:
    return [Revision.objects.get(topic=f"race:{race.pk}").number for race in races]


def hold_race(race: Race) -> None:
    """As whoever changes a race does."""
    Race.objects.select_for_update().get(pk=race.pk)


def somebody_waits() -> bool:
    """Whether somebody waits for what this transaction holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone()[0])
