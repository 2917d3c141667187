"""The pictures: one address per content, so that browsers and proxies may keep them for ever."""

import asyncio
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from search.selectors.catalogues import image_path

YEAR = 365 * 24 * 3600


@require_safe
async def serve_image(request: HttpRequest, sha256: str) -> HttpResponse:
    """The stored picture, or 404. Asks no database; every answer depends on the address alone."""
    data = await asyncio.to_thread(_read, image_path(sha256))
    if data is None:
        raise Http404("There is no such picture.")
    etag = f'"{sha256}"'
    if etag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(data, content_type="image/webp")
    response["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    response["ETag"] = etag
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
