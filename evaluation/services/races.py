"""Races: a room is opened, players come in, it is started, and all look for the same item.

Whoever changes a race has its row first, so that nobody comes in beside its start.
"""

import secrets
import uuid
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import numpy as np
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from evaluation.models import NavigationGame, Player, Puzzle, Race, RaceSeat, Slate
from evaluation.selectors.games import read_state
from evaluation.selectors.races import FEWEST_SEATS, Phase, RaceState, name_topic, read_race
from evaluation.services.game_grounds import Choice
from evaluation.services.game_holds import hold_game
from evaluation.services.games import GameRefused, draw_puzzle, open_game_of, require_spaces
from evaluation.services.race_news import tell_race
from evaluation.stats.navigation import DrawnPolicy
from search.models import Catalogue, Revision

ALLOCATION: Final = "race-1"
POLICY: Final = "information"
RACE_LASTS: Final = timedelta(minutes=30)
ROOM_WAITS: Final = timedelta(days=1)
# 60 random bits, in signs that are not mistaken for each other.
_SIGNS: Final = "023456789abcdefghjkmnpqrstuvwxyz"
_CODE_LENGTH: Final = 12


def draw_race(*, catalogue: Catalogue, k: int, now: datetime, rng: np.random.Generator) -> Puzzle:
    """A puzzle for one race, with one policy for all in it; not stored yet. Raises GameRefused."""
    return draw_puzzle(
        spaces=require_spaces(catalogue),
        k=k,
        has_target=True,
        drawn=DrawnPolicy(POLICY, 1.0),
        allocation=ALLOCATION,
        now=now,
        rng=rng,
    )


@transaction.atomic
def open_race(
    *, key: uuid.UUID, puzzle: Puzzle, nickname: str, now: datetime, after: Race | None = None
) -> Race:
    """A room on this new puzzle, with its first player in it."""
    puzzle.save()
    code = "".join(secrets.choice(_SIGNS) for _ in range(_CODE_LENGTH))
    race = Race.objects.create(code=code, puzzle=puzzle, after=after, created_at=now)
    _take_seat(race, _find_player(key, now), nickname=nickname, now=now)
    if after is not None:
        tell_race(after.pk)
    return race


def open_rematch(*, key: uuid.UUID, state: RaceState, puzzle: Puzzle, now: datetime) -> Race:
    """The one race that follows on this one, which is over; for who was in it. Raises GameRefused."""
    mine = require_seat(state, key)
    if state.phase != Phase.OVER:
        raise GameRefused(HTTPStatus.CONFLICT, "This race is not over yet.")
    try:
        return open_race(key=key, puzzle=puzzle, nickname=mine.nickname, now=now, after=state.race)
    except IntegrityError:
        rematch = Race.objects.filter(after=state.race).first()
        if rematch is None:
            raise
        return rematch  # another one opened it, before or meanwhile


@transaction.atomic
def join_race(*, key: uuid.UUID, code: str, nickname: str, now: datetime) -> RaceSeat:
    """A seat in the race, the one the player has already or a new one; with a game where it is running.

    Raises GameRefused.
    """
    state = _hold(code)
    mine = state.seat_of(key)
    if mine is not None:
        return mine
    if state.closed:
        raise GameRefused(HTTPStatus.CONFLICT, state.closed)
    if any(seat.nickname.casefold() == nickname.casefold() for seat in state.seats):
        raise GameRefused(
            HTTPStatus.CONFLICT, f"Somebody here is called “{nickname}” already: choose another name."
        )
    player, game = _find_player(key, now), None
    if state.phase == Phase.RUNNING:
        # The first slate is the same for all.
        first = Slate.objects.filter(game__seat__race=code, turn=1)[0]
        choice = Choice(first.items, first.bits)
        game = open_game_of(player, puzzle=state.race.puzzle, first=choice, now=now)
    return _take_seat(state.race, player, nickname=nickname, now=now, game=game)


