"""API tokens for tests."""

from datetime import datetime, timedelta

from django.contrib.auth.models import Group, User

from search.models import ApiToken, Scope
from search.services.tokens import create_token
from tests.factories import NOW


def make_token(*scopes: Scope, role: str = "analyst", now: datetime = NOW) -> ApiToken:
    return send_token(*scopes, role=role, now=now)[0]


def send_token(*scopes: Scope, role: str = "analyst", now: datetime = NOW) -> tuple[ApiToken, dict[str, str]]:
    """A token of somebody with the role, and the header with which a program sends it."""
    user = User.objects.create(username=f"owner-{User.objects.count()}")
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    token, secret = create_token(
        user=user, name="nightly", scopes=scopes or [Scope.READ_JOBS], lifetime=timedelta(days=30), now=now
    )
    return token, {"Authorization": f"Bearer {secret}"}
