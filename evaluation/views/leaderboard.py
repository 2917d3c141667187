"""The leaderboard: page, fragment and exports, all of one set of filters from the address bar."""

import dataclasses
from http import HTTPStatus
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from evaluation.selectors.board import (
    Filters,
    Options,
    Row,
    UnknownFilter,
    check_filters,
    read_board,
)
from evaluation.selectors.promotions import list_in_charge
from evaluation.selectors.rankings import list_rankings
from evaluation.selectors.slice_exports import SliceRow, list_slice_rows
from evaluation.views.entity_tags import tag_revision
from search.selectors.table_files import Table
from search.views.tables import answer_table

LABELS = {"catalogue": "Catalogue", "encoder": "Encoder", "metric": "Metric", "category": "Category"}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return _render(request, "leaderboard/page.html", ranked=True)


@require_safe
@cache_control(no_cache=True)
@condition(etag_func=tag_revision)
def board(request: HttpRequest) -> HttpResponse:
    """The part of the page that is fetched again when votes arrive."""
    return _render(request, "leaderboard/_board.html")


@require_safe
@cache_control(no_cache=True)
@condition(etag_func=tag_revision)
def export_json(request: HttpRequest) -> HttpResponse:
    try:
        filters, _ = read_filters(request)
    except UnknownFilter as unknown:
        return JsonResponse({"message": str(unknown)}, status=HTTPStatus.BAD_REQUEST)
    content = {"filters": dataclasses.asdict(filters), **dataclasses.asdict(read_board(filters))}
    response = JsonResponse(content, json_dumps_params={"indent": 1})
    response["Content-Disposition"] = 'attachment; filename="dope-or-nope-leaderboard.json"'
    return response


@require_safe
@cache_control(no_cache=True)
@condition(etag_func=tag_revision)
def export_table(request: HttpRequest, suffix: str) -> HttpResponse:
    """The rows alone, as the suffix says."""
    try:
        filters, _ = read_filters(request)
    except UnknownFilter as unknown:
        return HttpResponse(
            str(unknown), status=HTTPStatus.BAD_REQUEST, content_type="text/plain; charset=utf-8"
        )
    return answer_table(Table(Row, read_board(filters).rows), name="dope-or-nope-leaderboard", suffix=suffix)


@require_safe
@cache_control(no_cache=True)
def export_slices(request: HttpRequest, suffix: str) -> HttpResponse:
    """The slices of the night's rankings, of one catalogue or of all."""
    try:
        filters, _ = check_filters(Filters(catalogue=request.GET.get("catalogue", "")))
    except UnknownFilter as unknown:
        return HttpResponse(
            str(unknown), status=HTTPStatus.BAD_REQUEST, content_type="text/plain; charset=utf-8"
        )
    rows = list_slice_rows(filters.catalogue)
    return answer_table(Table(SliceRow, rows), name="dope-or-nope-slices", suffix=suffix)


def read_filters(request: HttpRequest) -> tuple[Filters, Options]:
    """The filters in the address, checked against what there is. Raises UnknownFilter."""
    return check_filters(Filters(**{name: request.GET.get(name, "") for name in LABELS}))


def _render(request: HttpRequest, template: str, *, ranked: bool = False) -> HttpResponse:
    try:
        filters, options = read_filters(request)
    except UnknownFilter as unknown:
        return render(request, "400.html", {"message": str(unknown)}, status=HTTPStatus.BAD_REQUEST)
    chosen = dataclasses.asdict(filters)
    context = {
        "board": read_board(filters),
        "in_charge": set(list_in_charge()),
        "filters": [
            {
                "name": name,
                "label": label,
                "value": chosen[name],
                "options": [{"value": "", "label": "all"}]
                + [{"value": value, "label": text} for value, text in options[name]],
            }
            for name, label in LABELS.items()
        ],
        "rankings": list_rankings(filters.catalogue) if ranked else [],
        "catalogue": filters.catalogue,
        "query": urlencode({name: value for name, value in chosen.items() if value}),
    }
    return render(request, template, context)
