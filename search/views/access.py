"""Pages for some roles only: who is not signed in is asked to, who lacks the role is refused.

Some of them are open to programs as well, which show an API token with a scope in place of a session.
"""

from collections.abc import Callable, Coroutine
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html

from search.models import Role, Scope
from search.selectors.roles import has_role
from search.services.tokens import TokenRefused, use_token

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
AsyncView = Callable[Concatenate[HttpRequest, P], Coroutine[Any, Any, HttpResponseBase]]


def roles_required(*roles: Role, scope: Scope | None = None) -> Callable[[View[P]], View[P]]:
    """Let only members of one of the groups in; what they see is kept by no cache.

    ``scope``: of members' tokens, those that have it open the page as well. For pages that change nothing.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            secret = read_bearer(request) if scope else None
            if scope and secret is not None:
                refusal = _turn_token_away(request, secret, scope, roles)
            else:
                refusal = _turn_away(request, roles)
            response = refusal or view(request, *args, **kwargs)
            add_never_cache_headers(response)
            return response

        return guarded

    return decorate


def roles_required_async(*roles: Role) -> Callable[[AsyncView[P]], AsyncView[P]]:
    """`roles_required` for an asynchronous view."""

    def decorate(view: AsyncView[P]) -> AsyncView[P]:
        @wraps(view)
        async def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            elsewhere = await sync_to_async(_turn_away)(request, roles)
            response = elsewhere or await view(request, *args, **kwargs)
            add_never_cache_headers(response)
            return response

        return guarded

    return decorate


def _turn_away(request: HttpRequest, roles: tuple[Role, ...]) -> HttpResponseBase | None:
    """Where to send who is not signed in. Raises PermissionDenied for who lacks the role."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if not has_role(request.user, *roles):
        whom = " and ".join(f"{role}s" for role in roles)
        raise PermissionDenied(f"This page is for {whom}. Ask an operator to invite you.")
    return None


def read_bearer(request: HttpRequest) -> str | None:
    """The token that a program sent, if it sent one."""
    return parse_bearer(request.headers.get("Authorization", ""))


def parse_bearer(authorization: str) -> str | None:
    """The token in such a header, if it is of that kind."""
    kind, _, secret = authorization.strip().partition(" ")
    return secret.strip() if kind.lower() == "bearer" else None


def show_once(request: HttpRequest, what: str, secret: str) -> None:
    """Have the next page show a secret. It waits for that in a cookie of the browser, not in a table."""
    text = "{}. Copy it now, it is not shown again:<br><code>{}</code>"
    messages.success(request, format_html(text, what, secret))


def enter_by_token(request: HttpRequest, secret: str, scope: Scope) -> User:
    """Have the request be its token's owner's from here on. Raises TokenRefused."""
    request.user = use_token(secret=secret, scope=scope, now=timezone.now()).user
    return request.user


def answer_refused(refused: TokenRefused) -> JsonResponse:
    """What a program is told, in the words of RFC 6750 and in ours."""
    response = JsonResponse({"detail": str(refused)}, status=refused.status)
    fault = f'insufficient_scope", scope="{refused.scope}' if refused.scope else "invalid_token"
    response["WWW-Authenticate"] = f'Bearer error="{fault}"'
    return response


def _turn_token_away(
    request: HttpRequest, secret: str, scope: Scope, roles: tuple[Role, ...]
) -> HttpResponseBase | None:
    try:
        owner = enter_by_token(request, secret, scope)
    except TokenRefused as refused:
        return answer_refused(refused)
    if not has_role(owner, *roles):
        whom = " and ".join(f"{role}s" for role in roles)
        text = f"This is for {whom}, and who made this token is none of them."
        return JsonResponse({"detail": text}, status=HTTPStatus.FORBIDDEN)
    return None
