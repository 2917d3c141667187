"""Making, revoking and recognising API tokens.

A token holds 256 random bits, so its plain hash is enough to know it by, and tells nobody what it was.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Q

from search.models import ApiToken, Scope

START: Final = "don_"  # so that people, and programs that look for lost secrets, know one when they see it
MOST: Final = 50  # of a user, that open something
KEPT_FOR: Final = timedelta(days=90)  # after its end: whoever still shows it is told what became of it
_SHOWN: Final = len(START) + 6


class TokenRefused(Exception):
    """The token opens nothing here; the text says why. ``scope``: what it would have to have."""

    def __init__(self, status: HTTPStatus, message: str, *, scope: str = "") -> None:
        self.status, self.scope = status, scope
        super().__init__(message)


class TooManyTokens(Exception):
    """This user has as many as one may have; the text says what to do."""


def create_token(
    *, user: User, name: str, scopes: Iterable[Scope], lifetime: timedelta, now: datetime
) -> tuple[ApiToken, str]:
    """Make a token of this user and return it with what programs send, which is shown now and never again.

    Raises TooManyTokens.
    """
    if user.api_tokens.filter(open_at(now)).count() >= MOST:
        raise TooManyTokens(f"You have {MOST} tokens already. Revoke one that nothing uses.")
    secret = START + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        token_sha256=_hash(secret),
        prefix=secret[:_SHOWN],
        user=user,
        name=name,
        scopes=sorted(scopes),
        created_at=now,
        expires_at=now + lifetime,
    )
    return token, secret


def revoke_token(*, token: ApiToken, now: datetime) -> None:
    """Have the token open nothing any more; revoked again, it keeps its first day."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)


def open_at(now: datetime) -> Q:
    """Tokens that open something at this time, as far as it lies with them."""
    return Q(revoked_at=None, expires_at__gt=now)


def drop_ended(now: datetime) -> int:
    """Forget tokens that ended long ago; from then on they are none of ours."""
    long_ago = now - KEPT_FOR
    ended = Q(revoked_at__lt=long_ago) | Q(expires_at__lt=long_ago)
    gone, _ = ApiToken.objects.filter(ended).delete()
    return gone


def use_token(*, secret: str, scope: Scope, now: datetime) -> ApiToken:
    """The token behind what a program sent, if it has the scope. Raises TokenRefused."""
    token = ApiToken.objects.select_related("user").filter(token_sha256=_hash(secret)).first()
    if token is None or not token.user.is_active:
        raise _unauthorised("This token is not one of ours. Check that it was copied whole.")
    if token.revoked_at is not None:
        raise _unauthorised(f"This token was revoked on {token.revoked_at:%Y-%m-%d}.")
    if token.expires_at <= now:
        raise _unauthorised(f"This token expired on {token.expires_at:%Y-%m-%d}. Make a new one.")
    if scope not in token.scopes:
        held = ", ".join(token.scopes)
        message = f"This needs a token with the scope {scope}. This one has {held}."
        raise TokenRefused(HTTPStatus.FORBIDDEN, message, scope=scope)
    if token.last_used_on != now.date():
        ApiToken.objects.filter(pk=token.pk).update(last_used_on=now.date())
    return token


def _unauthorised(message: str) -> TokenRefused:
    return TokenRefused(HTTPStatus.UNAUTHORIZED, message)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
