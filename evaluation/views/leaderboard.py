"""The leaderboard: page, fragment and exports, all of one set of filters from the address bar."""

import csv
import dataclasses
import io
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
    read_revision,
)
from search.selectors.tables import neutralise

LABELS = {"catalogue": "Catalogue", "encoder": "Encoder", "metric": "Metric", "category": "Category"}


def _entity_tag(request: HttpRequest) -> str:
    """Changes with the board and with the filters: the whole of what these answers depend on."""
    filters = urlencode(sorted((name, request.GET.get(name, "")) for name in LABELS))
    return f'W/"{read_revision()}?{filters}"'


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return _render(request, "leaderboard/page.html")


@require_safe
@cache_control(no_cache=True)
@condition(etag_func=_entity_tag)
def board(request: HttpRequest) -> HttpResponse:
    """The part of the page that is fetched again when votes arrive."""
    return _render(request, "leaderboard/_board.html")


@require_safe
@cache_control(no_cache=True)
@condition(etag_func=_entity_tag)
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
@condition(etag_func=_entity_tag)
def export_csv(request: HttpRequest) -> HttpResponse:
    """The rows as CSV; no cell is a formula to a spreadsheet."""
    try:
        filters, _ = read_filters(request)
    except UnknownFilter as unknown:
        return HttpResponse(
            str(unknown), status=HTTPStatus.BAD_REQUEST, content_type="text/plain; charset=utf-8"
        )
    response = HttpResponse(write_csv(read_board(filters).rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="dope-or-nope-leaderboard.csv"'
    return response


def write_csv(rows: list[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    names = [field.name for field in dataclasses.fields(Row)]
    writer.writerow(names)
    for row in rows:
        writer.writerow([neutralise(getattr(row, name)) for name in names])
    return out.getvalue()


def read_filters(request: HttpRequest) -> tuple[Filters, Options]:
    """The filters in the address, checked against what there is. Raises UnknownFilter."""
    return check_filters(Filters(**{name: request.GET.get(name, "") for name in LABELS}))


def _render(request: HttpRequest, template: str) -> HttpResponse:
    try:
        filters, options = read_filters(request)
    except UnknownFilter as unknown:
        return render(request, "400.html", {"message": str(unknown)}, status=HTTPStatus.BAD_REQUEST)
    chosen = dataclasses.asdict(filters)
    context = {
        "board": read_board(filters),
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
        "query": urlencode({name: value for name, value in chosen.items() if value}),
    }
    return render(request, template, context)
