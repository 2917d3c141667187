"""People with a role, signed in."""

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client


def sign_in(role: str) -> Client:
    client = Client()
    user = User.objects.create(username=role)
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    client.force_login(user)
    return client


def cookie_of(client: Client) -> str:
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
