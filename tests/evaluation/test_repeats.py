"""Pairs that come again to see whether a player says the same: which may, how often, and in what time."""

import uuid
from itertools import count

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction

from evaluation.models import Deal, Pair, Player, Round, Side, Vote
from evaluation.selectors import extras
from evaluation.selectors.tables import Hall, Seat
from evaluation.services import deals
from evaluation.services.recount import find_differences
from evaluation.stats import places
from evaluation.stats.allocation import POLICY, Shelf
from evaluation.stats.places import CHECKS, REPEAT
from search.models import Catalogue, Split
from tests.evaluation.checking import make_checked_catalogue, play_checked
from tests.evaluation.decks import Deck, deal_to
from tests.factories import NOW

pytestmark = pytest.mark.django_db
NO_PAIRS = Shelf(*np.empty((2, 0), dtype=np.int64))


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    return make_checked_catalogue(monkeypatch)


def test_what_may_come_again_is_asked_for_once_a_hand(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "CHECK_SHARE", 1)
    asked: list[object] = []
    monkeypatch.setattr(deals, "find_repeatable", lambda *given: asked.append(given) or NO_PAIRS)
    for seed in range(4):
        deal_to(uuid.uuid4(), now=NOW, count=10, seed=seed)
    assert 0 < len(asked) <= 4


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite alone counts its steps")
def test_what_may_come_again_is_found_in_time_that_grows_with_what_was_answered(catalogue: Catalogue) -> None:
    player = Player.objects.create(key=uuid.uuid4(), created_at=NOW)
    seat = Seat(player.pk, None)
    steps = []
    for first in (0, 400):
        _answer_many(catalogue, player, range(first, first + 400))
        ticks = count()
        connection.connection.set_progress_handler(lambda ticks=ticks: bool(next(ticks) < 0), 100)
        found = extras.find_repeatable(seat, Hall(catalogue.pk, catalogue.slug, None))
        connection.connection.set_progress_handler(None, 0)
        assert len(found) == min(extras.MOST_REPEATABLE, first + 400 - extras.FEWEST_BETWEEN)
        steps.append(next(ticks))
    assert steps[1] < 3 * steps[0], "four times as many where each answer is held against each"


def _answer_many(catalogue: Catalogue, player: Player, numbers: range) -> None:
    item = catalogue.items.order_by("position")[0]
    round_ = Round.objects.create(id=f"{numbers[0]:032}", catalogue=catalogue, player=player, created_at=NOW)
    asked = [
        Pair(catalogue=catalogue, question=item, candidate=item, words=str(one), split=Split.EVALUATION)
        for one in numbers
    ]
    dealt = [
        Deal(
            id=f"{pair.words:0>32}",
            pair=pair,
            round=round_,
            player=player,
            place=place,
            side=Side.QUESTION_FIRST,
            policy=POLICY,
            propensity=1,
            issued_at=NOW,
            expires_at=NOW,
        )
        for place, pair in enumerate(Pair.objects.bulk_create(asked), start=1)
    ]
    Deal.objects.bulk_create(dealt)
    Vote.objects.bulk_create(
        Vote(deal=deal, answer="dope", dwell_ms=900, modality="key", cast_at=NOW) for deal in dealt
    )


def test_a_pair_comes_again_to_a_player_once_whoever_deals(catalogue: Catalogue) -> None:
    """Two processes that deal to one player at once: the second fails, is tried again, and finds it dealt."""
    play_checked(uuid.uuid4())
    repeat = Deal.objects.filter(policy=REPEAT, vote__isnull=False)[0]
    for policy in (REPEAT, POLICY):
        twin = Deal.objects.get(pk=repeat.pk)
        twin.pk, twin.place, twin.policy = "f" * 32, 99, policy
        with pytest.raises(IntegrityError), transaction.atomic():
            twin.save(force_insert=True)


def test_a_check_taken_back_is_asked_again_as_what_it_was(catalogue: Catalogue) -> None:
    deck = Deck()
    while not Vote.objects.filter(deal__policy__in=CHECKS).exists():
        deal = deck.deal(1)["deals"][0]["id"]
        deck.vote(deal, "nope")
    undone = deck.post("/play/undo/", {"deal": deal})
    again = Deal.objects.get(pk=undone.json()["deal"]["id"])
    assert (again.replaces_id, again.policy in CHECKS) == (deal, True)
    assert deck.vote(again.pk).status_code == 200
    assert find_differences() == []
