"""Pages that belong to no app: the service worker, the manifest, the offline page, how it works, errors."""

import hashlib
import sys
from http import HTTPStatus

from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

RETRY_SECONDS = 10

# What the offline page and a deck that is already open need.
SHELL = (
    "css/reset.css",
    "css/tokens.css",
    "css/base.css",
    "css/layout.css",
    "css/parts.css",
    "css/utilities.css",
    "js/theme.js",
    "icons/icon.svg",
    "vendor/fonts/inter-latin-wght-normal.woff2",
    "vendor/fonts/bricolage-grotesque-latin-wght-normal.woff2",
)


@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """`/sw.js`, at the root so that it covers the whole site; its cache name changes with the files."""
    shell = [staticfiles_storage.url(name) for name in SHELL]
    version = hashlib.sha256("\n".join(shell).encode()).hexdigest()[:12]
    context = {"shell": [*shell, reverse("offline")], "offline": reverse("offline"), "version": version}
    return render(request, "sw.js", context, content_type="text/javascript; charset=utf-8")


@require_safe
@cache_control(max_age=3600)
def manifest(request: HttpRequest) -> HttpResponse:
    return render(request, "manifest.webmanifest", content_type="application/manifest+json")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    return redirect(static("icons/icon-32.png"))


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    return render(request, "offline.html")


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "about.html")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=HTTPStatus.BAD_REQUEST)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", {"message": str(exception)}, status=HTTPStatus.FORBIDDEN)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form came without its token: most often a page left open through a sign-in or sign-out."""
    message = "This form is out of date. Go back, reload the page and send it again."
    return render(request, "403.html", {"message": message}, status=HTTPStatus.FORBIDDEN)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without a request: whatever broke must not break the page that says so.

    A database that does not answer is the one failure that waiting mends.
    """
    if isinstance(sys.exception(), (OperationalError, InterfaceError)):
        response = render(None, "503.html", status=HTTPStatus.SERVICE_UNAVAILABLE)
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    return render(None, "500.html", status=HTTPStatus.INTERNAL_SERVER_ERROR)
