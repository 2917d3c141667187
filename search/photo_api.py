"""`/api/search/`: searching with a photo or from an item, by the steps that the page takes, with its answer.

Which engine answers is told to analysts alone, as on the page: who judges pairs blindly could look it up.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from asgiref.sync import sync_to_async as in_django
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from ninja import File, Form, Path, Query, Router, Status
from ninja.decorators import decorate_view
from ninja.files import UploadedFile

from search.api import LATER, Invalid, Problem, Slug
from search.models import Role, Scope
from search.selectors.roles import has_role
from search.selectors.searchable import find_searchable, list_filters
from search.selectors.searches import (
    Answer,
    Area,
    Candidate,
    FilterChoice,
    SearchRefused,
    ShownPhoto,
    Waiting,
    Wish,
    round_area,
)
from search.services.photos import drop_photo, keep_longer, show_photo, take_photo
from search.views.access import enter_by_token, read_bearer
from search.views.embargoes import require_free
from search.views.plain_words import say_refusal, say_waiting
from search.views.search_schemas import FilterOut, Options, PhotoOut, Question, SearchOut, WaitingOut
from search.views.searching import answer as answer_wish


class Refusal(Problem):
    """Why there is no answer: in a sentence, and as a word for programs."""

    code: str


REFUSALS = {
    401: Problem,
    403: Refusal,
    404: Refusal | Problem,
    422: Refusal | Invalid,
    **LATER,
    503: Refusal | Problem,
}
UPLOADS = {400: Refusal, 413: Refusal, 415: Refusal, 507: Refusal, **REFUSALS}
Key = Annotated[UUID, Path()]
search = Router(tags=["search"])
kept_by_nobody = decorate_view(never_cache)


@search.post(
    "/{slug}/",
    response={200: SearchOut, 202: WaitingOut, **UPLOADS},
    summary="Search with a photo",
    description="The photo is a multipart file named photo, the options are fields beside it. It is stored "
    "as its pixels alone and kept for 24 hours; its key is in the answer.",
)
@kept_by_nobody
async def search_with_photo(
    request: HttpRequest, slug: Slug, photo: File[UploadedFile], options: Form[Options]
) -> Status[dict[str, Any]]:
    is_told = await in_django(_is_told)(request)
    wish = _read(slug, options, is_told=is_told)  # so that nothing is kept for a question that is refused
    await in_django(find_searchable)(slug)
    kept = await take_photo(read=photo.read, holder=None, now=timezone.now())
    try:
        return await _answer(replace(wish, photo=kept.key), is_told=is_told)
    except Exception:  # its sender is not told the key, so nobody could delete it
        await in_django(drop_photo)(key=kept.key)
        raise


@search.get(
    "/{slug}/",
    response={200: SearchOut, 202: WaitingOut, 409: Refusal, **REFUSALS},
    summary="Search with a photo that was sent before, or from an item",
    description="Not from an item that the player whose cookie is sent has to judge just now (409). "
    "What engine answers is told to and chosen by analysts and operators: with their session, or "
    f"a token with the scope {Scope.CHOOSE_ENGINES}.",
)
@kept_by_nobody
async def search_again(request: HttpRequest, slug: Slug, question: Query[Question]) -> Status[dict[str, Any]]:
    is_told = await in_django(_is_told)(request)
    wish = _read(slug, question, is_told=is_told)
    if wish.item is not None:
        await in_django(require_free)(request, slug, wish.item)
    return await _answer(wish, is_told=is_told)


@search.get(
    "/{slug}/filters/",
    response={200: list[FilterOut], 404: Refusal, 422: Invalid, **LATER},
    summary="What a catalogue's items can be filtered by",
)
def get_filters(request: HttpRequest, slug: Slug) -> list[FilterChoice]:
    return list_filters(find_searchable(slug))


@search.get(
    "/photos/{key}/",
    response={200: PhotoOut, 404: Refusal, 422: Invalid, **LATER},
    summary="A photo that was sent before",
)
@kept_by_nobody
def get_photo(request: HttpRequest, key: Key) -> ShownPhoto:
    return show_photo(key=key, now=timezone.now())


@search.put(
    "/photos/{key}/",
    response={200: PhotoOut, 403: Refusal, 404: Refusal, 422: Invalid, **LATER},
    summary="Keep a photo that was sent on the page for 30 days, with its owner's consent",
)
@kept_by_nobody
def put_photo(request: HttpRequest, key: Key) -> ShownPhoto:
    return keep_longer(key=key, now=timezone.now())


@search.delete(
    "/photos/{key}/", response={204: None, 422: Invalid, **LATER}, summary="Delete a photo at once"
)
@kept_by_nobody
def delete_photo(request: HttpRequest, key: Key) -> Status[None]:
    drop_photo(key=key)
    return Status(204, None)


def answer_search_refused(refused: SearchRefused) -> HttpResponse:
    """What a program is told."""
    body = Refusal(detail=str(refused), code=refused.code)
    response = HttpResponse(
        body.model_dump_json(), status=refused.status, content_type="application/json; charset=utf-8"
    )
    if refused.retry_after_s is not None:
        response["Retry-After"] = str(refused.retry_after_s)
    return response


def _is_told(request: HttpRequest) -> bool:
    """Whether engines may be named to whoever asks. Raises TokenRefused for a token that is none of that."""
    secret = read_bearer(request)
    if secret is not None:
        enter_by_token(request, secret, Scope.CHOOSE_ENGINES)
    return has_role(request.user, Role.ANALYST, Role.OPERATOR)


def _read(slug: str, options: Options, *, is_told: bool) -> Wish:
    if (options.engine or options.metric) and not is_told:
        raise SearchRefused(
            "engine-not-told",
            "Which engine answers is for analysts to choose: leave engine and metric out, or sign in.",
            status=HTTPStatus.FORBIDDEN,
        )
    filters: dict[str, list[str]] = {}
    for text in options.filter:
        aspect, _, value = text.partition(":")  # names with colons are found later, among those there are
        if not (aspect and value):
            raise SearchRefused("bad-filter", f"A filter is ASPECT:VALUE, not “{text[:40]}”.", status=422)
        filters.setdefault(aspect, []).append(value)
    return Wish(
        catalogue=slug,
        photo=getattr(options, "photo", None),
        item=getattr(options, "item", None),
        area=_read_area(options),
        encoder=options.engine,
        metric=options.metric,
        weights=dict(_read_weight(text) for text in options.weight),
        filters=filters,
        page=options.page,
    )


def _read_area(options: Options) -> Area | None:
    sides = (options.left, options.top, options.width, options.height)
    if all(side is None for side in sides):
        return None
    left, top, width, height = sides
    if left is None or top is None or width is None or height is None:
        raise SearchRefused("bad-area", "An area is left, top, width and height: all four.", status=422)
    return round_area(Area(left, top, width, height))


def _read_weight(text: str) -> tuple[str, float]:
    aspect, _, share = text.rpartition(":")
    if not (aspect and share):
        raise SearchRefused(
            "bad-weight", f"A weight is ASPECT:SHARE, such as colour:0.5, not “{text[:40]}”.", status=422
        )
    try:
        return aspect, float(share)
    except ValueError as error:
        raise SearchRefused("bad-weight", f"“{share[:20]}” is no weight from 0 to 1.", status=422) from error


async def _answer(wish: Wish, *, is_told: bool) -> Status[dict[str, Any]]:
    try:
        found = await answer_wish(wish, now=timezone.now())
    except SearchRefused as refused:
        words = say_refusal(refused, is_told=is_told)
        raise SearchRefused(
            refused.code, words, status=refused.status, retry_after_s=refused.retry_after_s
        ) from refused
    if isinstance(found, Waiting):
        words = say_waiting(found, is_told=is_told)
        return Status(202, {"detail": words, "photo": found.photo, "seconds": found.again_in_s})
    return Status(200, _describe(found, is_told=is_told))


def _describe(found: Answer, *, is_told: bool) -> dict[str, Any]:
    return {
        "catalogue": found.wish.catalogue,
        "photo": found.photo,
        "item": found.query,
        "verdict": found.verdict,
        "candidates": [_describe_candidate(one, is_told=is_told) for one in found.candidates],
        "weights": found.weights,
        "total": found.total,
        "page": found.page,
        "pages": found.pages,
        "engine": found.engine.encoder if is_told else None,
        "metric": found.engine.metric if is_told else None,
    }


def _describe_candidate(one: Candidate, *, is_told: bool) -> dict[str, Any]:
    """A raw distance tells by its size which metric and space it is of."""
    return {
        "item": one.item,
        "distance": one.distance if is_told else None,
        "closeness": one.closeness,
        "similarity": one.score,
        "aspects": one.aspects,
        "duplicates": one.duplicates,
    }
