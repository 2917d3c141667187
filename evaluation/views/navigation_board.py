"""How many slates people need by each policy: page and exports."""

import dataclasses

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from evaluation.selectors.game_pages import POLICY_TITLES
from evaluation.selectors.game_results import PolicyRow, read_navigation_board
from search.selectors.table_files import Table
from search.views.tables import answer_table


@require_safe
@cache_control(no_cache=True)
def page(request: HttpRequest) -> HttpResponse:
    board = read_navigation_board(now=timezone.now())
    tables: dict[tuple[str, str, int], list[tuple[str, PolicyRow]]] = {}
    for row in board.rows:
        title = POLICY_TITLES.get(row.policy, row.policy)
        tables.setdefault((row.catalogue, row.build, row.slate), []).append((title, row))
    context = {"board": board, "tables": [(rows[0][1], rows) for rows in tables.values()]}
    return render(request, "navigation/leaderboard.html", context)


@require_safe
@cache_control(no_cache=True)
def export_json(request: HttpRequest) -> HttpResponse:
    board = read_navigation_board(now=timezone.now())
    response = JsonResponse(dataclasses.asdict(board), json_dumps_params={"indent": 1})
    response["Content-Disposition"] = 'attachment; filename="dope-or-nope-navigation.json"'
    return response


@require_safe
@cache_control(no_cache=True)
def export_table(request: HttpRequest, suffix: str) -> HttpResponse:
    """The rows alone, as the suffix says."""
    table = Table(PolicyRow, read_navigation_board(now=timezone.now()).rows)
    return answer_table(table, name="dope-or-nope-navigation", suffix=suffix)
