"""Accounts as a person meets them: registering, signing in and out, keeping votes, leaving."""

import json
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from evaluation.models import Deal, Modality, Pair, Player, Round, SignInFailures, Vote
from evaluation.services import accounts
from evaluation.views.player_cookie import COOKIE, set_player_cookie
from search.models import Photo, Scope, Topic, Webhook
from search.services.tokens import create_token, revoke_token
from search.services.webhooks import register_webhook
from tests.factories import NOW, make_catalogue, make_contenders

pytestmark = pytest.mark.django_db
PASSWORD = "three blue suitcases"


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def make_player(client: Client, *, user: User | None = None) -> Player:
    """A player whose cookie the browser holds."""
    from django.http import HttpResponse

    player = Player.objects.create(user=user, created_at=NOW)
    response = HttpResponse()
    set_player_cookie(response, player.key)
    client.cookies[COOKIE] = response.cookies[COOKIE].value
    return player


def make_deal(player: Player, pair: Pair) -> Deal:
    number = f"{Deal.objects.count():032x}"
    round_ = Round.objects.create(pk=number, catalogue=pair.catalogue, player=player, created_at=NOW)
    return Deal.objects.create(
        pk=number,
        pair=pair,
        round=round_,
        player=player,
        place=1,
        side="question-first",
        policy="test",
        policy_version="1",
        propensity=0.5,
        issued_at=NOW,
        expires_at=NOW + timedelta(days=1),
    )


def make_vote(player: Player, pair: Pair, *, answer: str = "dope") -> Vote:
    deal = make_deal(player, pair)
    return Vote.objects.create(deal=deal, answer=answer, dwell_ms=900, modality=Modality.KEY, cast_at=NOW)


def register(client: Client, name: str = "ada"):
    return client.post(
        "/accounts/register/", {"username": name, "password1": PASSWORD, "password2": PASSWORD}
    )


def sign_in(client: Client, name: str = "ada", password: str = PASSWORD, **extra):
    return client.post("/accounts/login/", {"username": name, "password": password}, **extra)


def test_registering_keeps_the_votes_of_this_browser(client):
    player = make_player(client)
    assert "move to your account" in client.get("/accounts/register/").content.decode()

    response = register(client)

    assert response.status_code == 302
    player.refresh_from_db()
    assert player.user == User.objects.get(username="ada")
    assert client.get("/accounts/").status_code == 200
    assert Player.objects.count() == 1


def test_registering_without_votes_gives_a_player_for_later(client):
    register(client)
    assert Player.objects.get().user.username == "ada"
    assert COOKIE in client.cookies


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [("ada", "short", "short"), ("ada", PASSWORD, "another long one"), ("a b", PASSWORD, PASSWORD)],
)
def test_what_cannot_be_registered_is_explained_and_makes_nothing(client, name, first, second):
    response = client.post("/accounts/register/", {"username": name, "password1": first, "password2": second})
    assert response.status_code == 422
    assert "errorlist" in response.content.decode()
    assert not User.objects.exists()


def test_a_name_is_given_once_whatever_its_case(client):
    User.objects.create_user("ada", password=PASSWORD)
    assert register(client, "ADA").status_code == 422


def test_signing_in_rotates_the_session_and_adopts_the_browsers_votes(client):
    User.objects.create_user("ada", password=PASSWORD)
    client.session["planted"] = 1
    session = client.session
    session.save()
    client.cookies["sessionid"] = session.session_key
    before = client.cookies["sessionid"].value
    player = make_player(client)

    assert sign_in(client).status_code == 302

    assert client.cookies["sessionid"].value != before
    assert client.cookies["sessionid"]["httponly"]
    player.refresh_from_db()
    assert player.user.username == "ada"


def test_signing_in_elsewhere_continues_as_the_same_player(client):
    user = User.objects.create_user("ada", password=PASSWORD)
    player = Player.objects.create(user=user, created_at=NOW)
    sign_in(client)
    assert Player.objects.count() == 1
    assert player.key.hex in client.cookies[COOKIE].value


