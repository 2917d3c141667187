"""The navigation game: begin, look, move. Plain forms; the page's script sends the same ones."""

import uuid
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from http import HTTPStatus
from typing import Any

import numpy as np
from asgiref.sync import sync_to_async as in_django
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from evaluation.models import Move, NavigationGame, Puzzle, Race, RaceSeat
from evaluation.selectors.game_pages import find_target, show_board, show_end
from evaluation.selectors.game_results import list_days
from evaluation.selectors.games import GameState, find_game, read_state
from evaluation.selectors.race_pages import RaceRoom, read_revision, show_room
from evaluation.selectors.races import find_race_of, read_race
from evaluation.services import game_openings
from evaluation.services.daily import find_daily
from evaluation.services.game_grounds import Wanted
from evaluation.services.games import GameRefused, draw_game, open_game, put_on_slate, want_first_slate
from evaluation.services.limits import PlayLimits, TooFast
from evaluation.services.moves import CheckedMove, MadeMove, check_move, store_move
from evaluation.services.races import end_late
from evaluation.services.votes import LONGEST_DWELL_MS
from evaluation.views.game_starts import find_lead, read_size, show_start
from evaluation.views.grounds import on_ground
from evaluation.views.player_cookie import (
    StaleSitting,
    open_sitting,
    read_player_key,
    read_sitting,
    set_player_cookie,
)
from evaluation.views.simulations import simulate
from evaluation.views.slates import choose
from search.models import Catalogue, Item

AsyncView = Callable[..., Coroutine[Any, Any, HttpResponse]]
PART = "X-Part"  # a request header: the page's script asks for the part of the page that changes
LARGEST_ID = 2**63 - 1

rng = np.random.default_rng()
limits = PlayLimits()


def takes_sitting(view: AsyncView) -> AsyncView:
    """What every form of the game has in common: a sitting, a budget, the cookie with the first answer."""

    @csrf_exempt  # the sitting token takes its place, see player_cookie
    @never_cache
    @require_POST
    @wraps(view)
    async def answer(request: HttpRequest, **parts: str) -> HttpResponse:
        try:
            key = read_sitting(request, token=request.POST.get("sitting", ""))
            limits.spend_ask(key, str(request.META.get("REMOTE_ADDR", "")))
        except StaleSitting as stale:
            return await in_django(_refuse)(request, HTTPStatus.FORBIDDEN, str(stale), "403.html")
        except TooFast as fast:
            response = await in_django(_refuse)(request, HTTPStatus.TOO_MANY_REQUESTS, str(fast), "400.html")
            response["Retry-After"] = str(fast.wait_s)
            return response
        response = await view(request, key, **parts)
        if response.status_code < HTTPStatus.BAD_REQUEST and read_player_key(request) is None:
            set_player_cookie(response, key)
        return response

    return answer


@never_cache
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    return show_start(request)


