"""Players of a race: through the services, and over HTTP as browsers without JavaScript."""

import re
import uuid
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.http import HttpResponse

from evaluation.models import Puzzle, Race, RaceSeat
from evaluation.selectors.races import RaceState, find_race
from evaluation.services.games import want_first_slate
from evaluation.services.races import draw_race, join_race, open_race, start_race
from search.models import Catalogue
from tests.evaluation.finding import Finder, Visitor
from tests.factories import NOW


class Racer(Finder):
    """Plays in a race through the services, and sees by the vectors of the whole space."""

    def __init__(self, key: uuid.UUID, seat: RaceSeat) -> None:
        assert seat.game is not None
        self.key = key
        self.game = seat.game
        self._space = self.find_space()


def open_room(
    catalogue: Catalogue, *, players: int = 2, k: int = 4, seed: int = 0
) -> tuple[Race, list[uuid.UUID]]:
    """A room with these players in it, not started: the race, and the players' keys."""
    keys = [uuid.uuid4() for _ in range(players)]
    puzzle = draw_race(catalogue=catalogue, k=k, now=NOW, rng=np.random.default_rng(seed))
    race = open_race(key=keys[0], puzzle=puzzle, nickname="Racer 1", now=NOW)
    for number, key in enumerate(keys[1:], start=2):
        join_race(key=key, code=race.pk, nickname=f"Racer {number}", now=NOW)
    return race, keys


def start(race: Race, key: uuid.UUID, *, now: datetime = NOW) -> None:
    start_race(key=key, code=race.pk, first=want_first_slate(race.puzzle).choose(), now=now)


def begin_race(
    catalogue: Catalogue, *, players: int = 2, seed: int = 0, now: datetime = NOW
) -> tuple[Race, list[Racer]]:
    """A race that was started at this time."""
    race, keys = open_room(catalogue, players=players, seed=seed)
    start(race, keys[0], now=now)
    return race, [sit_down(race, key) for key in keys]


def sit_down(race: Race, key: uuid.UUID) -> Racer:
    return Racer(key, RaceSeat.objects.get(race=race, player__key=key))


def look_at(race: Race) -> RaceState:
    state = find_race(race.pk)
    assert state is not None
    return state


class Guest(Visitor):
    """Comes to races over HTTP."""

    code = ""

    def open(self, **fields: Any) -> HttpResponse:
        self.page = self.client.get("/find/races/")
        sent = {"sitting": self.sitting, "catalogue": "demo", "k": "4", "nickname": "Ada", **fields}
        self.page = self.client.post("/find/races/open/", sent, follow=True)
        return self._arrive()

    def visit(self, code: str) -> HttpResponse:
        self.page = self.client.get(f"/find/races/{code}/", follow=True)
        return self._arrive()

    def do(self, what: str, **fields: Any) -> HttpResponse:
        """Press a button of the room: join, start, leave or rematch."""
        sent = {"sitting": self.sitting, **fields}
        self.page = self.client.post(f"/find/races/{self.code}/{what}/", sent, follow=True)
        return self._arrive()

    def win(self) -> None:
        """Pick the target as soon as it is shown."""
        target = find_target(self.code)
        while target not in self.tiles:
            self.send(pick=self.tiles[0])
        self.send(pick=target)

    @property
    def headline(self) -> str:
        """What the page of results says first, as it is read."""
        found = re.search(r"<h1.*?</h1>", self.text, re.DOTALL)
        assert found, "the page has no headline"
        return " ".join(re.sub(r"<[^>]+>", "", found[0]).split())

    def fetch(self, part: str = "room") -> str:
        """What the page fetches again when the race has changed."""
        answer = self.client.get(f"/find/races/{self.code}/standing/", {"part": part})
        assert answer.status_code == 200
        return answer.content.decode()

    def _arrive(self) -> HttpResponse:
        path = self.page.request["PATH_INFO"]
        if found := re.fullmatch(r"/find/races/([0-9a-z]{12})/(\w+/)?", path):
            self.code = found[1]
        if found := re.fullmatch(r"/find/games/(\w+)/", path):
            self.game = found[1]
        return self.page


def find_target(code: str) -> int | None:
    """What all look for in the race of this code."""
    return Puzzle.objects.get(race=code).target_id


def set_seconds(**seconds: int) -> None:
    """As if the games of the players with these names had lasted so long."""
    for name, lasted in seconds.items():
        game = RaceSeat.objects.get(nickname=name).game
        assert game is not None
        game.ended_at = game.begun_at + timedelta(seconds=lasted)
        game.save(update_fields=["ended_at"])
