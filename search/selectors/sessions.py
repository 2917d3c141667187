"""Who sends a request that no middleware of Django's has looked at: a socket, or a body on its way."""

from collections.abc import Iterable
from http.cookies import CookieError
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, parse_cookie


def find_user(headers: Iterable[tuple[bytes, bytes]]) -> AbstractBaseUser | AnonymousUser:
    """Who is signed in, by the session cookie among an ASGI request's headers."""
    lines = [value for name, value in headers if name == b"cookie"]
    try:
        cookies = parse_cookie(b";".join(lines).decode("latin1"))
    except CookieError:
        cookies = {}
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(
        cookies.get(settings.SESSION_COOKIE_NAME)
    )
    return get_user(request)