@transaction.atomic
def start_race(
    *, key: uuid.UUID, code: str, first: Choice, now: datetime, lasts: timedelta = RACE_LASTS
) -> None:
    """Begin the games of all who are in it, with this slate, once; anybody in it may. Raises GameRefused."""
    state = _hold(code)
    require_seat(state, key)
    if state.phase != Phase.OPEN:
        return
    if len(state.seats) < FEWEST_SEATS:
        raise GameRefused(HTTPStatus.CONFLICT, "A race needs two: send somebody the link.")
    race = state.race
    race.started_at, race.ends_at = now, now + lasts
    race.save(update_fields=["started_at", "ends_at"])
    for seat in state.seats:
        seat.game = open_game_of(seat.player, puzzle=race.puzzle, first=first, now=now)
        seat.save(update_fields=["game"])
    tell_race(code)


@transaction.atomic
def leave_race(*, key: uuid.UUID, code: str) -> None:
    """Give the seat back, before the start; later a game is given up instead. Raises GameRefused."""
    state = _hold(code)
    mine = state.seat_of(key)
    if mine is None:
        return
    if mine.game is not None:
        raise GameRefused(HTTPStatus.CONFLICT, "The race is on: give up your game to leave it.")
    mine.delete()
    tell_race(code)


def end_late(now: datetime, seats: QuerySet[RaceSeat] | None = None) -> int:
    """End the games of races (or only those of these seats) whose time is over; returns how many."""
    seats = RaceSeat.objects.all() if seats is None else seats
    late = seats.filter(race__ends_at__lte=now, game__isnull=False, game__ended_at=None)
    return sum(_end(seat) for seat in late.select_related("race", "game"))


@transaction.atomic
def delete_abandoned_rooms(now: datetime) -> int:
    """Delete the rooms that nobody started while they could wait for it; returns how many."""
    rooms = Race.objects.select_for_update().order_by("pk")
    rooms = rooms.filter(started_at=None, created_at__lt=now - ROOM_WAITS)
    puzzles = dict(rooms.values_list("pk", "puzzle_id"))
    RaceSeat.objects.filter(race__in=puzzles).delete()
    Race.objects.filter(pk__in=puzzles).delete()
    Puzzle.objects.filter(pk__in=puzzles.values()).delete()
    Revision.objects.filter(topic__in=map(name_topic, puzzles)).delete()
    return len(puzzles)


def require_seat(state: RaceState, key: uuid.UUID) -> RaceSeat:
    """The player's seat. Raises GameRefused."""
    mine = state.seat_of(key)
    if mine is None:
        raise GameRefused(HTTPStatus.FORBIDDEN, "You are not in this race.")
    return mine


@transaction.atomic
def _end(seat: RaceSeat) -> int:
    assert seat.game is not None
    if not hold_game(seat.game):
        return 0  # by its last move, or another request ended it
    NavigationGame.objects.filter(pk=seat.game.pk).update(
        ended_at=seat.race.ends_at,
        outcome=NavigationGame.Outcome.LATE,
        slates=read_state(seat.game).shown,
    )
    tell_race(seat.race.pk)
    return 1


def _hold(code: str) -> RaceState:
    """Where the race stands, and goes on standing until the transaction ends. Raises GameRefused."""
    race = Race.objects.select_for_update().filter(pk=code).first()
    if race is None:
        raise GameRefused(HTTPStatus.NOT_FOUND, "There is no such race.")
    return read_race(race)


def _find_player(key: uuid.UUID, now: datetime) -> Player:
    return Player.objects.get_or_create(key=key, defaults={"created_at": now})[0]


def _take_seat(
    race: Race, player: Player, *, nickname: str, now: datetime, game: NavigationGame | None = None
) -> RaceSeat:
    seat = RaceSeat.objects.create(race=race, player=player, nickname=nickname, joined_at=now, game=game)
    tell_race(race.pk)
    return seat
