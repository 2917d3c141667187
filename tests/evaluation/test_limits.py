"""What one player and one network may do, and that honest people never meet it."""

import uuid
from itertools import count

import pytest
from django.db import OperationalError
from django.test import Client

from evaluation.models import Vote
from evaluation.services.limits import (
    DAY_S,
    HASH_LIFE_S,
    DayLimiter,
    DayOver,
    Limiter,
    PlayLimits,
    TooFast,
    network_of,
)
from evaluation.views import play
from tests.evaluation.decks import Deck
from tests.factories import make_catalogue, make_contenders

ADA, BOB = b"ada", b"bob"


@pytest.fixture
def limits(settings, monkeypatch) -> PlayLimits:
    """The default budgets, all of them unspent, at a moment that lasts: nothing refills."""
    settings.VOTES_PER_MINUTE, settings.PLAYERS_PER_NETWORK, settings.VOTES_PER_DAY = 60, 40, 2000
    fresh = PlayLimits(clock=lambda: 1000.0)
    monkeypatch.setattr(play, "play_limits", fresh)
    return fresh


def test_a_budget_is_spent_at_once_and_refills_evenly():
    limiter = Limiter(lambda: 60, minutes=2)
    assert [limiter.take(ADA, now=0) for _ in range(120)] == [0] * 120
    assert limiter.take(ADA, now=0) == pytest.approx(1)
    assert limiter.take(BOB, now=0) == 0, "one never spends another's"
    assert limiter.take(ADA, now=0.5) == pytest.approx(0.5), "a refusal costs nothing"
    assert limiter.take(ADA, now=1) == 0
    assert limiter.take(ADA, cost=30, now=31) == 0
    assert limiter.take(ADA, now=31) > 0
    assert [limiter.take(ADA, now=10_000) for _ in range(121)].count(0) == 120


def test_more_than_the_whole_budget_waits_until_it_is_full():
    limiter = Limiter(lambda: 30, minutes=1)
    assert limiter.take(ADA, cost=50, now=0) == 0
    assert limiter.take(ADA, cost=50, now=20) == pytest.approx(40)
    assert limiter.take(ADA, cost=50, now=60) == 0


def test_what_is_remembered_is_bounded_and_holds_no_name():
    limiter = Limiter(lambda: 1, minutes=1, most_remembered=100)
    for number in range(1000):
        assert limiter.take(b"network-%d" % number, now=0) == 0
    assert len(limiter._full_at) == 100
    assert not any(b"network" in name for name in limiter._full_at)
    assert limiter.take(b"network-999", now=0) > 0
    before = set(limiter._full_at)
    limiter.take(b"network-999", now=HASH_LIFE_S)
    assert not before & set(limiter._full_at), "the hour's key is gone, and with it what was remembered"


def test_a_days_budget_comes_back_whole_and_nothing_of_the_day_is_remembered():
    limiter = DayLimiter(lambda: 10, most_remembered=100)
    limiter.spend(ADA, 9, now=5)
    assert limiter.find_wait(ADA, now=DAY_S) == 0
    limiter.spend(ADA, 3, now=6)
    assert limiter.find_wait(ADA, now=DAY_S) == pytest.approx(5)
    assert limiter.find_wait(BOB, now=DAY_S) == 0
    before = set(limiter._counts)
    assert limiter.find_wait(ADA, now=DAY_S + 5) == 0
    limiter.spend(ADA, now=DAY_S + 5)
    assert not before & set(limiter._counts)
    for number in range(1000):
        limiter.spend(b"network-%d" % number, now=DAY_S + 6)
    assert len(limiter._counts) == 100 and not any(b"network" in name for name in limiter._counts)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%wlan0", True),
        ("", "unix:", True),
    ],
)
def test_a_network_is_what_one_subscriber_holds(one, other, same):
    assert (network_of(one) == network_of(other)) is same


def test_people_behind_one_address_share_a_crowds_budget(limits):
    """Forty at a time, each at two seconds a vote, for as long as they like; a flood meets the wall."""
    for _ in range(40):
        for _ in range(30):
            limits.spend_votes(uuid.uuid4(), "203.0.113.7", 1)
    with pytest.raises(TooFast):
        for _ in range(1000):
            limits.spend_votes(uuid.uuid4(), "203.0.113.7", 50)
    limits.spend_votes(uuid.uuid4(), "203.0.113.8", 50)


def test_a_refusal_by_the_network_costs_the_player_nothing(limits):
    key = uuid.uuid4()
    with pytest.raises(TooFast):
        for _ in range(1000):
            limits.spend_votes(uuid.uuid4(), "203.0.113.7", 50)
    for _ in range(10):
        with pytest.raises(TooFast):
            limits.spend_votes(key, "203.0.113.7", 50)
    limits.spend_votes(key, "203.0.113.8", 50)
    limits.spend_votes(key, "203.0.113.8", 50)


@pytest.mark.django_db
def test_a_player_too_quick_is_told_when_to_go_on_and_nothing_is_stored(limits):
    make_contenders(make_catalogue(items=200, with_images=False), count=6, choices=100)
    deck = Deck()
    for _ in range(6):
        deck.play_round()
    assert Vote.objects.count() == 120
    [deal] = deck.deal(1)["deals"]
    for refused in (deck.vote(deal["id"]), deck.post("/play/votes/", {"votes": [{"deal": deal["id"]}]})):
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) == 1
        assert refused.json()["message"].startswith("That was too quick. Your answers are kept")
    assert Vote.objects.count() == 120
    assert Deck(client=Client()).deal(1)["deals"], "others go on"


