"""Searching with a photo, or from an item: the page, and what is fetched again on it.

Composed here and not in `search`, because a game goes on from what is found, and because what somebody
judges blindly must not be unmasked (docs/decisions/search-blindness.md).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from asgiref.sync import sync_to_async as in_django
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from evaluation.views.player_cookie import open_sitting
from evaluation.views.search_parts import (
    tell_answer,
    tell_engines,
    tell_filters,
    tell_photo,
    tell_weights,
)
from search.forms.wishes import Asked, read_asked, read_leniently
from search.models import Catalogue, Role
from search.selectors.navigable_spaces import list_navigable_catalogues
from search.selectors.roles import has_role
from search.selectors.searchable import list_engines, list_filters, list_searchable, show_item, show_items
from search.selectors.searches import Answer, FoundItem, SearchRefused, Waiting
from search.services.photos import LONGEST, show_photo
from search.views.embargoes import require_free
from search.views.plain_words import say_note, say_refusal, say_waiting
from search.views.searching import answer

STARTERS = 8
Outcome = Answer | Waiting | SearchRefused


@never_cache
@require_safe
async def start(request: HttpRequest) -> HttpResponse:
    """Where to begin, in the catalogue that was there first."""
    return await in_django(show_blank)(request, "")


@never_cache
@require_safe
async def page(request: HttpRequest, slug: str) -> HttpResponse:
    """What is found, or where to begin; for the page's script the part of it that changes alone."""
    asked = read_leniently(request.GET)
    outcome: Outcome
    try:
        asked = read_asked(request.GET)
        if asked.photo is None and asked.item is None:
            return await in_django(show_blank)(request, slug)
        await in_django(_require_allowed)(request, slug, asked)
        outcome = await answer(asked.wish(slug), now=timezone.now())
    except SearchRefused as refused:
        outcome = refused
    return await in_django(_show)(request, slug, asked, outcome)


def _require_allowed(request: HttpRequest, slug: str, asked: Asked) -> None:
    """Raises SearchRefused for what would tell who stands behind a pair that is judged blindly."""
    if asked.engine and not _is_analyst(request):
        raise SearchRefused("engine-not-told", "Which engine answers is for analysts to choose.", status=403)
    if asked.item is not None:
        require_free(request, slug, asked.item)


def _is_analyst(request: HttpRequest) -> bool:
    return has_role(request.user, Role.ANALYST, Role.OPERATOR)


def show_blank(request: HttpRequest, slug: str, refused: SearchRefused | None = None) -> HttpResponse:
    """Where to begin; with the reason where a photo was not taken. Raises Http404."""
    catalogues = list_searchable()
    chosen = next((one for one in catalogues if slug in ("", one.slug)), None)
    if slug and chosen is None:
        raise Http404("There is no such catalogue to search in.")
    context = _frame(request, catalogues, chosen) | {"refused": str(refused) if refused else ""}
    context["starters"] = _list_starters(chosen) if chosen else []
    return render(request, "search/page.html", context, status=refused.status if refused else HTTPStatus.OK)


def _list_starters(catalogue: Catalogue) -> list[FoundItem]:
    """Items from all over the catalogue, for who has no photo at hand."""
    size = catalogue.items.count()
    found = show_items(catalogue, {size * turn // STARTERS for turn in range(STARTERS)})
    return [found[position] for position in sorted(found)]


def _frame(request: HttpRequest, catalogues: list[Catalogue], chosen: Catalogue | None) -> dict[str, Any]:
    """What every state of the page has."""
    engines = list_engines(chosen) if chosen else []
    photographic = [one for one in engines if one.takes_photos != "no"]
    return {
        "catalogues": catalogues,
        "catalogue": chosen,
        "takes_photos": bool(photographic),
        "why_not": next((one.why_not for one in engines if one.why_not), ""),
        "longest_days": LONGEST.days,
        "sitting": open_sitting(request),
    }


def _show(request: HttpRequest, slug: str, asked: Asked, outcome: Outcome) -> HttpResponse:
    """The page with its answer; or the answer alone, where the page's script asks for it."""
    refused, is_told = outcome if isinstance(outcome, SearchRefused) else None, _is_analyst(request)
    htmx = request.htmx  # type: ignore[attr-defined]
    is_part = bool(htmx) and htmx.target == "answer" and not htmx.history_restore_request
    catalogues = list_searchable()
    catalogue = next((one for one in catalogues if one.slug == slug), None)
    if catalogue is None:
        raise Http404("There is no such catalogue to search in.")
    context = {"catalogue": catalogue, "is_part": is_part, "here": request.get_full_path()}
    if isinstance(outcome, Answer):
        context |= tell_answer(outcome, asked, catalogue) | tell_weights(outcome, asked)
        context["note"] = say_note(outcome, is_told=is_told)
    elif isinstance(outcome, Waiting):
        words = say_waiting(outcome, is_told=is_told)
        context |= {"waiting": outcome, "words": words, "said": words}
    else:
        words = say_refusal(outcome, is_told=is_told)
        context |= {"refused": words, "retry": outcome.retry_after_s is not None, "said": words}
    if catalogue in list_navigable_catalogues():
        context["find_url"] = reverse("find")
    if is_part:
        response = render(request, "search/_answer.html", context)
    else:
        around = _show_around(request, catalogues, catalogue, asked, outcome)
        if around is None:
            return show_blank(request, slug, refused)
        response = render(request, "search/page.html", around | context)
    if refused:
        response.status_code = refused.status
        if refused.retry_after_s is not None:
            response["Retry-After"] = str(refused.retry_after_s)
    return response


def _show_around(
    request: HttpRequest, catalogues: list[Catalogue], catalogue: Catalogue, asked: Asked, outcome: Outcome
) -> dict[str, Any] | None:
    """What stands beside an answer; None where there is nothing any more that was searched with."""
    context = _frame(request, catalogues, catalogue)
    photo = query = None
    try:
        if asked.photo is not None:
            photo = show_photo(key=asked.photo, now=timezone.now())
        elif asked.item is not None:
            query = show_item(catalogue=catalogue, position=asked.item)
    except SearchRefused:
        pass
    if photo is None and query is None:
        return None
    if photo is not None:
        context |= tell_photo(photo, asked)
    engines = list_engines(catalogue) if _is_analyst(request) else []
    return context | {
        "query": query,
        "address": reverse("search-catalogue", args=[catalogue.slug]),
        "filters": tell_filters(list_filters(catalogue), asked),
        "engines": tell_engines(engines, asked),
    }
