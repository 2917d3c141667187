"""Two contenders side by side: figures for everybody, the pairs they disagree on for analysts."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from evaluation.selectors.board import LEVEL
from evaluation.selectors.head_to_head import (
    NoComparison,
    Two,
    find_two,
    list_choices,
    list_disagreements,
    read_head_to_head,
)
from evaluation.selectors.judged_pairs import FEWEST
from evaluation.views.entity_tags import tag_revision
from search.models import Role
from search.views.access import roles_required


@require_safe
@cache_control(no_cache=True)
def page(request: HttpRequest) -> HttpResponse:
    """Without two numbers the two lists alone; with two that cannot be compared the reason as well."""
    one, other = request.GET.get("one", ""), request.GET.get("other", "")
    context = {"choices": list_choices(), "one": one, "other": other}
    if not (one and other):
        return render(request, "leaderboard/head_to_head.html", context)
    try:
        two = find_two(one, other)
    except NoComparison as refused:
        context["refused"] = str(refused)
        return render(request, "leaderboard/head_to_head.html", context, status=HTTPStatus.BAD_REQUEST)
    return render(request, "leaderboard/head_to_head.html", {**context, **_compare(two)})


@require_safe
@cache_control(no_cache=True)
@condition(etag_func=tag_revision)
def figures(request: HttpRequest) -> HttpResponse:
    """The part of the page that is fetched again when votes arrive."""
    try:
        two = find_two(request.GET.get("one", ""), request.GET.get("other", ""))
    except NoComparison as refused:
        return render(request, "400.html", {"message": str(refused)}, status=HTTPStatus.BAD_REQUEST)
    return render(request, "leaderboard/_head_to_head.html", _compare(two))


@require_safe
@roles_required(Role.ANALYST, Role.OPERATOR)
def pairs(request: HttpRequest) -> HttpResponseBase:
    """The questions on which people preferred one to the other: never for players, who judge blindly."""
    try:
        two = find_two(request.GET.get("one", ""), request.GET.get("other", ""))
    except NoComparison as refused:
        return render(request, "400.html", {"message": str(refused)}, status=HTTPStatus.BAD_REQUEST)
    liked, disliked = list_disagreements(two)
    lists = [(two.first, two.second, liked), (two.second, two.first, disliked)]
    return render(
        request, "leaderboard/head_to_head_pairs.html", {"two": two, "lists": lists, "fewest": FEWEST}
    )


def _compare(two: Two) -> dict[str, object]:
    return {"two": two, "compared": read_head_to_head(two), "level": LEVEL}
