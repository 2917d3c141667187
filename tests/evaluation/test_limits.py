"""What one player and one network may do, and that honest people never meet it."""

import uuid

import pytest
from django.test import Client

from evaluation.models import Vote
from evaluation.services.limits import HASH_LIFE_S, Limiter, PlayLimits, TooFast, network_of
from evaluation.views import play
from tests.evaluation.decks import Deck
from tests.factories import make_catalogue, make_contenders

ADA, BOB = b"ada", b"bob"


@pytest.fixture
def limits(settings, monkeypatch) -> PlayLimits:
    """The default budgets, all of them unspent, at a moment that lasts: nothing refills."""
    settings.VOTES_PER_MINUTE, settings.PLAYERS_PER_NETWORK = 60, 40
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