@pytest.mark.django_db
def test_asking_for_pairs_and_taking_back_are_limited_too(limits):
    make_contenders(make_catalogue(with_images=False))
    deck = Deck()
    answers = [
        deck.post("/play/undo/", {"deal": "0" * 32}).status_code
        if turn % 2
        else deck.post("/play/deals/", {"catalogue": "demo", "count": 1}).status_code
        for turn in range(122)
    ]
    assert set(answers[:120]) == {200, 404}
    assert answers[120:] == [429, 429]


def _tire(settings, monkeypatch) -> list[float]:
    """Limits without a minute's budget, two hundred pairs a day for one, and a clock to be moved on."""
    settings.VOTES_PER_MINUTE, settings.PLAYERS_PER_NETWORK, settings.VOTES_PER_DAY = 1_000_000, 12, 200
    clock = [1000.0]
    monkeypatch.setattr(play, "play_limits", PlayLimits(clock=lambda: clock[0]))
    return clock


@pytest.mark.django_db
def test_who_has_had_a_days_pairs_gets_no_more_and_can_still_answer_those_they_hold(settings, monkeypatch):
    clock = _tire(settings, monkeypatch)
    make_contenders(make_catalogue(items=400, with_images=False), count=6, choices=100)
    deck = Deck()
    for _ in range(9):
        deck.play_round()
    held = deck.deal(10)["deals"]
    held += deck.deal(10, held=[deal["id"] for deal in held])["deals"]
    assert [deal["id"] for deal in deck.deal(10)["deals"]] == [deal["id"] for deal in held[:10]], "a reload"
    assert deck.vote_all(held)["judged"] == 20
    assert Vote.objects.count() == 200
    deck.round = None
    refused = deck.post("/play/deals/", {"catalogue": "demo", "count": 1})
    assert refused.status_code == 429 and int(refused["Retry-After"]) == DAY_S
    assert "as one player may in a day" in refused.json()["message"]
    assert "go on in 24 hours" in refused.json()["message"]
    assert Deck(client=Client()).deal(1)["deals"], "others go on"
    clock[0] += DAY_S
    assert deck.deal(1)["deals"]


@pytest.mark.django_db
def test_what_stores_nothing_uses_up_nobodys_day(settings, monkeypatch):
    """Votes sent again and again, before and after they arrive, and junk under keys of all kinds."""
    settings.VOTES_PER_MINUTE, settings.PLAYERS_PER_NETWORK, settings.VOTES_PER_DAY = 1_000_000, 1, 200
    monkeypatch.setattr(play, "play_limits", PlayLimits(clock=count(step=60).__next__))
    make_contenders(make_catalogue(items=60, with_images=False))
    deck = Deck()
    held = deck.deal(10)["deals"]
    votes = [{"deal": one["id"], "answer": "dope", "dwell_ms": 900, "modality": "key"} for one in held]
    with monkeypatch.context() as outage:
        outage.setattr(play.box, "submit", _fail)
        for _ in range(30):
            assert deck.post("/play/votes/", {"votes": votes}).status_code == 503
            assert deck.vote(held[0]["id"]).status_code == 503
            assert deck.post("/play/deals/", {"catalogue": "demo", "count": 10}).status_code == 503
    for _ in range(30):
        assert deck.vote_all(held)["judged"] == 10
        assert deck.vote(held[0]["id"]).status_code == 200
    for junk in ([{"deal": "0" * 32, "answer": "dope", "dwell_ms": 0, "modality": "key"}] * 50, [{}] * 50):
        for _ in range(5):
            assert Deck(client=Client()).post("/play/votes/", {"votes": junk}).status_code == 200
    assert Deck(client=deck.client).deal(1)["deals"]


async def _fail(*_: object, **__: object) -> None:
    raise OperationalError("The disk is full.")


@pytest.mark.django_db
def test_a_network_has_an_end_of_day_too_and_never_before_a_player_who_is_alone_there(settings, monkeypatch):
    """A quarter of what twelve players could give in a day."""
    _tire(settings, monkeypatch)
    make_contenders(make_catalogue(items=60, with_images=False))
    key = uuid.uuid4()
    play.play_limits.count_votes("127.0.0.1", 599)
    deck = Deck()
    [deal] = deck.deal(1)["deals"]
    deck.vote(deal["id"])
    refused = deck.post("/play/deals/", {"catalogue": "demo", "count": 1})
    assert refused.status_code == 429 and "Your network" in refused.json()["message"]
    assert play.play_limits.find_end_of_day(key, "203.0.113.8") is None
    settings.PLAYERS_PER_NETWORK = 1
    play.play_limits.count_votes("203.0.113.8", 199)
    assert play.play_limits.find_end_of_day(key, "203.0.113.8") is None
    play.play_limits.count_votes("203.0.113.8", 1)
    assert isinstance(play.play_limits.find_end_of_day(key, "203.0.113.8"), DayOver)
