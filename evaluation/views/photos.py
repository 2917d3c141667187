"""The photos that people search with: taken, shown to who has their key, kept longer, deleted."""

from __future__ import annotations

import asyncio
import uuid
from http import HTTPStatus

from asgiref.sync import sync_to_async as in_django
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from evaluation.views.navigation import PART, takes_sitting
from evaluation.views.searches import show_blank
from search.engine.errors import DiskFull
from search.selectors.photos import find_photo, photo_path
from search.selectors.searchable import find_searchable
from search.selectors.searches import SearchRefused
from search.services.photos import drop_photo, keep_longer, take_photo

NONE = "No photo came. Take or choose one, or paste or drop it on the page."


@takes_sitting
async def take(request: HttpRequest, key: uuid.UUID, slug: str) -> HttpResponse:
    """Take a photo in, and go to what it finds."""
    try:
        await in_django(find_searchable)(slug)
        photo = await take_photo(read=_find(request).read, holder=key, now=timezone.now())
        if request.POST.get("keep"):
            await in_django(keep_longer)(key=photo.key, now=timezone.now())
    except SearchRefused as refused:
        return await in_django(_refuse)(request, slug, refused)
    except DiskFull as full:
        status = HTTPStatus.INSUFFICIENT_STORAGE
        return await in_django(_refuse)(request, slug, SearchRefused("disk-full", str(full), status=status))
    address = f"{reverse('search-catalogue', args=[slug])}?photo={photo.key}"
    if PART in request.headers:
        return JsonResponse({"address": address}, status=HTTPStatus.CREATED)
    return redirect(address)


@never_cache
@require_safe
async def show(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The picture itself, to whoever has its key; kept by no cache, for it may be deleted any moment."""
    try:
        await in_django(find_photo)(key, now=timezone.now())
        data = await asyncio.to_thread(photo_path(key).read_bytes)
    except (SearchRefused, FileNotFoundError) as gone:
        raise Http404("This photo is not kept any more.") from gone
    response = HttpResponse(data, content_type="image/webp")
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@takes_sitting
async def delete(request: HttpRequest, holder: uuid.UUID, key: uuid.UUID) -> HttpResponse:
    """Delete a photo at once: who has its key may."""
    await in_django(drop_photo)(key=key)
    await in_django(messages.success)(request, "The photo is deleted.")
    return _go_on(request)


@takes_sitting
async def keep(request: HttpRequest, holder: uuid.UUID, key: uuid.UUID) -> HttpResponse:
    """Keep a photo longer, which the person agrees to by asking for it."""
    try:
        await in_django(keep_longer)(key=key, now=timezone.now())
    except SearchRefused as refused:
        raise Http404(str(refused)) from refused
    return _go_on(request)


def _go_on(request: HttpRequest) -> HttpResponse:
    """Where the form says, if that is a page of ours."""
    page = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return redirect(page if is_ours else "search")


def _find(request: HttpRequest) -> UploadedFile[bytes]:
    """The photo that came. Raises SearchRefused where none did."""
    for file in request.FILES.getlist("photo"):
        if file.size:
            return file
    raise SearchRefused("no-photo", NONE, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _refuse(request: HttpRequest, slug: str, refused: SearchRefused) -> HttpResponse:
    if PART not in request.headers:
        return show_blank(request, slug, refused)
    response = JsonResponse({"message": str(refused)}, status=refused.status)
    if refused.retry_after_s is not None:
        response["Retry-After"] = str(refused.retry_after_s)
    return response
