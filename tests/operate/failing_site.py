"""The site with one address more, `/fail/`, whose view says in its exception all that it was sent."""

from django.http import HttpRequest, HttpResponse
from django.urls import get_resolver, path

from dopeornope import web
from dopeornope.asgi import application

__all__ = ["application"]


def fail(request: HttpRequest) -> HttpResponse:
    raise ValueError(f"{request.GET} {request.COOKIES} {request.META}")


get_resolver().url_patterns.append(path("fail/", fail, name="fail"))


if __name__ == "__main__":
    web.main("tests.operate.failing_site:application")
