"""The page of players for analysts: what the checks say, who is left out and why, and the two verdicts."""

from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from evaluation.forms import VerdictForm
from evaluation.models import Ruling
from evaluation.selectors.board import UnknownFilter
from evaluation.selectors.vetted_players import list_left_out, read_vetted
from evaluation.services.verdicts import Grounds, VerdictRefused, exclude_player, restore_player
from evaluation.views.catalogue_choice import choose_catalogue
from search.models import Role
from search.views.access import roles_required


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def players(request: HttpRequest) -> HttpResponseBase:
    try:
        catalogues, chosen = choose_catalogue(request)
    except UnknownFilter as unknown:
        return render(request, "400.html", {"message": str(unknown)}, status=HTTPStatus.BAD_REQUEST)
    context = {
        "catalogues": catalogues,
        "chosen": chosen,
        "vetted": read_vetted(chosen) if chosen else None,
        "left_out": list_left_out(),
    }
    return render(request, "operations/players.html", context)


@require_POST
@roles_required(Role.OPERATOR, Role.ANALYST)
def judge_player(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Leave a player's votes out, or count them again, for a reason that everybody may read."""
    form = VerdictForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return _go_back(request)
    excludes = form.cleaned_data["ruling"] == Ruling.EXCLUDED
    grounds = Grounds(form.cleaned_data["reason"], by=request.user.get_username())
    try:
        (exclude_player if excludes else restore_player)(pk, grounds, now=timezone.now())
    except VerdictRefused as refused:
        messages.error(request, str(refused))
    else:
        done = "are left out of every count" if excludes else "count again"
        messages.success(request, f"The votes of player {pk} {done}.")
    return _go_back(request)


def _go_back(request: HttpRequest) -> HttpResponseBase:
    """To the players of the catalogue that was looked at."""
    return redirect(f"{reverse('players')}?{urlencode({'catalogue': request.POST.get('catalogue', '')})}")
