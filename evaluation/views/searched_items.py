"""The page of one item, and what each engine finds near it: the latter for analysts alone."""

from __future__ import annotations

from asgiref.sync import sync_to_async as in_django
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from search.models import Catalogue, Role
from search.selectors.navigable_spaces import list_navigable_catalogues
from search.selectors.roles import has_role
from search.selectors.searchable import list_searchable, show_item
from search.selectors.searches import FoundItem, SearchRefused
from search.views.access import roles_required_async
from search.views.searching import list_neighbours


@never_cache
@require_safe
def page(request: HttpRequest, slug: str, position: int) -> HttpResponse:
    """Its picture and what is known of it."""
    catalogue, item = _find(slug, position)
    context = {
        "catalogue": catalogue,
        "item": item,
        "is_searchable": catalogue in list_searchable(),
        "find_url": reverse("find") if catalogue in list_navigable_catalogues() else "",
        "is_analyst": has_role(request.user, Role.ANALYST, Role.OPERATOR),
    }
    return render(request, "search/item.html", context)


@require_safe
@roles_required_async(Role.ANALYST, Role.OPERATOR)
async def neighbours(request: HttpRequest, slug: str, position: int) -> HttpResponseBase:
    """What is nearest to it in each engine: never for players, who are to judge pairs blindly."""
    catalogue, item = await in_django(_find)(slug, position)
    engines = await list_neighbours(catalogue=catalogue, position=position)
    context = {"catalogue": catalogue, "item": item, "engines": engines}
    return await in_django(render)(request, "search/neighbours.html", context)


def _find(slug: str, position: int) -> tuple[Catalogue, FoundItem]:
    catalogue = get_object_or_404(Catalogue, slug=slug)
    try:
        return catalogue, show_item(catalogue=catalogue, position=position)
    except SearchRefused as refused:
        raise Http404(str(refused)) from refused
