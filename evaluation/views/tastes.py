"""A player's own page of their taste: private encoders asked for, compared and deleted."""

import uuid
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from evaluation.models import Player
from evaluation.selectors.taste_answers import LEAST, LEAST_OF_EACH
from evaluation.selectors.tastes import MOST_A_DAY, list_views
from evaluation.services.tastes import UNUSED_AFTER, TasteRefused, ask_taste, drop_taste
from evaluation.stats.taste import FEWEST
from evaluation.views.player_cookie import StaleSitting, open_sitting, read_player_key, read_sitting
from search.models import Catalogue
from search.tasks import hint_jobs


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Where this browser's player, or their account, has private encoders or may have them."""
    player = _find_player(read_player_key(request))
    slug = request.GET.get("catalogue", "")[:60]  # what is being learned asks for itself alone
    context = {
        "views": list_views(player, now=timezone.now(), slug=slug) if player is not None else [],
        "sitting": open_sitting(request),
        "least": LEAST,
        "least_of_each": LEAST_OF_EACH,
        "fewest": FEWEST,
        "most_a_day": MOST_A_DAY,
        "kept_days": UNUSED_AFTER.days,
    }
    return render(request, "taste/page.html", context)


@csrf_exempt  # the sitting token takes its place, see player_cookie
@never_cache
@require_POST
def learn(request: HttpRequest) -> HttpResponse:
    """Have a private encoder learned."""
    try:
        player, catalogue = _read_form(request)
    except StaleSitting as stale:
        return render(request, "403.html", {"message": str(stale)}, status=HTTPStatus.FORBIDDEN)
    if player is None:
        messages.error(request, "Play first: there is nothing to learn from yet.")
        return redirect("taste")
    try:
        taste = ask_taste(player, catalogue, now=timezone.now())
    except TasteRefused as refused:
        messages.error(request, str(refused))
    else:
        assert taste.job is not None, "what was asked for has a job"
        hint_jobs([taste.job])
    return redirect("taste")


@csrf_exempt  # the sitting token takes its place, see player_cookie
@never_cache
@require_POST
def delete(request: HttpRequest) -> HttpResponse:
    """Delete the private encoder of a catalogue."""
    try:
        player, catalogue = _read_form(request)
    except StaleSitting as stale:
        return render(request, "403.html", {"message": str(stale)}, status=HTTPStatus.FORBIDDEN)
    if player is not None and drop_taste(player, catalogue, now=timezone.now()):
        messages.success(request, f"Your private encoder for “{catalogue.title}” is deleted.")
    return redirect("taste")


def _read_form(request: HttpRequest) -> tuple[Player | None, Catalogue]:
    """Who asks, and about which catalogue. Raises StaleSitting."""
    key = read_sitting(request, token=request.POST.get("sitting", ""))
    catalogue = get_object_or_404(Catalogue, slug=request.POST.get("catalogue", "")[:60])
    return _find_player(key), catalogue


def _find_player(key: uuid.UUID | None) -> Player | None:
    return Player.objects.filter(key=key, forgotten_at=None).first() if key else None
