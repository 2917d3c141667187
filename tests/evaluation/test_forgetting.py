"""Forget me: the votes stay, and nothing leads to a person, whatever else is being written meanwhile."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from evaluation.models import Deal, Player, Round, Vote
from evaluation.services.players import finish_forgetting, forget_holder
from evaluation.services.recount import find_differences
from tests.evaluation.decks import Deck, cast, deal_to
from tests.factories import NOW, make_catalogue, make_contenders
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def deck() -> Deck:
    make_contenders(make_catalogue(items=60, with_images=False))
    return Deck()


def test_forget_me_leaves_the_votes_and_nothing_that_leads_to_them(deck: Deck) -> None:
    dealt = deck.deal(6)["deals"]
    deck.vote(dealt[0]["id"])
    cookie, key = deck.client.cookies["player"].value, Player.objects.get().key
    finished = deck.round
    response = deck.post("/play/forget/", {}, Accept="application/json")
    assert response.status_code == 200
    assert deck.client.cookies["player"].value == ""
    player = Player.objects.get()
    assert player.key != key and player.user is None and player.forgotten_at is not None
    assert Deal.objects.count() == 1, "what was not judged is gone"
    assert Round.objects.get().holder == ""
    assert Vote.objects.count() == 1
    assert find_differences() == []
    deck.client.cookies["player"] = cookie  # somebody kept it
    assert deck.vote(dealt[0]["id"]).status_code == 404
    assert deck.client.get(f"/play/rounds/{finished}/").status_code == 404
    assert deck.deal(1)["judged"] == 0


def test_what_was_being_dealt_while_its_player_was_forgotten_is_nobodys_and_goes() -> None:
    make_contenders(make_catalogue(items=20, with_images=False))
    key = uuid.uuid4()
    one, two = deal_to(key, now=NOW, count=2).deals
    cast(key, {one.pk: "dope"}, now=NOW)
    [round_], [late] = Round.objects.all(), Deal.objects.filter(pk=two.pk)
    holder = round_.holder
    assert forget_holder(key=key, now=NOW)
    Round.objects.update(holder=holder)  # as if the dealing process had not been done yet
    late.save(force_insert=True)
    assert [one.status for one in cast(key, {late.pk: "dope"}, now=NOW).results] == [404]
    assert finish_forgetting(NOW + timedelta(minutes=1)) == 1
    assert Round.objects.get().holder == ""
    assert [deal.pk for deal in Deal.objects.all()] == [one.pk], "its vote stays"
    assert find_differences() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time by itself")
def test_forget_me_waits_for_the_first_vote_that_is_being_written() -> None:
    make_contenders(make_catalogue(items=20, with_images=False))
    key = uuid.uuid4()
    [deal] = deal_to(key, now=NOW, count=1).deals

    def forget() -> bool:
        try:
            return forget_holder(key=key, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            cast(key, {deal.pk: "dope"}, now=NOW)
            forgotten = pool.submit(forget)
            wait_until(lambda: forgotten.done() or _somebody_waits_for_the_turn())
        assert forgotten.result(30)
    assert Player.objects.get().forgotten_at == NOW


def _somebody_waits_for_the_turn() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return bool(cursor.fetchone()[0])


def test_forget_me_works_as_a_plain_form(deck: Deck) -> None:
    deck.vote(deck.deal(1)["deals"][0]["id"])
    deck.client.cookies["theme"] = "dark"
    assert deck.client.post("/play/forget/", {"sitting": "forged"}).status_code == 403
    response = deck.client.post("/play/forget/", {"sitting": deck.sitting}, follow=True)
    assert response.redirect_chain == [("/privacy/", 302)]
    assert not any(deck.client.cookies[name].value for name in ("player", "theme"))
    assert Player.objects.get().forgotten_at is not None
