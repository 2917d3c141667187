"""A race as its pages show it. Until it is over nothing here tells what others saw or picked."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.models import NavigationGame, RaceSeat, Slate
from evaluation.selectors.game_pages import EndPage, share_known, show_ends
from evaluation.selectors.games import read_states
from evaluation.selectors.races import FEWEST_SEATS, Phase, RaceState, is_playing, name_topic
from search.models import Revision

Outcome = NavigationGame.Outcome
FORGOTTEN = "A forgotten player"
ENDS = {
    Outcome.FOUND: "found it",
    Outcome.GIVEN_UP: "gave up",
    Outcome.NOT_FOUND: "did not find it",
    Outcome.BROKEN: "could not go on",
    Outcome.LATE: "ran out of time",
}


@dataclass(frozen=True)
class Runner:
    """How far a player is; ``known``: the share of what there is to know, ``end``: how the game ended.

    ``late``: how many seconds after the start the player came; None for who was there.
    """

    name: str
    is_me: bool
    slates: int = 0
    known: float = 0.0
    found: bool = False
    end: str = ""
    seconds: int | None = None
    late: int | None = None

    @property
    def time(self) -> str:
        """From the first slate to the end of the game, in minutes and seconds."""
        return _write_time(self.seconds)

    @property
    def came(self) -> str:
        """How long after the start, in minutes and seconds; empty for who was there."""
        return _write_time(self.late)

    @property
    def rank(self) -> tuple[bool, float, int]:
        """The fewest slates first, of equals whoever was quicker; then those who did not find it."""
        return (not self.found, self.slates if self.found else -self.known, self.seconds or 0)


@dataclass(frozen=True)
class RaceRoom:
    """A race for somebody who may be in it: ``mine`` is their row, ``game`` their game while it goes on."""

    code: str
    catalogue: str
    k: int
    phase: Phase
    revision: int
    closed: str
    fewest: int
    ends_at: Any
    runners: Sequence[Runner]
    mine: Runner | None
    game: str


@dataclass(frozen=True)
class Finish:
    """One player's place in a race that is over, the same for equals, with how the game went."""

    place: int | None
    runner: Runner
    end: EndPage


@dataclass(frozen=True)
class RaceResults:
    """A race that is over; ``end`` has what its games have in common: target, policies and bound.

    ``share``: what the player who looks may tell others of it; empty for who only looks on.
    """

    room: RaceRoom
    finishes: Sequence[Finish]
    winners: Sequence[str]
    end: EndPage
    share: str


def read_revision(code: str) -> int:
    """How often the race changed; read before the race, so that no page claims to be newer than it is."""
    return Revision.objects.filter(topic=name_topic(code)).values_list("number", flat=True).first() or 0


def show_room(state: RaceState, key: uuid.UUID | None, *, revision: int) -> RaceRoom:
    """The race for the holder of this key; ``revision`` was read before its state."""
    race, mine = state.race, state.seat_of(key)
    slates = _read_slates(state)
    runners = [
        _show_runner(seat, slates.get(seat.game_id or "", []), is_me=seat is mine) for seat in state.seats
    ]
    return RaceRoom(
        code=race.pk,
        catalogue=race.puzzle.catalogue.title,
        k=race.puzzle.k,
        phase=state.phase,
        revision=revision,
        closed=state.closed,
        fewest=FEWEST_SEATS,
        ends_at=race.ends_at,
        runners=runners,
        mine=next((runner for runner in runners if runner.is_me), None),
        game=mine.game_id or "" if mine is not None and is_playing(mine) else "",
    )


def show_results(
    state: RaceState, key: uuid.UUID | None, simulated: Mapping[str, Any] | None, *, revision: int
) -> RaceResults:
    """The results of a race that is over."""
    room = show_room(state, key, revision=revision)
    games = [seat.game for seat in state.seats if seat.game is not None]  # all, once it is over
    ends = show_ends(read_states(games), simulated)
    rows = sorted(zip(room.runners, ends, strict=True), key=lambda row: row[0].rank)
    ranks = [runner.rank for runner, _ in rows]
    finishes = [
        # Equals share a place: the first of them in the order tells it.
        Finish(1 + ranks.index(runner.rank) if runner.found else None, runner, end)
        for runner, end in rows
    ]
    best = rows[0][0].rank
    winners = [runner.name for runner, _ in rows if runner.found and runner.rank == best]
    mine = next((finish for finish in finishes if finish.runner.is_me), None)
    share = _write_share(mine, len(finishes)) if mine else ""
    return RaceResults(room, finishes, winners, rows[0][1], share)


def _write_share(mine: Finish, racers: int) -> str:
    place = f"place {mine.place}, " if mine.place else ""
    return f"Dope or Nope: race of {racers} · {place}{mine.end.result}"


def _write_time(seconds: int | None) -> str:
    return "" if seconds is None else f"{seconds // 60}:{seconds % 60:02d}"


def _find_delay(seat: RaceSeat) -> int | None:
    started = seat.race.started_at
    if started is None or seat.joined_at <= started:
        return None
    return int((seat.joined_at - started).total_seconds())


def _show_runner(seat: RaceSeat, slates: Sequence[tuple[bool, float]], *, is_me: bool) -> Runner:
    name = seat.nickname or FORGOTTEN
    game = seat.game
    if game is None or not slates:
        return Runner(name, is_me)
    found = game.outcome == Outcome.FOUND
    at_first, left = slates[0][1], 0.0 if found else slates[-1][1]
    return Runner(
        name=name,
        is_me=is_me,
        slates=sum(not again for again, _ in slates),
        known=share_known(left, at_first),
        found=found,
        end=ENDS[Outcome(game.outcome)] if game.outcome else "",
        seconds=round((game.ended_at - game.begun_at).total_seconds()) if game.ended_at else None,
        late=_find_delay(seat),
    )


def _read_slates(state: RaceState) -> dict[str, list[tuple[bool, float]]]:
    """Of each game whether a slate was shown before, and the bits left then, in their order."""
    games = [seat.game_id for seat in state.seats if seat.game_id]
    rows = Slate.objects.filter(game__in=games).order_by("turn").values_list("game_id", "again", "bits")
    slates: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for game, again, bits in rows:
        slates[game].append((again, bits))
    return slates
