"""What the picture of a map is drawn from, in few bytes: points, colours and what is known of some items."""

from __future__ import annotations

import base64
import gzip
from functools import lru_cache
from http import HTTPStatus

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from search import artifacts, tasks
from search.artifacts import OpenLayout
from search.engine.errors import ArtifactDamaged
from search.models import BuildState, Layout, Role
from search.selectors.layouts import find_layout, is_outdated
from search.selectors.map_points import find_named, pack_points, read_colours
from search.selectors.searchable import show_items
from search.services.mapping import repair_layout
from search.views.access import roles_required

AT_ONCE = 80  # items told of together
FOUND = 20
OUTDATED = (
    "Its vectors were replaced, or its catalogue was imported again: this map shows what was there before."
)
DAMAGED = "The file of this map is damaged. Nothing of it is used; it is being made again."


class NotDrawn(Exception):
    """There is no picture of this map now; the text says why, and the remedy."""


def open_map(pk: int) -> tuple[Layout, OpenLayout]:
    """A map that may be shown. Raises Http404, NotDrawn; of one that is damaged, the making is asked for."""
    layout = find_layout(pk)
    if layout is None:
        raise Http404("There is no such map.")
    if is_outdated(layout):
        raise NotDrawn(OUTDATED)
    if layout.state != BuildState.READY:
        raise NotDrawn("This map is not made yet.")
    try:
        return layout, artifacts.open_layout(layout)
    except ArtifactDamaged as damaged:
        job = repair_layout(layout=layout, now=timezone.now())
        tasks.hint_jobs([job] if job else [])
        raise NotDrawn(DAMAGED) from damaged


def require_words(request: HttpRequest) -> None:
    """Raises ValueError for an address with a character that no word has, and no database takes."""
    if any("\x00" in value for value in request.GET.values()):
        raise ValueError("This address holds a character that no word has. Type it anew.")


@require_safe
@roles_required(Role.ANALYST, Role.OPERATOR)
def points(request: HttpRequest, pk: int) -> HttpResponseBase:
    """See `pack_points`. A browser that has them is told so: the file's checksum is their tag."""
    try:
        layout, opened = open_map(pk)
    except NotDrawn as reason:
        return _refuse(reason)
    tag = f'"{layout.sha256}"'
    if tag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=HTTPStatus.NOT_MODIFIED)
    else:
        response = _pack(_zip_points(opened), "application/octet-stream")
    response["ETag"] = tag
    return response


@require_safe
@roles_required(Role.ANALYST, Role.OPERATOR)
def colours(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The values of the aspect ``by`` with their counts, and a code per point, in base64."""
    try:
        require_words(request)
        layout, opened = open_map(pk)
        found = read_colours(layout.space.catalogue, opened.items, request.GET.get("by", ""))
    except NotDrawn as reason:
        return _refuse(reason)
    except ValueError as refused:
        return _refuse_words(str(refused))
    except KeyError:
        return _refuse_words("There is no such aspect.")
    body = {
        "values": [{"name": name, "count": count} for name, count in found.values],
        "others": found.others,
        "codes": base64.b64encode(found.codes.tobytes()).decode(),
    }
    return JsonResponse(body)


@require_safe
@roles_required(Role.ANALYST, Role.OPERATOR)
def items(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What is known of the items ``at`` (positions with commas), or of the first with the words ``q``."""
    try:
        layout, opened = open_map(pk)
        require_words(request)
        catalogue = layout.space.catalogue
        asked = _read_positions(request.GET.get("at", ""))
    except NotDrawn as reason:
        return _refuse(reason)
    except ValueError as refused:
        return _refuse_words(str(refused))
    count = len(asked)
    if words := request.GET.get("q", "")[:200].strip():
        named = find_named(catalogue, words)
        named = named[np.isin(named, opened.items)]
        asked, count = named[:FOUND].tolist(), len(named)
    known = show_items(catalogue, [position for position in asked[:AT_ONCE] if 0 <= position < 2**31])
    rows = [
        {
            "position": one.position,
            "key": one.key,
            "category": one.category,
            "image": one.image,
            "page": reverse("search-item", args=[catalogue.slug, one.position]),
        }
        for one in known.values()
    ]
    return JsonResponse({"count": count, "items": rows})


def _read_positions(told: str) -> list[int]:
    try:
        return [int(part) for part in told.split(",") if part]
    except ValueError:
        raise ValueError("Positions are whole numbers.") from None


def _refuse_words(why: str) -> JsonResponse:
    return JsonResponse({"detail": why}, status=HTTPStatus.BAD_REQUEST)


def _refuse(reason: NotDrawn) -> JsonResponse:
    return JsonResponse({"detail": str(reason)}, status=HTTPStatus.CONFLICT)


def _pack(zipped: bytes, content_type: str) -> HttpResponse:
    """Nothing in it is a secret that its size could tell, so it may be compressed."""
    response = HttpResponse(zipped, content_type=content_type)
    response["Content-Encoding"] = "gzip"
    return response


@lru_cache(8)
def _zip_points(opened: OpenLayout) -> bytes:
    return gzip.compress(pack_points(opened), 4, mtime=0)
