"""Navigation games that are over, one by one, for analysts to take away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from evaluation.models import NavigationGame, RaceSeat

AT_ONCE: Final = 2000
_NAMES: Final = (
    *("pk", "puzzle__catalogue__slug", "puzzle_id", "player_id", "puzzle__policy", "puzzle__allocation"),
    *("puzzle__propensity", "puzzle__k", "puzzle__day", "seat", "puzzle__target", "begun_at", "outcome"),
    *("slates", "stood_in"),
)


@dataclass(frozen=True, slots=True)
class GameRow:
    """One game. ``slate``: items of each slate; ``daily``: the day whose puzzle it was, if it was one.

    ``hidden``: the site knew what was looked for, not the player alone. ``player`` is a number, not a name.
    """

    catalogue: str
    puzzle: int
    player: int
    policy: str
    allocation: str
    propensity: float
    slate: int
    daily: date | None
    race: bool
    hidden: bool
    day: date
    outcome: str
    slates: int
    stood_in: bool


def list_games(*, now: datetime, at_once: int = AT_ONCE) -> Iterator[GameRow]:
    """Games of which no policy is hidden any more: ended, and so is their race and the day of their puzzle.

    In the order of their random ids, by a short query for each ``at_once``.
    """
    games, last = _list_open_to_all(now).order_by("pk"), ""
    while rows := list(games.filter(pk__gt=last).values_list(*_NAMES)[:at_once]):
        last = rows[-1][0]
        yield from map(_describe, rows)


def _list_open_to_all(now: datetime) -> QuerySet[NavigationGame]:
    playing = RaceSeat.objects.filter(
        race__puzzle=OuterRef("puzzle"), game__isnull=False, game__ended_at__isnull=True
    )
    daily = Q(puzzle__day=None) | Q(puzzle__day__lt=now.date())
    return NavigationGame.objects.filter(daily, ~Exists(playing), ended_at__isnull=False)


def _describe(row: Any) -> GameRow:
    _, *of_puzzle, daily, seat, target, begun_at, outcome, slates, stood_in = row
    in_race, hidden = seat is not None, target is not None
    cells = [*of_puzzle, daily, in_race, hidden, begun_at.date(), outcome, slates, stood_in]
    return GameRow(*cells)
