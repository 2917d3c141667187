"""The `player` cookie and the sitting token: who votes, without a session and without an account."""

import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from evaluation.models import Player

COOKIE = "player"
COOKIE_LIFE = timedelta(days=395)  # 13 months
SITTING_LIFE = timedelta(days=2)
# Signatures found good, or bad, that a process remembers: to check one costs more than to read a request.
KNOWN = 16_384
# Ours have 76 and 83 characters. Longer ones, up to what a header holds, would fill the memory.
LONGEST = 200

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
    return read_cookie(request.COOKIES.get(COOKIE, ""))


def read_cookie(value: str) -> uuid.UUID | None:
    """The key in a cookie's value; None for one that we did not sign."""
    return _verify_cookie(value) if len(value) <= LONGEST else None


def sign_cookie(key: uuid.UUID) -> str:
    """The value of the cookie that holds this key."""
    return _cookie_signer.sign(key.hex)


def set_player_cookie(response: HttpResponseBase, key: uuid.UUID) -> None:
    response.set_cookie(
        COOKIE,
        sign_cookie(key),
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
        token=sign_sitting(key or uuid.uuid4()),
        streak=player.judged if player else 0,
        known=key is not None,
    )


def sign_sitting(key: uuid.UUID) -> str:
    """The token of a sitting for this key."""
    return _sitting_signer.sign(key.hex)


def read_sitting(request: HttpRequest, *, token: str = "") -> uuid.UUID:
    """The key that the request's sitting stands for. Raises StaleSitting, also for a foreign origin."""
    return check_sitting(
        token=token or request.headers.get("X-Sitting", ""),
        cookie=request.COOKIES.get(COOKIE, ""),
        origin=request.headers.get("Origin"),
        site=f"{request.scheme}://{request.get_host()}",
    )


def check_sitting(*, token: str, cookie: str, origin: str | None, site: str) -> uuid.UUID:
    """The key that a sitting's token stands for, sent with this player cookie by a page of this origin.

    The token takes the place of Django's CSRF token, which would need a cookie before the first vote: another
    site can neither read it nor send the header. ``site``: scheme and host that the request was sent to.
    Raises StaleSitting, also for a foreign origin.
    """
    if origin is not None and origin != site and origin not in settings.CSRF_TRUSTED_ORIGINS:
        raise StaleSitting("This request comes from another site.")
    key = _read_token(token)
    mine = read_cookie(cookie)
    if key is None or (mine is not None and mine != key):
        raise StaleSitting("This page is out of date. Reload it to go on.")
    return key


def _read_token(token: str) -> uuid.UUID | None:
    known = _verify_token(token) if len(token) <= LONGEST else None
    if known is None or time.time() > known[1] + SITTING_LIFE.total_seconds():
        return None
    return known[0]


@lru_cache(KNOWN)
def _verify_cookie(value: str) -> uuid.UUID | None:
    return _unsign(_cookie_signer, value)


@lru_cache(KNOWN)
def _verify_token(token: str) -> tuple[uuid.UUID, float] | None:
    """The key of a token that we signed and the time at which we did, in seconds since 1970."""
    key = _unsign(_sitting_signer, token)
    if key is None:
        return None
    signed_at = signing.b62_decode(token.rsplit(":", 2)[1])
    return key, float(signed_at)


def _unsign(signer: signing.Signer, value: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(hex=signer.unsign(value))
    except (signing.BadSignature, ValueError):
        return None
