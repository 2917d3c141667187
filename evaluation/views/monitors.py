"""Pages for analysts who watch that dealing and checks do what they should."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from evaluation.selectors.board import UnknownFilter
from evaluation.selectors.exclusion_monitor import DAYS, MUCH, read_exclusions
from evaluation.selectors.exposure import read_exposure
from evaluation.stats.exposure import LEVEL
from evaluation.views.catalogue_choice import choose_catalogue
from search.models import Role
from search.views.access import roles_required


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def exposure(request: HttpRequest) -> HttpResponseBase:
    """How each contender's pairs were dealt, and whether anything is off."""
    try:
        catalogues, chosen = choose_catalogue(request)
    except UnknownFilter as unknown:
        return render(request, "400.html", {"message": str(unknown)}, status=HTTPStatus.BAD_REQUEST)
    exposure = read_exposure(chosen) if chosen else None
    context = {"catalogues": catalogues, "chosen": chosen, "exposure": exposure, "level": LEVEL}
    return render(request, "operations/exposure.html", context)


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def exclusions(request: HttpRequest) -> HttpResponseBase:
    """How much is left out of the counts, by what, and since when."""
    context = {"exclusions": read_exclusions(), "days": DAYS, "much": MUCH}
    return render(request, "operations/exclusions.html", context)
