"""Races: open a room, come in, start, look on, and see the results. Games are played on their own pages."""

import uuid
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from asgiref.sync import sync_to_async as in_django
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from evaluation.models import Race, RaceSeat
from evaluation.selectors.navigable import list_navigable
from evaluation.selectors.race_pages import read_revision, show_results, show_room
from evaluation.selectors.races import Phase, RaceState, find_last_name, find_newest, find_race
from evaluation.services import game_openings
from evaluation.services.game_grounds import Wanted
from evaluation.services.games import GameRefused, want_first_slate
from evaluation.services.nicknames import draw_nickname, read_nickname
from evaluation.services.races import (
    draw_race,
    end_late,
    join_race,
    leave_race,
    open_race,
    open_rematch,
    require_seat,
    start_race,
)
from evaluation.views.game_starts import read_size
from evaluation.views.grounds import on_ground
from evaluation.views.navigation import rng, takes_sitting
from evaluation.views.player_cookie import open_sitting, read_player_key
from evaluation.views.simulations import simulate
from evaluation.views.slates import choose
from search.models import Catalogue

# What a page fetches again, by what it shows of the race.
PARTS: Final = {
    "room": "navigation/_race_room.html",
    "strip": "navigation/_race_strip.html",
    "rematch": "navigation/_race_rematch.html",
}


@never_cache
@require_safe
def new(request: HttpRequest) -> HttpResponse:
    """Where a race is opened."""
    return _show_new(request)


