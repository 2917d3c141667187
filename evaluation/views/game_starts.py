"""The page on which a navigation game is begun, and what its form says."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from evaluation.selectors.games import list_open_games
from evaluation.selectors.navigable import list_navigable
from evaluation.selectors.pictures import describe_candidate
from evaluation.services.games import SIZES, GameRefused
from evaluation.views.player_cookie import open_sitting, read_player_key
from search.models import Item

LARGEST = 2**31 - 1


def show_start(request: HttpRequest, refused: GameRefused | None = None) -> HttpResponse:
    catalogues = list_navigable()
    asked = request.POST.get("catalogue") or request.GET.get("catalogue")
    chosen = next((one.slug for one in catalogues if one.slug == asked), None)
    lead = find_lead(request) if chosen else None
    context = {
        "catalogues": catalogues,
        "open_games": list_open_games(read_player_key(request), today=timezone.now().date()),
        "chosen": chosen,
        "lead": lead and {"position": lead.position, "picture": describe_candidate(lead)},
        "sitting": open_sitting(request),
        "notice": str(refused) if refused else "",
    }
    status = refused.status if refused else HTTPStatus.OK
    return render(request, "navigation/start.html", context, status=status)


def read_size(request: HttpRequest) -> int:
    """How many items a slate of the new game shall have. Raises GameRefused."""
    given = request.POST.get("k", "")
    if given not in map(str, SIZES):
        raise GameRefused(HTTPStatus.UNPROCESSABLE_ENTITY, "A slate shows 4 or 8 items: choose one of these.")
    return int(given)


def find_lead(request: HttpRequest) -> Item | None:
    """What the game is to go on from, found by a search; None where the game begins anew, or it is gone."""
    given = request.POST if request.method == "POST" else request.GET
    position = given.get("from", "")
    if not (position.isascii() and position.isdigit() and len(position) <= 10 and int(position) <= LARGEST):
        return None
    items = (
        Item.objects.present().select_related("category").filter(catalogue__slug=given.get("catalogue", ""))
    )
    return items.filter(position=int(position)).first()
