"""API tokens: what opens what, who is told what, and how they are made and end."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from search.models import ApiToken, Scope
from search.services.tokens import (
    KEPT_FOR,
    MOST,
    START,
    TokenRefused,
    TooManyTokens,
    create_token,
    drop_ended,
    revoke_token,
    use_token,
)
from search.views.tokens import ENDED_SHOWN
from tests.factories import NOW, make_catalogue
from tests.operators import sign_in
from tests.tokens import send_token

pytestmark = pytest.mark.django_db
VOTES = "/operations/exports/votes.jsonl"


@pytest.fixture(autouse=True)
def catalogue():
    return make_catalogue(with_images=False)


def ask(path, headers):
    return Client().get(path, headers=headers)


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        (Scope.READ_JOBS, "/api/jobs/"),
        (Scope.READ_VOTES, VOTES),
        (Scope.READ_PLAYERS, "/operations/exports/players.csv"),
        (Scope.READ_GAMES, "/operations/exports/games.parquet"),
    ],
)
def test_a_scope_opens_its_addresses_and_every_other_scope_none_of_them(scope, path):
    _, right = send_token(scope, now=timezone.now())
    assert ask(path, right).status_code == 200
    _, wrong = send_token(*(one for one in Scope if one != scope), now=timezone.now())
    refused = ask(path, wrong)
    assert refused.status_code == 403
    assert refused.json()["detail"].startswith(f"This needs a token with the scope {scope}. This one has ")
    assert refused["WWW-Authenticate"] == f'Bearer error="insufficient_scope", scope="{scope}"'


def test_annotations_are_taken_away_with_a_token():
    _, headers = send_token(Scope.READ_ANNOTATIONS, now=timezone.now())
    assert ask("/annotate/nowhere/export.csv", headers).status_code == 404


@pytest.mark.parametrize("path", ["/api/jobs/", VOTES])
def test_who_shows_a_token_that_opens_nothing_is_told_why(path):
    unknown = ask(path, {"Authorization": f"Bearer {START}forged"})
    assert unknown.status_code == 401 and "not one of ours" in unknown.json()["detail"]
    assert unknown["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    now = timezone.now()
    scopes = (Scope.READ_JOBS, Scope.READ_VOTES)
    _, late = send_token(*scopes, now=now - timedelta(days=30))
    expired = ask(path, late)
    assert (expired.status_code, expired.json()["detail"]) == (
        401,
        f"This token expired on {now:%Y-%m-%d}. Make a new one.",
    )
    token, headers = send_token(*scopes, now=now)
    sign_in("operator").post(f"/operations/tokens/{token.pk}/revoke/")
    revoked = ask(path, headers)
    assert revoked.status_code == 401 and "revoked on" in revoked.json()["detail"]
    left, headers = send_token(*scopes, now=now)
    User.objects.filter(pk=left.user_id).update(is_active=False)
    assert ask(path, headers).status_code == 401


def test_a_refused_token_is_not_made_up_for_by_a_session():
    analyst = sign_in("analyst")
    for path in ("/api/jobs/", VOTES):
        assert analyst.get(path).status_code == 200
        assert analyst.get(path, headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_a_token_can_do_no_more_than_who_made_it():
    token, headers = send_token(Scope.READ_VOTES, Scope.READ_JOBS, now=timezone.now())
    token.user.groups.set([Group.objects.get_or_create(name="annotator")[0]])
    refused = ask(VOTES, headers)
    assert refused.status_code == 403 and "who made this token is none of them" in refused.json()["detail"]
    assert ask("/api/jobs/", headers).status_code == 403


def test_a_token_opens_no_pages_and_changes_nothing():
    _, headers = send_token(*Scope, role="operator", now=timezone.now())
    assert ask("/operations/", headers).status_code == 302
    assert ask("/operations/tokens/", headers).status_code == 302
    client = Client(enforce_csrf_checks=True)
    assert client.post("/operations/exports/players.csv", headers=headers).status_code == 403
    assert client.post("/operations/tokens/", headers=headers).status_code == 403


def test_the_page_shows_a_token_once_and_keeps_its_hash_alone():
    analyst = sign_in("analyst")
    form = {"name": "nightly", "scopes": ["read:votes", "read:jobs"], "days": "30"}
    made = analyst.post("/operations/tokens/", form, follow=True)
    assert made.redirect_chain == [("/operations/tokens/", 302)]
    page = made.content.decode()
    (secret,) = re.findall(rf"{START}[\w-]{{43}}", page)
    assert secret not in analyst.get("/operations/tokens/").content.decode()
    token = ApiToken.objects.get()
    assert secret not in str(ApiToken.objects.values().get()) and secret.startswith(token.prefix)
    assert ask(VOTES, {"Authorization": f"Bearer {secret}"}).status_code == 200
    assert "never used" in page
    assert "last used on" in analyst.get("/operations/tokens/").content.decode()
    assert analyst.post(f"/operations/tokens/{token.pk}/revoke/", follow=True).status_code == 200
    assert "revoked" in analyst.get("/operations/tokens/").content.decode()


def test_scopes_that_ones_role_does_not_reach_are_not_offered():
    operator = sign_in("operator")
    assert "read:votes" not in operator.get("/operations/tokens/").content.decode()
    form = {"name": "nightly", "scopes": ["read:votes"], "days": "30"}
    assert operator.post("/operations/tokens/", form).status_code == 422
    assert not ApiToken.objects.exists()


def test_analysts_see_and_revoke_their_own_and_operators_everybodys():
    token, _ = send_token(now=timezone.now())
    analyst = sign_in("analyst")
    assert token.prefix not in analyst.get("/operations/tokens/").content.decode()
    assert analyst.post(f"/operations/tokens/{token.pk}/revoke/").status_code == 404
    assert token.prefix in sign_in("operator").get("/operations/tokens/").content.decode()


def test_every_token_that_opens_something_is_listed_before_those_that_ended():
    analyst, now = sign_in("analyst"), timezone.now()
    user = User.objects.get(username="analyst")
    oldest = ApiToken.objects.create(
        user=user, name="the oldest", scopes=[], created_at=NOW, expires_at=now + timedelta(days=1)
    )
    for n in range(ENDED_SHOWN + 1):
        ApiToken.objects.create(
            **{"user": user, "name": "old", "scopes": [], "token_sha256": str(n)},
            created_at=now,
            expires_at=now,
        )
    shown = analyst.get("/operations/tokens/").context["tokens"]
    assert shown[0]["token"] == oldest and len(shown) == 1 + ENDED_SHOWN


def test_nobody_has_more_tokens_than_can_be_looked_through():
    user = send_token()[0].user
    ApiToken.objects.bulk_create(
        ApiToken(
            **{"user": user, "scopes": [], "token_sha256": str(n)},
            created_at=NOW,
            expires_at=NOW + timedelta(days=1),
        )
        for n in range(MOST - 1)
    )
    more = {"user": user, "name": "more", "scopes": [Scope.READ_JOBS], "lifetime": timedelta(days=7)}
    with pytest.raises(TooManyTokens, match="Revoke one"):
        create_token(**more, now=NOW)
    create_token(**more, now=NOW + timedelta(days=1))


def test_tokens_that_ended_long_ago_are_forgotten():
    expired, _ = send_token()
    revoked, _ = send_token(now=NOW + timedelta(days=30))
    revoke_token(token=revoked, now=NOW + timedelta(days=31))
    active, _ = send_token(now=NOW + 2 * KEPT_FOR)
    assert drop_ended(expired.expires_at + KEPT_FOR) == 0
    assert drop_ended(expired.expires_at + KEPT_FOR + timedelta(days=2)) == 2
    assert ApiToken.objects.get() == active


@pytest.mark.parametrize("authorised", [True, False])
def test_jobs_are_kept_by_no_cache(authorised):
    headers = send_token(Scope.READ_JOBS, now=timezone.now())[1] if authorised else {}
    answer = ask("/api/jobs/", headers)
    assert answer.status_code == (200 if authorised else 401)
    assert "no-store" in answer["Cache-Control"]
    assert {"Authorization", "Cookie"} <= set(answer["Vary"].split(", "))


def test_a_token_is_used_to_its_last_moment_and_its_day_is_noted():
    token, headers = send_token(Scope.READ_JOBS)
    secret = headers["Authorization"].removeprefix("Bearer ")
    last = token.expires_at - timedelta(seconds=1)
    use_token(secret=secret, scope=Scope.READ_JOBS, now=last)
    token.refresh_from_db()
    assert token.last_used_on == last.date() != NOW.date()
    with pytest.raises(TokenRefused, match="expired"):
        use_token(secret=secret, scope=Scope.READ_JOBS, now=token.expires_at)


def test_the_description_says_which_scope_opens_what():
    described = Client().get("/api/openapi.json").json()
    jobs = described["paths"]["/api/jobs/"]["get"]
    assert {"TokenAuth": ["read:jobs"]} in jobs["security"]
    assert described["components"]["securitySchemes"]["TokenAuth"]["scheme"] == "bearer"
    assert "read:votes" in described["components"]["securitySchemes"]["TokenAuth"]["description"]
    assert "scope read:jobs" in Client().get("/api/").content.decode()
