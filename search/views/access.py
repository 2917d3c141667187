"""Pages for some roles only: who is not signed in is asked to, who lacks the role is refused."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from asgiref.sync import sync_to_async
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import add_never_cache_headers

from search.models import Role
from search.selectors.roles import has_role

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
AsyncView = Callable[Concatenate[HttpRequest, P], Coroutine[Any, Any, HttpResponseBase]]


def roles_required(*roles: Role) -> Callable[[View[P]], View[P]]:
    """Let only members of one of the groups in; what they see is kept by no cache."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            response = _turn_away(request, roles) or view(request, *args, **kwargs)
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
