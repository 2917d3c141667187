"""Pages for analysts who watch that dealing and checks do what they should."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from evaluation.selectors.board import UnknownFilter, read_revision
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
    return _show_exposure(request, "operations/exposure.html")


@require_safe
@cache_control(no_cache=True)
@roles_required(Role.OPERATOR, Role.ANALYST)
def exposure_figures(request: HttpRequest) -> HttpResponseBase:
    """The part of the page that is fetched again when a ranking was made."""
    return _show_exposure(request, "operations/_exposure.html")


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def exclusions(request: HttpRequest) -> HttpResponseBase:
    """How much is left out of the counts, by what, and since when."""
    return _show_exclusions(request, "operations/exclusions.html")


@require_safe
@cache_control(no_cache=True)
@roles_required(Role.OPERATOR, Role.ANALYST)
def exclusions_figures(request: HttpRequest) -> HttpResponseBase:
    """The part of the page that is fetched again after a verdict, or when players were looked at."""
    return _show_exclusions(request, "operations/_exclusions.html")


def _show_exposure(request: HttpRequest, template: str) -> HttpResponseBase:
    try:
        catalogues, chosen = choose_catalogue(request)
    except UnknownFilter as unknown:
        return render(request, "400.html", {"message": str(unknown)}, status=HTTPStatus.BAD_REQUEST)
    context = {
        "revision": read_revision("rankings"),
        "catalogues": catalogues,
        "chosen": chosen,
        "exposure": read_exposure(chosen) if chosen else None,
        "level": LEVEL,
    }
    return render(request, template, context)


def _show_exclusions(request: HttpRequest, template: str) -> HttpResponseBase:
    revision = read_revision("exclusions")
    context = {"revision": revision, "exclusions": read_exclusions(), "days": DAYS, "much": MUCH}
    return render(request, template, context)
