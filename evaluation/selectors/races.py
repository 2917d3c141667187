"""Where a race stands, worked out from its seats and their games."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from evaluation.models import NavigationGame, Player, Race, RaceSeat

MOST_SEATS = 20
FEWEST_SEATS = 2


class Phase(StrEnum):
    OPEN = "open"
    RUNNING = "running"
    OVER = "over"


@dataclass(frozen=True)
class RaceState:
    """A race with its seats in the order of their coming."""

    race: Race
    seats: Sequence[RaceSeat]

    @property
    def phase(self) -> Phase:
        if self.race.started_at is None:
            return Phase.OPEN
        return Phase.RUNNING if any(is_playing(seat) for seat in self.seats) else Phase.OVER

    @property
    def closed(self) -> str:
        """Why nobody can come in any more; empty where they can."""
        if self.phase == Phase.OVER:
            return "This race is over."
        if any(seat.game and seat.game.outcome == NavigationGame.Outcome.FOUND for seat in self.seats):
            return "Somebody has found it already: whoever came now would have no chance."
        return f"All {MOST_SEATS} seats are taken." if len(self.seats) >= MOST_SEATS else ""

    def seat_of(self, key: uuid.UUID | None) -> RaceSeat | None:
        """The seat of the player who holds this key."""
        return next((seat for seat in self.seats if key is not None and seat.player.key == key), None)


def name_topic(code: str) -> str:
    """What open pages of the race with this code listen to; `search/live.py` knows its form."""
    return f"race:{code}"


def is_playing(seat: RaceSeat) -> bool:
    """Whether the seat's game goes on."""
    return seat.game is not None and seat.game.ended_at is None


def find_race(code: str) -> RaceState | None:
    """The race of this code."""
    races = Race.objects.select_related("puzzle__catalogue", "puzzle__target__category", "after")
    race = races.filter(pk=code).first()
    return None if race is None else read_race(race)


def read_race(race: Race) -> RaceState:
    """Where a race stands now."""
    seats = list(race.seats.select_related("player", "game"))
    for seat in seats:
        if seat.game is not None:
            seat.game.puzzle = race.puzzle  # the same for all, read once
    return RaceState(race, seats)


def find_race_of(game: NavigationGame) -> Race | None:
    """The race that a game is part of."""
    return game.seat.race if hasattr(game, "seat") else None


def find_newest(race: Race) -> Race:
    """The last of the rematches that began with this race; itself where there was none."""
    while hasattr(race, "rematch"):
        race = race.rematch
    return race


def find_last_name(key: uuid.UUID | None) -> str:
    """What this player was called in the race before; empty where there was none."""
    if key is None:
        return ""
    seats = RaceSeat.objects.filter(player__key=key).order_by("-joined_at", "-pk")
    return seats.values_list("nickname", flat=True).first() or ""


def export_races(player: Player) -> list[dict[str, Any]]:
    """Everything stored about one player's races beside the games played in them."""
    seats = RaceSeat.objects.filter(player=player).select_related("race__puzzle__catalogue")
    return [
        {
            "code": seat.race_id,
            "catalogue": seat.race.puzzle.catalogue.slug,
            "nickname": seat.nickname,
            "joined_at": seat.joined_at,
            "started_at": seat.race.started_at,
        }
        for seat in seats
    ]
