"""Pages and files of lineage: what taught an encoder, and what a vote or a pick taught."""

from http import HTTPStatus
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from evaluation.models import Retraining
from evaluation.selectors.lineage import (
    LessonRow,
    count_left_out,
    iterate_lessons,
    list_ancestors,
    list_lessons,
    trace_pick,
    trace_vote,
)
from search.models import Role
from search.selectors.table_files import FORMATS, Table
from search.views.access import roles_required
from search.views.tables import stream_table

A_PAGE = 50


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def lineage(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What taught a challenger, and what its parent came from."""
    retraining = _find(pk)
    pages = Paginator(range(1, retraining.triplets + 1), A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    line = list_ancestors(retraining)
    context = {
        "retraining": retraining,
        "root": line[-1].rival,
        "ancestors": line[1:],
        "left_out": count_left_out(retraining),
        "formats": FORMATS,
        "route": f"{reverse('lineage', args=[pk])}lessons",
        "page": page,
        "lessons": list_lessons(retraining, first=max(1, page.start_index()), many=A_PAGE),
    }
    return render(request, "operations/lineage.html", context)


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def lessons(request: HttpRequest, pk: int, suffix: str) -> HttpResponseBase:
    """All its lessons as a file, however many there are."""
    retraining = _find(pk)
    table = Table(LessonRow, iterate_lessons(retraining))
    return stream_table(request, table, name=f"{retraining.name}-lessons", suffix=suffix)


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def taught(request: HttpRequest) -> HttpResponseBase:
    """What one vote (``?vote=``, the id of its deal) or one pick (``?pick=``) taught."""
    vote, pick = request.GET.get("vote", "").strip(), request.GET.get("pick", "").strip()
    source = (
        trace_vote(vote) if vote else trace_pick(int(pick)) if pick.isdecimal() and len(pick) < 19 else None
    )
    context: dict[str, Any] = {"vote": vote, "pick": pick, "source": source}
    status = HTTPStatus.NOT_FOUND if source is None and (vote or pick) else HTTPStatus.OK
    return render(request, "operations/taught.html", context, status=status)


def _find(pk: int) -> Retraining:
    rows = Retraining.objects.select_related("catalogue", "rival", "training")
    return get_object_or_404(rows, pk=pk)
