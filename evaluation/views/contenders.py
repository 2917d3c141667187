"""The page of one contender: figures for everybody, pairs for analysts."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from evaluation.history_chart import HistoryPoint
from evaluation.models import Contender
from evaluation.selectors.board import LEVEL, PLAYERS_FLOOR, VOTES_FLOOR
from evaluation.selectors.changes import list_changes_of
from evaluation.selectors.contender_page import NIGHTS, find_contender, list_nights, read_standing
from evaluation.selectors.judged_pairs import FEWEST, list_extremes
from evaluation.views.entity_tags import tag_revision
from search.models import Role
from search.selectors.layouts import list_maps_of
from search.selectors.roles import has_role
from search.views.access import roles_required


@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    contender = _find(pk)
    is_analyst = has_role(request.user, Role.ANALYST, Role.OPERATOR)
    nights = list_nights(contender)
    points = [
        HistoryPoint(one.made_at, one.row.share, one.row.approval, one.row.low, one.row.high)
        for one in nights
    ]
    context = {
        "nights": nights[::-1],
        "points": points,
        "most_nights": NIGHTS,
        "changes": list_changes_of(contender),
        "maps": list_maps_of(encoder=contender.encoder, metric=contender.metric) if is_analyst else [],
    }
    return render(request, "leaderboard/contender.html", {**context, **_stand(contender)})


@require_safe
@cache_control(no_cache=True)
@condition(etag_func=tag_revision)
def standing(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that is fetched again when votes arrive."""
    return render(request, "leaderboard/_contender.html", _stand(_find(pk)))


@require_safe
@roles_required(Role.ANALYST, Role.OPERATOR)
def pairs(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What people loved and hated of what it found: never for players, who are to judge pairs blindly."""
    contender = _find(pk)
    context = {"contender": contender, "extremes": list_extremes(contender), "fewest": FEWEST}
    return render(request, "leaderboard/contender_pairs.html", context)


def _find(pk: int) -> Contender:
    contender = find_contender(pk)
    if contender is None:
        raise Http404("There is no such contender.")
    return contender


def _stand(contender: Contender) -> dict[str, object]:
    return {
        "contender": contender,
        "standing": read_standing(contender),
        "level": LEVEL,
        "votes_floor": VOTES_FLOOR,
        "players_floor": PLAYERS_FLOOR,
    }
