"""The `player` cookie and the sitting token: who votes, without a session and without an account."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from evaluation.models import Player

COOKIE = "player"
COOKIE_LIFE = timedelta(days=395)  # 13 months
SITTING_LIFE = timedelta(days=2)

_cookie_signer = signing.Signer(salt="player-cookie")
_sitting_signer = signing.TimestampSigner(salt="sitting")


@dataclass(frozen=True)
class Sitting:
    """What a page carries for its requests: a signed key, which becomes a player's with the first vote."""

    token: str
    streak: int
    known: bool


class StaleSitting(Exception):
    """The request carries no token, an old one, or one of another player; reloading the page helps."""


def read_player_key(request: HttpRequest) -> uuid.UUID | None:
    """The key in this browser's cookie; None without a cookie, or with one that we did not sign."""
    return _unsign(_cookie_signer, request.COOKIES.get(COOKIE, ""))


def set_player_cookie(response: HttpResponseBase, key: uuid.UUID) -> None:
    response.set_cookie(
        COOKIE,
        _cookie_signer.sign(key.hex),
        max_age=COOKIE_LIFE,
        httponly=True,
        samesite="Lax",
        secure=settings.TLS,
    )


def delete_player_cookie(response: HttpResponseBase) -> None:
    response.delete_cookie(COOKIE, samesite="Lax")


def open_sitting(request: HttpRequest) -> Sitting:
    """A sitting of the cookie's player, or of somebody new, about whom nothing is stored yet."""
    key = read_player_key(request)
    player = Player.objects.filter(key=key, forgotten_at=None).first() if key else None
    return Sitting(
        token=_sitting_signer.sign((key or uuid.uuid4()).hex),
        streak=player.judged if player else 0,
        known=key is not None,
    )


def read_sitting(request: HttpRequest, *, token: str = "") -> uuid.UUID:
    """The key that the request's sitting stands for.

    The token takes the place of Django's CSRF token, which would need a cookie before the first vote: another
    site can neither read it nor send the header. Raises StaleSitting, also for a foreign origin.
    """
    origin = request.headers.get("Origin")
    if origin is not None and not _is_ours(request, origin):
        raise StaleSitting("This request comes from another site.")
    token = token or request.headers.get("X-Sitting", "")
    key = _unsign(_sitting_signer, token, max_age=SITTING_LIFE)
    mine = read_player_key(request)
    if key is None or (mine is not None and mine != key):
        raise StaleSitting("This page is out of date. Reload it to go on.")
    return key


def _is_ours(request: HttpRequest, origin: str) -> bool:
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    parts = urlsplit(origin)
    return parts.scheme == request.scheme and parts.netloc == request.get_host()


def _unsign(signer: signing.Signer, value: str, *, max_age: timedelta | None = None) -> uuid.UUID | None:
    try:
        if isinstance(signer, signing.TimestampSigner):
            return uuid.UUID(hex=signer.unsign(value, max_age=max_age))
        return uuid.UUID(hex=signer.unsign(value))
    except (signing.BadSignature, ValueError):
        return None
