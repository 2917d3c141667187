"""Maps of embedding spaces: their list, each one's picture, and the list that says the same in words.

For analysts and operators, because a map shows what is near what in one contender's space
(docs/decisions/map.md). Only operators ask for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import numpy as np
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from search import tasks
from search.artifacts import OpenLayout, Positions
from search.engine.layouts import LayoutRefused
from search.forms.maps import MapForm
from search.models import Catalogue, Layout, Role
from search.selectors.layouts import describe_layout, find_layout, list_layout_rows
from search.selectors.map_points import (
    find_inside,
    find_named,
    list_aspects,
    make_grid,
    order_by_nearness,
    read_area,
)
from search.selectors.roles import has_role
from search.selectors.searchable import find_allowed, show_items
from search.selectors.searches import SearchRefused
from search.selectors.table_files import AT_ONCE, Table
from search.services.mapping import request_layout
from search.views.access import roles_required
from search.views.map_data import NotDrawn, open_map, require_words
from search.views.tables import stream_table

PAGE = 48


@dataclass(frozen=True)
class MapRow:
    """An item where it lies; x and y are the map's own, without a unit."""

    position: int
    key: str
    category: str
    x: float
    y: float


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.ANALYST, Role.OPERATOR)
def maps(request: HttpRequest) -> HttpResponseBase:
    """All maps; operators ask for another."""
    can_manage = has_role(request.user, Role.OPERATOR)
    if request.method == "POST" and not can_manage:
        return HttpResponse("Only operators ask for maps.", status=HTTPStatus.FORBIDDEN)
    form = MapForm(request.POST) if request.method == "POST" else MapForm()
    if request.method == "POST" and form.is_valid() and _ask(request, form):
        return redirect("maps")
    context = {"form": form, "maps": list_layout_rows(now=timezone.now()), "can_manage": can_manage}
    return render(request, "maps/list.html", context, status=422 if form.errors else 200)


def _ask(request: HttpRequest, form: MapForm) -> bool:
    """Ask for the map, or put on the form why it cannot be."""
    try:
        layout, job = request_layout(**form.wish(), now=timezone.now())
    except LayoutRefused as refused:
        form.add_error(refused.field or None, str(refused))
        return False
    tasks.hint_jobs([job] if job else [])
    row = describe_layout(layout, now=timezone.now())
    messages.success(request, f"“{row.title}” is {'on its way' if job else 'there already'}.")
    return True


@require_safe
@roles_required(Role.ANALYST, Role.OPERATOR)
def rows(request: HttpRequest) -> HttpResponseBase:
    """The list, fetched again while jobs run."""
    can_manage = has_role(request.user, Role.OPERATOR)
    context = {"maps": list_layout_rows(now=timezone.now()), "can_manage": can_manage}
    return render(request, "maps/_list.html", context)


@require_safe
@roles_required(Role.ANALYST, Role.OPERATOR)
def page(request: HttpRequest, pk: int) -> HttpResponseBase:
    layout, reason = _find(pk), ""
    try:
        open_map(pk)
    except NotDrawn as refused:
        reason = str(refused)
        layout.refresh_from_db()
    context = {
        "map": describe_layout(layout, now=timezone.now()),
        "catalogue": layout.space.catalogue,
        "reason": reason,
        "aspects": list_aspects(layout.space.catalogue),
        "can_manage": has_role(request.user, Role.OPERATOR),
    }
    return render(request, "maps/page.html", context)