@takes_sitting
async def begin(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Open a room with whoever asks in it."""
    opening = partial(game_openings.of_catalogue, request.POST.get("catalogue", ""))
    return await on_ground(opening, partial(_begin, request, key))


@never_cache
@require_safe
async def room(request: HttpRequest, code: str) -> HttpResponse:
    """The room to whoever knows its code: to its players their game, to all the results."""
    return await _show(request, code)


@never_cache
@require_safe
def standing(request: HttpRequest, code: str) -> HttpResponse:
    """The part of a page that changes with the race."""
    part = request.GET.get("part", "room")
    template = PARTS.get(part)
    if template is None:
        raise Http404("There is no such part.")
    revision = read_revision(code)
    state = _find(code)
    shown = show_room(state, read_player_key(request), revision=revision)
    context: dict[str, Any] = {"room": shown, "sitting": open_sitting(request)}
    if part == "rematch":
        context["rematch"] = _find_rematch(state.race)
    return render(request, template, context)


@takes_sitting
async def join(request: HttpRequest, key: uuid.UUID, code: str) -> HttpResponse:
    """Come in under a name; into a game at once where the race is running."""
    try:
        await in_django(_join)(request, key, code)
    except GameRefused as refused:
        return await _show(request, code, refused)
    return redirect("find-race", code=code)


@takes_sitting
async def start(request: HttpRequest, key: uuid.UUID, code: str) -> HttpResponse:
    """Begin the games of all who are in."""
    try:
        wanted = await on_ground(partial(game_openings.of_race, code), partial(_want_first, code, key))
        first = await choose(wanted)
        await in_django(start_race)(key=key, code=code, first=first, now=timezone.now())
    except GameRefused as refused:
        return await _show(request, code, refused)
    return redirect("find-race", code=code)


@takes_sitting
async def leave(request: HttpRequest, key: uuid.UUID, code: str) -> HttpResponse:
    """Give the seat back."""
    try:
        await in_django(leave_race)(key=key, code=code)
    except GameRefused as refused:
        return await _show(request, code, refused)
    return redirect("find-race", code=code)


@takes_sitting
async def rematch(request: HttpRequest, key: uuid.UUID, code: str) -> HttpResponse:
    """A new race after this one, the same for all who ask."""
    try:
        opening = partial(game_openings.of_rematch, code)
        following = await on_ground(opening, partial(_open_rematch, key, code))
    except GameRefused as refused:
        return await _show(request, code, refused)
    return redirect("find-race", code=following.pk)


async def _show(request: HttpRequest, code: str, refused: GameRefused | None = None) -> HttpResponse:
    revision, state = await in_django(_read)(code)
    if state.phase != Phase.OVER:
        return await in_django(_show_room)(request, state, revision, refused)
    puzzle = state.race.puzzle
    await simulate(puzzle, puzzle.target_id)
    return await in_django(_show_results)(request, state, revision, refused)


def _show_room(
    request: HttpRequest, state: RaceState, revision: int, refused: GameRefused | None
) -> HttpResponse:
    key = read_player_key(request)
    shown = show_room(state, key, revision=revision)
    if shown.game and refused is None:
        return redirect("find-game", game_id=shown.game)
    taken = [seat.nickname for seat in state.seats]
    context = {
        "room": shown,
        "link": request.build_absolute_uri(reverse("find-race", args=[state.race.pk])),
        "nickname": request.POST.get("nickname") or find_last_name(key) or draw_nickname(taken, rng),
        "sitting": open_sitting(request),
        "notice": str(refused) if refused else "",
    }
    status = refused.status if refused else HTTPStatus.OK
    return render(request, "navigation/race.html", context, status=status)


def _show_results(
    request: HttpRequest, state: RaceState, revision: int, refused: GameRefused | None
) -> HttpResponse:
    key, following = read_player_key(request), find_newest(state.race)
    if state.seat_of(key) is None and following != state.race and refused is None:
        return redirect("find-race", code=following.pk)  # the link goes on inviting
    results = show_results(state, key, state.race.puzzle.simulated, revision=revision)
    context = {
        "results": results,
        "room": results.room,
        "end": results.end,
        # Not to this race: its link shows everybody's name and picks, and lets come to its rematch.
        "link": request.build_absolute_uri(reverse("find-races")),
        "rematch": _find_rematch(state.race),
        "sitting": open_sitting(request),
        "notice": str(refused) if refused else "",
    }
    status = refused.status if refused else HTTPStatus.OK
    return render(request, "navigation/race_over.html", context, status=status)


def _read(code: str) -> tuple[int, RaceState]:
    end_late(timezone.now(), RaceSeat.objects.filter(race=code))
    return read_revision(code), _find(code)


def _find(code: str) -> RaceState:
    state = find_race(code)
    if state is None:
        raise Http404("There is no such race.")
    return state


def _find_rematch(race: Race) -> Race | None:
    following = find_newest(race)
    return None if following == race else following


def _begin(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    catalogue = get_object_or_404(Catalogue, slug=request.POST.get("catalogue", ""))
    now = timezone.now()
    try:
        name = read_nickname(request.POST.get("nickname", "")) or draw_nickname([], rng)
        puzzle = draw_race(catalogue=catalogue, k=read_size(request), now=now, rng=rng)
    except GameRefused as refused:
        return _show_new(request, refused)
    return redirect("find-race", code=open_race(key=key, puzzle=puzzle, nickname=name, now=now).pk)


def _join(request: HttpRequest, key: uuid.UUID, code: str) -> None:
    _, state = _read(code)
    taken = [seat.nickname for seat in state.seats]
    name = read_nickname(request.POST.get("nickname", "")) or draw_nickname(taken, rng)
    join_race(key=key, code=code, nickname=name, now=timezone.now())


def _want_first(code: str, key: uuid.UUID) -> Wanted:
    state = _find(code)
    require_seat(state, key)
    return want_first_slate(state.race.puzzle)


def _open_rematch(key: uuid.UUID, code: str) -> Race:
    now = timezone.now()
    _, state = _read(code)
    require_seat(state, key)
    before = state.race.puzzle
    puzzle = draw_race(catalogue=before.catalogue, k=before.k, now=now, rng=rng)
    return open_rematch(key=key, state=state, puzzle=puzzle, now=now)


def _show_new(request: HttpRequest, refused: GameRefused | None = None) -> HttpResponse:
    catalogues, key = list_navigable(), read_player_key(request)
    asked = request.POST.get("catalogue")
    context = {
        "catalogues": catalogues,
        "chosen": next((one.slug for one in catalogues if one.slug == asked), None),
        "nickname": request.POST.get("nickname") or find_last_name(key) or draw_nickname([], rng),
        "sitting": open_sitting(request),
        "notice": str(refused) if refused else "",
    }
    status = refused.status if refused else HTTPStatus.OK
    return render(request, "navigation/race_new.html", context, status=status)
