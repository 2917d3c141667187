"""The page of API tokens: one's own to make and revoke; operators see everybody's and may revoke them."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from search.forms.tokens import TokenForm
from search.models import ApiToken, Role, Scope
from search.selectors.roles import has_role
from search.services.tokens import TooManyTokens, create_token, open_at, revoke_token
from search.views.access import roles_required, show_once

OF_ANALYSTS = (Scope.READ_VOTES,)
ENDED_SHOWN = 50  # the newest


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.OPERATOR, Role.ANALYST)
def tokens(request: HttpRequest) -> HttpResponseBase:
    """The form and the list. A token is shown once, on the next page."""
    assert isinstance(request.user, User)
    is_analyst = has_role(request.user, Role.ANALYST)
    scopes = [scope for scope in Scope if is_analyst or scope not in OF_ANALYSTS]
    form = TokenForm(request.POST if request.method == "POST" else None, scopes=scopes)
    now = timezone.now()
    if form.is_valid():
        given = form.cleaned_data
        try:
            made, secret = create_token(
                user=request.user,
                name=given["name"],
                scopes=[Scope(value) for value in given["scopes"]],
                lifetime=timedelta(days=given["days"]),
                now=now,
            )
        except TooManyTokens as refused:
            form.add_error(None, str(refused))
        else:
            show_once(request, f"The token “{made.name}”", secret)
            return redirect("api-tokens")
    visible = _list_visible(request.user)
    shown = [*visible.filter(open_at(now)), *visible.exclude(open_at(now))[:ENDED_SHOWN]]
    rows = [_describe(token, now) for token in shown]
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "operations/tokens.html", {"form": form, "tokens": rows}, status=status)


@require_POST
@roles_required(Role.OPERATOR, Role.ANALYST)
def token_revoke(request: HttpRequest, pk: int) -> HttpResponseBase:
    assert isinstance(request.user, User)
    token = get_object_or_404(_list_visible(request.user), pk=pk)
    revoke_token(token=token, now=timezone.now())
    messages.success(request, f"“{token.name}” is revoked: from now on it opens nothing.")
    return redirect("api-tokens")


def _list_visible(user: User) -> QuerySet[ApiToken]:
    tokens = ApiToken.objects.select_related("user")
    return tokens if has_role(user, Role.OPERATOR) else tokens.filter(user=user)


def _describe(token: ApiToken, now: datetime) -> dict[str, Any]:
    ended = token.expires_at <= now
    return {
        "token": token,
        "state": "revoked" if token.revoked_at else "expired" if ended else "active",
    }