@require_safe
@roles_required(Role.ANALYST, Role.OPERATOR)
def listed(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The map in words: all items, those inside a shape, those with words, or those nearest to one."""
    layout = _find(pk)
    context: dict[str, Any] = {"map": describe_layout(layout, now=timezone.now())}
    catalogue = layout.space.catalogue
    try:
        layout, opened = open_map(pk)
        positions = _choose(request, catalogue, opened)
        number = int(request.GET.get("page", "1"))
    except (NotDrawn, ValueError, SearchRefused) as refused:
        is_drawn = not isinstance(refused, NotDrawn)
        context["reason"] = (
            str(refused) if not str(refused).startswith("invalid literal") else "No such page."
        )
        status = HTTPStatus.BAD_REQUEST if is_drawn else HTTPStatus.CONFLICT
        return render(request, "maps/items.html", context | {"catalogue": catalogue}, status=status)
    pages = max(1, -(-len(positions) // PAGE))
    number = min(max(1, number), pages)
    shown = positions[(number - 1) * PAGE : number * PAGE].tolist()
    known = show_items(catalogue, shown)
    near = request.GET.get("near", "")
    context |= {
        "catalogue": catalogue,
        "items": [known[position] for position in shown if position in known],
        "near": show_items(catalogue, [int(near)]).get(int(near)) if near else None,
        "count": len(positions),
        "first": 1 + (number - 1) * PAGE,
        "page": number,
        "pages": pages,
        "query": _address(request),
        "previous": _address(request, page=number - 1) if number > 1 else "",
        "next": _address(request, page=number + 1) if number < pages else "",
        "words": request.GET.get("q", ""),
        "area": request.GET.get("area", ""),
        "by": request.GET.get("by", ""),
        "value": request.GET.get("value", ""),
    }
    return render(request, "maps/items.html", context)


@require_safe
@roles_required(Role.ANALYST, Role.OPERATOR)
def export(request: HttpRequest, pk: int, suffix: str) -> HttpResponseBase:
    """The same items as `listed` has, with where they lie, as a table to take away."""
    try:
        layout, opened = open_map(pk)
        positions = _choose(request, layout.space.catalogue, opened)
    except (NotDrawn, ValueError, SearchRefused) as refused:
        return HttpResponse(
            str(refused), status=HTTPStatus.CONFLICT, content_type="text/plain; charset=utf-8"
        )
    table = Table(MapRow, _list_rows(layout.space.catalogue, opened, positions))
    return stream_table(request, table, name=f"dope-or-nope-map-{pk}", suffix=suffix)


def _find(pk: int) -> Layout:
    layout = find_layout(pk)
    if layout is None:
        raise Http404("There is no such map.")
    return layout


def _choose(request: HttpRequest, catalogue: Catalogue, opened: OpenLayout) -> Positions:
    """Positions of the items that the address asks for, in their order. Raises ValueError, SearchRefused."""
    require_words(request)
    asked, chosen = request.GET, opened.items
    if area := asked.get("area", ""):
        chosen = chosen[find_inside(make_grid(opened), read_area(area))]
    if words := asked.get("q", "")[:200].strip():
        chosen = chosen[np.isin(chosen, find_named(catalogue, words))]
    if value := asked.get("value", ""):
        having = find_allowed(catalogue, {asked.get("by", ""): (value,)})
        chosen = chosen[np.isin(chosen, having if having is not None else [])]
    if near := asked.get("near", ""):
        row = np.flatnonzero(opened.items == (int(near) if near.isdecimal() else -1))
        if not len(row):
            raise ValueError("The map has no item of that number.")
        ordered = opened.items[order_by_nearness(make_grid(opened), int(row[0]))]
        chosen = ordered[np.isin(ordered, chosen)]
    return chosen


def _address(request: HttpRequest, **changed: int) -> str:
    """What is asked, as a query, on another page."""
    names = ("area", "q", "by", "value", "near")
    kept = {name: str(request.GET[name]) for name in names if request.GET.get(name)}
    return urlencode({**kept, **{name: str(value) for name, value in changed.items()}})


def _list_rows(catalogue: Catalogue, opened: OpenLayout, positions: Positions) -> Iterator[MapRow]:
    places = dict(zip(opened.items.tolist(), opened.places.tolist(), strict=True))
    for start in range(0, len(positions), AT_ONCE // 4):
        some = positions[start : start + AT_ONCE // 4].tolist()
        known = show_items(catalogue, some)
        for position in some:
            if position in known:
                x, y = places[position]
                yield MapRow(position, known[position].key, known[position].category, x, y)