@takes_sitting
async def begin(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Begin a game and go to its page."""
    opening = partial(game_openings.of_catalogue, request.POST.get("catalogue", ""))
    planned = await on_ground(opening, partial(_plan, request))
    if isinstance(planned, HttpResponse):
        return planned
    return await _open(key, *planned, lead=await in_django(find_lead)(request))


@never_cache
@require_safe
async def daily(request: HttpRequest) -> HttpResponse:
    """Today's puzzle: begin it, or go on with it."""
    opening = partial(game_openings.of_new_day, timezone.now().date())
    return await on_ground(opening, partial(_look_at_daily, request))


@takes_sitting
async def begin_daily(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Begin today's puzzle, once; asked again, go on with it. Another day's is not begun unasked."""
    opening = partial(game_openings.of_day, timezone.now().date())
    planned = await on_ground(opening, partial(_plan_daily, request))
    return planned if isinstance(planned, HttpResponse) else await _open(key, *planned)


@never_cache
@require_safe
async def game(request: HttpRequest, game_id: str) -> HttpResponse:
    """A game where it stands, to its player; to everybody else it does not exist."""
    state = await in_django(_find_state)(read_player_key(request), game_id)
    if state is None:
        raise Http404("There is no such game.")
    return await _show_game(request, state)


@takes_sitting
async def move(request: HttpRequest, key: uuid.UUID, game_id: str) -> HttpResponse:
    """Make a move; answers with the game where it stands then, also where the move is refused."""
    try:
        check = partial(_check_move, key, game_id, _read_move(request))
        state = await on_ground(partial(game_openings.of_game, game_id), check)
        if isinstance(state, CheckedMove):
            choice = await choose(state.wanted) if state.wanted else None
            state = await in_django(store_move)(state, choice, now=timezone.now())
    except GameRefused as refused:
        found = await in_django(_find_state)(key, game_id)
        if found is None:
            return await in_django(_refuse)(request, HTTPStatus.NOT_FOUND, str(refused), "404.html")
        return await _show_game(request, found, refused)
    if PART in request.headers:
        return await _show_game(request, state)
    return redirect("find-game", game_id=game_id)


async def _open(key: uuid.UUID, puzzle: Puzzle, wanted: Wanted, *, lead: Item | None = None) -> HttpResponse:
    first = await choose(wanted)
    if lead is not None:
        puzzle.start = lead
        first = put_on_slate(first, lead, wanted.ground, rng=rng)
    begun = await in_django(open_game)(key=key, puzzle=puzzle, first=first, now=timezone.now())
    return redirect("find-game", game_id=begun.pk)


async def _show_game(
    request: HttpRequest, state: GameState, refused: GameRefused | None = None
) -> HttpResponse:
    race = find_race_of(state.game)
    if state.game.ended_at is not None and race is not None:
        if PART not in request.headers:
            return redirect("find-race", code=race.pk)
        return await in_django(render)(request, "navigation/_race_done.html", {"race": race})
    if state.game.ended_at is not None:
        await simulate(state.game.puzzle, find_target(state))
    return await in_django(_render_game)(request, state, refused)


def _render_game(request: HttpRequest, state: GameState, refused: GameRefused | None) -> HttpResponse:
    context: dict[str, Any] = {"notice": str(refused) if refused else "", "sitting": open_sitting(request)}
    if state.game.ended_at is None:
        context["board"] = show_board(state)
        context["room"] = _show_race(find_race_of(state.game), state.game.player.key)
    else:
        puzzle = state.game.puzzle
        context["end"] = show_end(state, puzzle.simulated)
        context["link"] = request.build_absolute_uri(reverse("find-daily" if puzzle.day else "find"))
        context["days"] = list_days(puzzle) if puzzle.day else []
    template = "navigation/_game.html" if PART in request.headers else "navigation/game.html"
    return render(request, template, context, status=refused.status if refused else HTTPStatus.OK)


def _plan(request: HttpRequest) -> HttpResponse | tuple[Puzzle, Wanted]:
    """The puzzle that a form asks for and what its first slate is chosen from, or why there is none."""
    catalogue = get_object_or_404(Catalogue, slug=request.POST.get("catalogue", ""))
    try:
        puzzle = draw_game(
            catalogue=catalogue,
            k=read_size(request),
            has_target=request.POST.get("mode") != "mind" and find_lead(request) is None,
            now=timezone.now(),
            rng=rng,
        )
        return puzzle, want_first_slate(puzzle)
    except GameRefused as refused:
        return show_start(request, refused)


def _look_at_daily(request: HttpRequest) -> HttpResponse:
    found = _find_daily(request)
    return found if isinstance(found, HttpResponse) else _show_daily(request, found)


def _plan_daily(request: HttpRequest) -> HttpResponse | tuple[Puzzle, Wanted]:
    puzzle = _find_daily(request)
    if isinstance(puzzle, HttpResponse):
        return puzzle
    if request.POST.get("number") != str(puzzle.number):
        told = (
            "It is another day by now, and this is its puzzle. What you began before is under “Other games”."
        )
        return _show_daily(request, puzzle, GameRefused(HTTPStatus.CONFLICT, told))
    try:
        return puzzle, want_first_slate(puzzle)
    except GameRefused as refused:
        return render(request, "navigation/daily.html", {"notice": str(refused)}, status=refused.status)


def _show_daily(request: HttpRequest, puzzle: Puzzle, refused: GameRefused | None = None) -> HttpResponse:
    key = read_player_key(request)
    mine = NavigationGame.objects.filter(puzzle=puzzle, player__key=key).first() if key else None
    context = {
        "puzzle": puzzle,
        "game": mine,
        "sitting": open_sitting(request),
        "notice": str(refused) if refused else "",
    }
    status = refused.status if refused else HTTPStatus.OK
    return render(request, "navigation/daily.html", context, status=status)


def _find_daily(request: HttpRequest) -> HttpResponse | Puzzle:
    now = timezone.now()
    try:
        return find_daily(day=now.date(), now=now, rng=rng)
    except GameRefused as refused:
        return render(request, "navigation/daily.html", {"notice": str(refused)}, status=refused.status)


def _show_race(race: Race | None, key: uuid.UUID) -> RaceRoom | None:
    if race is None:
        return None
    revision = read_revision(race.pk)
    return show_room(read_race(race), key, revision=revision)


def _check_move(key: uuid.UUID, game_id: str, made: MadeMove) -> GameState | CheckedMove:
    _end_late(game_id)
    return check_move(key=key, game_id=game_id, made=made)


def _end_late(game_id: str) -> None:
    """A race may be over before anything was done about its games."""
    end_late(timezone.now(), RaceSeat.objects.filter(game=game_id))


def _find_state(key: uuid.UUID | None, game_id: str) -> GameState | None:
    _end_late(game_id)
    found = find_game(key=key, game_id=game_id)
    return None if found is None else read_state(found)


def _read_move(request: HttpRequest) -> MadeMove:
    """The move in its right form. Raises GameRefused."""
    sent = request.POST
    name = next((name for name in ("pick", "found") if name in sent), "kind")
    kind = sent.get("kind", "") if name == "kind" else name
    if kind not in Move.Kind.values or (name == "kind" and kind in (Move.Kind.PICK, Move.Kind.FOUND)):
        raise GameRefused(HTTPStatus.UNPROCESSABLE_ENTITY, "Pick an item, or say that you cannot tell.")
    modality = sent.get("modality", Move.Modality.FORM)
    return MadeMove(
        turn=_read_number(sent.get("turn", "")) or 0,
        kind=Move.Kind(kind),
        item=(_read_number(sent[name]) or 0) if name != "kind" else None,
        dwell_ms=_read_number(sent.get("dwell_ms", ""), most=LONGEST_DWELL_MS),
        modality=Move.Modality(modality if modality in Move.Modality.values else Move.Modality.FORM),
    )


def _read_number(text: str, *, most: int = LARGEST_ID) -> int | None:
    """A whole number from 0 to ``most``; None for what is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    return number if (number := int(text)) <= most else None


def _refuse(request: HttpRequest, status: HTTPStatus, message: str, template: str) -> HttpResponse:
    if PART in request.headers:
        return JsonResponse({"message": message}, status=status)
    return render(request, template, {"message": message}, status=status)