def test_somebody_elses_player_is_not_taken_over(client):
    other = User.objects.create_user("bob", password=PASSWORD)
    User.objects.create_user("ada", password=PASSWORD)
    theirs = make_player(client, user=other)

    sign_in(client)

    theirs.refresh_from_db()
    assert theirs.user == other
    assert theirs.key.hex not in client.cookies[COOKIE].value


def test_photos_from_before_the_first_sign_in_come_along_and_a_strangers_do_not():
    user = User.objects.create(username="ada")
    searched_only, stranger = uuid.uuid4(), Player.objects.create(created_at=NOW)
    Player.objects.filter(pk=stranger.pk).update(user=User.objects.create(username="bob"))
    for holder in (searched_only, stranger.key):
        Photo.objects.create(holder=holder, width=9, height=9, created_at=NOW, kept_until=NOW)
    mine = accounts.link_player(user=user, key=searched_only, now=NOW)
    assert accounts.link_player(user=user, key=stranger.key, now=NOW) == mine
    assert sorted(Photo.objects.values_list("holder", flat=True)) == sorted([mine.key, stranger.key])


def test_two_browsers_of_one_user_keep_their_own_rows():
    user = User.objects.create(username="ada")
    here = Player.objects.create(created_at=NOW)
    there = Player.objects.create(created_at=NOW)
    assert accounts.link_player(user=user, key=here.key, now=NOW) == here
    assert accounts.link_player(user=user, key=there.key, now=NOW) == there
    assert set(user.players.all()) == {here, there}


def test_signing_out_leaves_no_player_behind(client):
    register(client)
    assert client.get("/accounts/logout/").status_code == 405
    client.post("/accounts/logout/")
    assert client.cookies[COOKIE].value == ""
    assert client.get("/accounts/").status_code == 302


def test_signing_in_leads_back_to_this_site_only(client):
    User.objects.create_user("ada", password=PASSWORD)
    there = client.post("/accounts/login/?next=/about/", {"username": "ada", "password": PASSWORD})
    assert there["Location"] == "/about/"
    client.logout()
    away = client.post(
        "/accounts/login/?next=https://evil.example/", {"username": "ada", "password": PASSWORD}
    )
    assert "evil" not in away["Location"]


def test_guessing_is_stopped_for_the_account_and_address_alone(client):
    User.objects.create_user("ada", password=PASSWORD)
    User.objects.create_user("bob", password=PASSWORD)
    for _ in range(accounts.TRIES_PER_ACCOUNT):
        assert sign_in(client, password="wrong").status_code == 422

    stopped = sign_in(client)  # even with the right one
    assert stopped.status_code == 429
    assert 0 < int(stopped["Retry-After"]) <= accounts.WAIT.total_seconds() + 1
    assert sign_in(client, "ADA").status_code == 429

    assert sign_in(Client(), "bob").status_code == 302
    assert sign_in(Client(REMOTE_ADDR="10.9.8.7")).status_code == 302


def test_waiting_opens_the_account_again():
    for _ in range(accounts.TRIES_PER_ACCOUNT):
        accounts.record_failed_sign_in(name="ada", network="::1", now=NOW)
    closed = accounts.find_sign_in_wait(name="ada", network="::1", now=NOW)
    assert closed == accounts.WAIT
    assert not accounts.find_sign_in_wait(name="ada", network="::1", now=NOW + closed)
    accounts.record_failed_sign_in(name="bob", network="::1", now=NOW + closed)
    assert SignInFailures.objects.filter(last_at=NOW).count() == 0


