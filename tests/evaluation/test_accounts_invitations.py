"""Invitations: one person, one role, once."""

import hashlib
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.utils import timezone

from evaluation.models import Invitation
from evaluation.services.invitations import (
    LIFETIME,
    InvitationUnusable,
    accept_invitation,
    create_invitation,
)
from evaluation.services.site_address import note_address
from search.models import Role
from search.selectors.roles import has_role

pytestmark = pytest.mark.django_db
PASSWORD = "three blue suitcases"


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def invite(role: Role = Role.OPERATOR, *, now=None) -> str:
    return create_invitation(role=role, note="", created_by=None, now=now or timezone.now())[1]


def accept(client, token: str, name: str = "ada"):
    answers = {"username": name, "password1": PASSWORD, "password2": PASSWORD}
    return client.post(f"/accounts/invitations/{token}/", answers)


def test_the_token_itself_is_not_stored():
    token = invite()
    row = Invitation.objects.get()
    assert token not in str(vars(row))
    assert row.token_sha256 == hashlib.sha256(token.encode()).hexdigest()


@pytest.mark.parametrize("role", Role.values)
def test_accepting_makes_an_account_with_the_role_and_signs_in(client, role):
    token = invite(Role(role))
    assert role in client.get(f"/accounts/invitations/{token}/").content.decode()

    assert accept(client, token).status_code == 302

    user = User.objects.get(username="ada")
    assert has_role(user, role)
    assert not has_role(user, *set(Role.values) - {role})
    assert client.session["_auth_user_id"] == str(user.pk)


def test_somebody_signed_in_takes_the_role_with_their_own_account(client):
    user = User.objects.create_user("bob")
    client.force_login(user)
    token = invite(Role.ANALYST)
    page = client.get(f"/accounts/invitations/{token}/").content.decode()
    assert "bob" in page and "password1" not in page
    client.post(f"/accounts/invitations/{token}/")
    assert has_role(User.objects.get(), Role.ANALYST)


def test_a_link_works_once(client, django_user_model):
    token = invite()
    accept(client, token)
    client.logout()
    again = accept(client, token, "eve")
    assert again.status_code == 410
    assert "used already" in again.content.decode()
    assert not django_user_model.objects.filter(username="eve").exists()


def test_of_two_at_once_one_is_accepted():
    token = invite()
    first, second = User.objects.create(username="first"), User.objects.create(username="second")
    accept_invitation(token=token, user=first, now=timezone.now())
    with pytest.raises(InvitationUnusable):
        accept_invitation(token=token, user=second, now=timezone.now())
    assert not second.groups.exists()


def test_an_expired_link_says_so(client):
    token = invite(now=timezone.now() - LIFETIME)
    answer = client.get(f"/accounts/invitations/{token}/")
    assert answer.status_code == 410
    assert "expired" in answer.content.decode()


def test_a_link_lives_seven_days():
    invite()
    row = Invitation.objects.get()
    assert row.expires_at - row.created_at == timedelta(days=7)


def test_a_forged_link_says_so(client):
    invite()
    answer = client.get("/accounts/invitations/forged/")
    assert answer.status_code == 410
    assert "not one of ours" in answer.content.decode()


def test_a_refused_password_does_not_spend_the_link(client):
    token = invite()
    answer = client.post(
        f"/accounts/invitations/{token}/", {"username": "ada", "password1": "a", "password2": "a"}
    )
    assert answer.status_code == 422
    assert not User.objects.exists()
    assert accept(client, token).status_code == 302


def test_operators_make_links_and_see_them_once(client):
    operator = User.objects.create(username="op")
    operator.groups.add(Group.objects.get_or_create(name=Role.OPERATOR)[0])
    client.force_login(operator)

    made = client.post("/accounts/invitations/", {"role": "annotator", "note": "for Max"})

    html = made.content.decode()
    assert made.status_code == 200
    token = html.split("/accounts/invitations/")[-1].split("/")[0]
    links = [part.split("/")[0] for part in html.split("http://testserver/accounts/invitations/")[1:]]
    assert len(links) == 1, token
    later = client.get("/accounts/invitations/").content.decode()
    assert links[0] not in later
    assert "for Max" in later
    client.logout()
    assert accept(client, links[0]).status_code == 302
    assert has_role(User.objects.get(username="ada"), Role.ANNOTATOR)


def test_the_command_prints_a_link_that_works(client):
    out, err = io.StringIO(), io.StringIO()
    call_command("invite", "operator", note="first", address="https://swipe.example", stdout=out, stderr=err)
    link = out.getvalue().strip()
    assert link.startswith("https://swipe.example/accounts/invitations/")
    assert Invitation.objects.get().note == "first"
    accept(client, link.split("/")[-2])
    assert has_role(User.objects.get(), Role.OPERATOR)


def printed_link() -> str:
    out = io.StringIO()
    call_command("invite", "operator", stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_the_command_prints_the_address_at_which_the_site_was_served_last(client):
    assert printed_link().startswith("http://localhost:8000/accounts/"), "nobody has said another port yet"
    for address in ("http://localhost:8123", "http://192.0.2.7:81"):
        note_address(address)
        assert printed_link().startswith(f"{address}/accounts/invitations/")


def test_the_command_prints_the_address_that_the_operator_has_named(settings):
    note_address("http://localhost:8123")
    settings.CSRF_TRUSTED_ORIGINS = ["https://swipe.example", "https://other.example"]
    assert printed_link().startswith("https://swipe.example/accounts/invitations/")


def test_the_command_refuses_an_unknown_role():
    with pytest.raises(CommandError, match="operator"):
        call_command("invite", "king")


def test_roles_of_nobody_of_the_dismissed_and_of_superusers():
    from django.contrib.auth.models import AnonymousUser

    group = Group.objects.create(name="operator")
    dismissed = User.objects.create(username="gone", is_active=False)
    dismissed.groups.add(group)
    assert not has_role(AnonymousUser(), "operator")
    assert not has_role(dismissed, "operator")
    assert has_role(User.objects.create(username="root", is_superuser=True), "operator")
