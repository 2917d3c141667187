"""The public change log: page, JSON and Atom feed."""

import re
from urllib.parse import urlsplit

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from evaluation.selectors.board import read_revision
from evaluation.selectors.changes import Change, read_changes, select_changes
from evaluation.services.site_address import find_address

AT_ONCE = 50
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@require_safe
@cache_control(no_cache=True)
def page(request: HttpRequest) -> HttpResponse:
    """Fifty at once; a page that is not there is the first, or the last."""
    return _render(request, "leaderboard/changes.html")


@require_safe
@cache_control(no_cache=True)
def log(request: HttpRequest) -> HttpResponse:
    """The part of the page that is fetched again when something changed."""
    return _render(request, "leaderboard/_changes.html")


def _render(request: HttpRequest, template: str) -> HttpResponse:
    revision = read_revision("changes")  # first: what comes after it is told again, not missed
    shown = Paginator(select_changes(), AT_ONCE).get_page(request.GET.get("page"))
    context = {"shown": shown, "changes": read_changes(list(shown)), "revision": revision}
    return render(request, template, context)


@require_safe
@cache_control(no_cache=True)
def export_json(request: HttpRequest) -> HttpResponse:
    """The newest ones for programs."""
    changes = read_changes(list(select_changes()[:AT_ONCE]))
    return JsonResponse(
        {"changes": [_as_row(request, change) for change in changes]}, json_dumps_params={"indent": 1}
    )


@require_safe
@cache_control(no_cache=True)
def feed(request: HttpRequest) -> HttpResponse:
    """The newest ones for feed readers."""
    home = request.build_absolute_uri(reverse("changes"))
    tag = f"tag:{urlsplit(find_address()).hostname},2026:changes"  # the same, whoever asks under which name
    atom = Atom1Feed(
        "Dope or Nope: changes of the leaderboard",
        home,
        "",
        feed_url=request.build_absolute_uri(),
        feed_guid=tag,
    )
    for change in read_changes(list(select_changes()[:AT_ONCE])):
        row = _as_row(request, change)
        atom.add_item(
            title=_NOT_XML.sub("", change.told),
            link=row["url"],
            description="",
            unique_id=f"{tag}/{change.kind}-{change.pk}",
            pubdate=change.at,
            updateddate=change.at,
        )
    return HttpResponse(atom.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


def _as_row(request: HttpRequest, change: Change) -> dict[str, str]:
    if change.contender is None:
        address = f"{reverse('leaderboard')}?catalogue={change.catalogue.slug}"
    else:
        address = reverse("contender", args=[change.contender.pk])
    return {
        "at": change.at.isoformat(),
        "kind": change.kind,
        "catalogue": change.catalogue.slug,
        "contender": change.contender.title if change.contender else "",
        "version": change.contender.encoder_version if change.contender else "",
        "taken_by_version": change.by.encoder_version if change.by else "",
        "text": change.told,
        "url": request.build_absolute_uri(address),
    }
