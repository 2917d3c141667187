"""`/api/`: what both apps offer to programs, described at `/api/openapi.json`.

The interactive pages that ninja brings need scripts that the content policy forbids; `/api/` is a plain page.
"""

import logging
from functools import cache
from http import HTTPStatus
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

import evaluation.api
import search.api
import search.photo_api
from dopeornope.multipart import UNREADABLE
from dopeornope.views import RETRY_SECONDS
from search.engine.errors import DiskFull
from search.selectors.searches import SearchRefused
from search.services.tokens import TokenRefused
from search.views.access import answer_refused

# Of this interface, not of the package: it grows when an answer changes its shape.
VERSION = "1.0"

log = logging.getLogger(__name__)
api = NinjaAPI(
    title="Dope or Nope",
    version=VERSION,
    description=(
        "What people say about visual search: a leaderboard of contenders, and what stands behind it. "
        "Reading needs no key, except for jobs: those need an operator's or analyst's session or token. "
        "Searching needs none either; a photo is known by the key that its sender is told. "
        "Every refusal is JSON with a field detail."
    ),
    docs_url=None,
    urls_namespace="api",
)
api.add_router("/leaderboard", evaluation.api.leaderboard)
api.add_router("/contenders", evaluation.api.contenders)
api.add_router("/catalogues", search.api.catalogues)
api.add_router("/jobs", search.api.jobs)
api.add_router("/search", search.photo_api.search)


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def ask_to_come_again(request: HttpRequest, error: Exception) -> HttpResponse:
    """503 in JSON, where a page would be `views.server_error`."""
    log.warning("the database did not answer the API: %s", error)
    sentence = f"The database does not answer just now. Try again in {RETRY_SECONDS} seconds."
    response = api.create_response(request, {"detail": sentence}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


@api.exception_handler(TokenRefused)
def refuse_token(request: HttpRequest, refused: TokenRefused) -> HttpResponse:
    return answer_refused(refused)


@api.exception_handler(SearchRefused)
def refuse_search(request: HttpRequest, refused: SearchRefused) -> HttpResponse:
    return search.photo_api.answer_search_refused(refused)


@api.exception_handler(DiskFull)
def tell_disk_full(request: HttpRequest, full: DiskFull) -> HttpResponse:
    status = HTTPStatus.INSUFFICIENT_STORAGE
    return search.photo_api.answer_search_refused(SearchRefused("disk-full", str(full), status=status))


@api.exception_handler(SuspiciousOperation)
def refuse_form(request: HttpRequest, error: Exception) -> HttpResponse:
    """A form of too many fields, which only asking for its fields tells."""
    return api.create_response(
        request, {"detail": UNREADABLE, "code": "bad-form"}, status=HTTPStatus.BAD_REQUEST
    )


@require_safe
def describe_api(request: HttpRequest) -> HttpResponse:
    """The API for people: every address, what it takes and what it answers."""
    return render(request, "api.html", _read_schema())


@cache
def _read_schema() -> dict[str, Any]:
    schema = api.get_openapi_schema()
    operations = [
        _describe(path, method, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    return {"info": schema["info"], "operations": operations}


def _describe(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    return {
        "path": path,
        "method": method.upper(),
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "parameters": operation.get("parameters", []),
        "answers": [(status, answer["description"]) for status, answer in operation["responses"].items()],
    }