def test_one_address_cannot_try_every_account():
    for number in range(accounts.TRIES_PER_NETWORK):
        accounts.record_failed_sign_in(name=f"user{number}", network="10.0.0.1", now=NOW)
    assert accounts.find_sign_in_wait(name="somebody new", network="10.0.0.1", now=NOW)
    assert not accounts.find_sign_in_wait(name="somebody new", network="10.0.0.2", now=NOW)


def test_the_right_password_wipes_the_slate(client):
    User.objects.create_user("ada", password=PASSWORD)
    for _ in range(accounts.TRIES_PER_ACCOUNT - 1):
        sign_in(client, password="wrong")
    assert sign_in(client).status_code == 302
    assert not accounts.find_sign_in_wait(name="ada", network="7f000001", now=timezone.now())


def test_my_data_holds_every_vote_and_no_contender(client):
    register(client)
    player = Player.objects.get()
    contender = make_contenders(make_catalogue(with_images=False))[0]
    pair, left = Pair.objects.filter(credits__contender=contender)[:2]
    make_vote(player, pair, answer="nope")
    make_deal(player, left)

    response = client.get("/accounts/my-data/")

    data = json.loads(response.content)
    assert "attachment" in response["Content-Disposition"]
    assert data["account"]["name"] == "ada"
    (vote,) = data["players"][0]["votes"]
    assert (vote["question"], vote["candidate"]) == (pair.question.key, pair.candidate.key)
    assert (vote["answer"], vote["modality"], vote["undone"]) == ("nope", "key", False)
    (unanswered,) = data["players"][0]["unanswered"]
    assert (unanswered["question"], unanswered["candidate"]) == (left.question.key, left.candidate.key)
    assert contender.title not in response.content.decode()


def test_my_data_holds_tokens_and_webhooks_and_a_closed_account_leaves_no_name_on_them(client):
    register(client)
    user = User.objects.get()
    token, _ = create_token(
        user=user, name="nightly", scopes=[Scope.READ_JOBS], lifetime=timedelta(days=7), now=NOW
    )
    revoke_token(token=token, now=NOW)
    for made_by in ("ada", "bob"):
        register_webhook(address=f"https://{made_by}.example/", topics=list(Topic), made_by=made_by, now=NOW)
    data = client.get("/accounts/my-data/").json()
    assert [one["revoked_at"] for one in data["api_tokens"]] == ["2026-03-01T12:00:00Z"]
    assert [one["address"] for one in data["webhooks"]] == ["https://ada.example/"]
    client.post("/accounts/delete/", {"password": PASSWORD})
    assert list(Webhook.objects.values_list("made_by", flat=True)) == ["", "bob"]


def test_my_data_of_an_anonymous_player_and_of_nobody(client):
    assert client.get("/accounts/my-data/").status_code == 404
    make_player(client)
    assert client.get("/accounts/my-data/").json()["account"] is None


def test_my_data_of_a_users_player_needs_the_user(client):
    make_player(client, user=User.objects.create(username="bob"))
    assert client.get("/accounts/my-data/").status_code == 404


def test_a_deleted_account_leaves_votes_that_lead_to_nobody(client):
    register(client)
    player = Player.objects.get()
    make_contenders(make_catalogue(with_images=False))
    vote = make_vote(player, Pair.objects.first())
    key = player.key

    assert client.post("/accounts/delete/", {"password": "wrong"}).status_code == 302
    assert User.objects.filter(username="ada").exists()
    client.post("/accounts/delete/", {"password": PASSWORD})

    assert not User.objects.exists()
    player.refresh_from_db()
    assert player.user is None and player.key != key and player.forgotten_at is not None
    assert Vote.objects.filter(pk=vote.pk).exists()
    assert client.cookies[COOKIE].value == ""
    assert client.get("/accounts/").status_code == 302


def test_every_form_is_refused_without_its_token():
    client = Client(enforce_csrf_checks=True)
    User.objects.create_user("ada", password=PASSWORD)
    assert sign_in(client).status_code == 403
    assert register(client, "bob").status_code == 403
