"""The pages players see: home, the deck, the end of a round, privacy."""

from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from evaluation.models import Round
from evaluation.selectors.catalogues import count_totals, list_catalogue_cards
from evaluation.selectors.rounds import is_finished, summarise_round
from evaluation.services.deals import DEAL_LIFE, is_holder, reveal_round
from evaluation.services.players import forget_holder
from evaluation.views.player_cookie import (
    StaleSitting,
    delete_player_cookie,
    open_sitting,
    read_player_key,
    read_sitting,
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    cards = list_catalogue_cards()
    # Only then does the page listen: for everybody else a socket would be a cost without a use.
    growing = not cards or any(card.progress is not None or not card.playable for card in cards)
    context = {"catalogues": cards, "totals": count_totals(), "growing": growing}
    return render(request, "home.html", context)


@require_safe
def catalogues(request: HttpRequest) -> HttpResponse:
    """The part of the home page that is fetched again while catalogues grow."""
    return render(request, "_catalogues.html", {"catalogues": list_catalogue_cards()})


@never_cache
@require_safe
def play(request: HttpRequest, slug: str = "") -> HttpResponse:
    """The deck, of one catalogue or of the first that can be played."""
    cards = list_catalogue_cards()
    chosen = next((card for card in cards if card.slug == slug or (not slug and card.playable)), None)
    if slug and chosen is None:
        raise Http404("There is no such catalogue.")
    context = {"catalogue": chosen, "catalogues": cards, "sitting": open_sitting(request)}
    return render(request, "play/deck.html", context)


@never_cache
@require_safe
def round_summary(request: HttpRequest, round_id: str) -> HttpResponse:
    """Reveal the contenders of a finished round to its player; to everybody else it does not exist."""
    round_ = Round.objects.select_related("catalogue").filter(pk=round_id).first()
    key = read_player_key(request)
    if round_ is None or key is None or round_.player_id is None or not is_holder(key, round_):
        raise Http404("There is no such round.")
    now = timezone.now()
    if not is_finished(round_, now=now, deal_life=DEAL_LIFE) or not reveal_round(round_=round_, now=now):
        unfinished = {"round": round_, "catalogue": round_.catalogue}
        return render(request, "play/unfinished.html", unfinished, status=HTTPStatus.CONFLICT)
    summary = summarise_round(round_)
    context = {
        "catalogue": round_.catalogue,
        "round": summary.round,
        "verdict": summary.verdict,
        "needed": summary.needed,
        "preferences": summary.preferences,
        "pairs": summary.pairs,
        "sitting": open_sitting(request),
    }
    return render(request, "play/summary.html", context)


@never_cache
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    known = read_player_key(request) is not None
    return render(request, "privacy.html", {"sitting": open_sitting(request) if known else None})


@csrf_exempt  # the sitting token takes its place, see player_cookie
@never_cache
@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """Forget the player of this browser; for the page's script, and as a plain form."""
    wants_json = "application/json" in request.headers.get("Accept", "")
    try:
        key = read_sitting(request, token="" if wants_json else request.POST.get("sitting", ""))
    except StaleSitting as stale:
        if wants_json:
            return JsonResponse({"message": str(stale)}, status=HTTPStatus.FORBIDDEN)
        return render(request, "403.html", {"message": str(stale)}, status=HTTPStatus.FORBIDDEN)
    forget_holder(key=key, now=timezone.now())
    response: HttpResponse
    if wants_json:
        response = JsonResponse({"message": "Forgotten."})
    else:
        messages.success(request, "Done. Nothing leads from your votes back to you any more.")
        response = redirect("privacy")
    delete_player_cookie(response)
    response.delete_cookie("theme", samesite="Lax")
    return response
