"""Rounds: what is dealt, to whom, how often, and what a reload resumes."""

import uuid
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from evaluation.models import Contender, Deal, DealingStamp, Pair, Round, Side
from evaluation.selectors.pools import find_pool, load_pool
from evaluation.selectors.tables import Hall
from evaluation.services.contenders import retire_contender
from evaluation.services.deals import delete_abandoned_rounds
from evaluation.services.recount import find_differences
from search.models import Catalogue, Item, Split
from tests.evaluation.decks import Deck, cast, deal_to
from tests.factories import NOW, make_catalogue, make_contender, make_contenders, make_pairs

pytestmark = pytest.mark.django_db


def _catalogue(items: int = 80, contenders: int = 3) -> Catalogue:
    catalogue = make_catalogue(items=items, with_images=False)
    make_contenders(catalogue, count=contenders)
    return catalogue


def _hall(catalogue: Catalogue) -> Hall:
    stamp = DealingStamp.objects.get(catalogue=catalogue).stamp
    return Hall(catalogue.pk, catalogue.slug, stamp)


def test_a_round_has_twenty_places_then_a_new_one_begins() -> None:
    _catalogue()
    deck = Deck()
    first = deck.play_round()
    assert [deal.place for deal in Deal.objects.filter(round=first).order_by("place")] == list(range(1, 21))
    assert Round.objects.get(pk=first).judged == 20
    deck.round = first
    assert deck.deal()["round"] != first, "a finished round is not dealt from"


def test_nobody_is_dealt_a_pair_twice_until_every_pair_is_judged() -> None:
    _catalogue(items=40, contenders=2)
    deck = Deck()
    for _ in range(20):
        deck.round = None
        dealt = deck.deal()
        if dealt["exhausted"]:
            break
        deck.play_round()
    assert dealt["exhausted"] and dealt["deals"] == []
    pairs = list(Deal.objects.values_list("pair", flat=True))
    assert len(pairs) == len(set(pairs)) == Pair.objects.count()
    last = Round.objects.order_by("created_at").last()
    assert last is not None and last.judged == last.size <= 20
    assert deck.client.get(f"/play/rounds/{last.pk}/").status_code == 200, "it ended early, but it ended"


def test_only_evaluation_only_questions_of_active_contenders_are_dealt() -> None:
    catalogue = _catalogue(items=30, contenders=2)
    retired = make_contender(catalogue, encoder="retired")
    items = list(catalogue.items.order_by("position"))
    only_mine = {items[0]: items[15]}
    make_pairs(retired, only_mine)
    retire_contender(contender=retired, now=NOW)
    trainable = items[1]
    Pair.objects.create(catalogue=catalogue, question=trainable, candidate=items[5], split=Split.TRAINABLE)
    pool = load_pool(catalogue.pk)
    questions = Item.objects.filter(pk__in=pool.questions.tolist())
    assert {item.split for item in questions} == {Split.EVALUATION}
    forgone = Pair.objects.get(question=items[0], candidate=items[15])
    assert forgone.pk not in pool.pairs
    assert len(pool) == Pair.objects.filter(split=Split.EVALUATION).count() - 1


def test_the_random_controls_pairs_are_dealt_like_any_others() -> None:
    catalogue = _catalogue(items=60, contenders=2)
    control = Contender.objects.get(is_control=True)
    pool = load_pool(catalogue.pk)
    assert set(control.credits.values_list("pair", flat=True)) <= set(pool.pairs.tolist())


def test_unspent_deals_come_again_unless_the_page_still_holds_them() -> None:
    _catalogue()
    deck = Deck()
    first = deck.deal(4)["deals"]
    again = deck.deal(2)["deals"]
    assert again == first[:2]
    held = [deal["id"] for deal in first]
    more = deck.deal(3, held=held)["deals"]
    assert not {deal["id"] for deal in more} & set(held)
    assert [deal["place"] for deal in more] == [5, 6, 7]


def test_a_round_with_pairs_that_the_player_had_from_elsewhere_still_comes_to_its_end() -> None:
    """Two rounds dealt to a visitor hold the same pairs; whose votes made a player spends each once."""
    _catalogue()
    key = uuid.uuid4()
    first, second = deal_to(key, now=NOW, count=6), deal_to(key, now=NOW, count=6)
    assert {deal.pair for deal in first.deals} == {deal.pair for deal in second.deals}
    cast(key, {deal.pk: "dope" for deal in first.deals}, now=NOW)
    assert second.round is not None
    for judged in (10, 20):
        hand = deal_to(key, now=NOW, count=10, round_id=second.round.pk)
        outcome = cast(key, {deal.pk: "nope" for deal in hand.deals}, now=NOW)
        assert [one.status for one in outcome.results] == [200] * 10
        assert outcome.judged == judged
    assert find_differences() == []


def test_pairs_dealt_to_a_visitor_while_the_first_vote_was_written_are_not_dealt_again() -> None:
    _catalogue(items=16, contenders=1)
    deck = Deck()
    first = deck.deal(8)["deals"]
    deck.vote(first[0]["id"])
    Deal.objects.filter(vote=None).update(player=None)  # as a process deals that knows no player yet
    deck.deal(10, held=[deal["id"] for deal in first])
    pairs = list(Deal.objects.values_list("pair_id", flat=True))
    assert len(pairs) == len(set(pairs)) == Pair.objects.count()


def test_a_place_of_a_round_is_dealt_once_whoever_deals() -> None:
    """Two processes that deal from one round at once: the second fails, is tried again, and hands on."""
    _catalogue()
    hand = deal_to(uuid.uuid4(), now=NOW, count=2)
    twin = Deal.objects.get(pk=hand.deals[1].pk)
    twin.pk = "f" * 32
    twin.pair = Pair.objects.exclude(deals__round=hand.round.pk).first()
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)
    assert Deal.objects.count() == 2


def test_a_reload_resumes_the_round_of_a_known_player() -> None:
    _catalogue()
    deck = Deck()
    first = deck.deal(4)["deals"]
    deck.vote(first[0]["id"])
    reloaded = Deck(client=deck.client)
    dealt = reloaded.deal(6)
    assert dealt["round"] == deck.round
    assert dealt["judged"] == 1
    assert dealt["deals"][:3] == first[1:]


def test_no_question_twice_in_a_row_and_sides_by_chance() -> None:
    _catalogue(items=40, contenders=6)
    deck = Deck()
    finished = deck.play_round()
    deals = Deal.objects.filter(round=finished).order_by("place").select_related("pair")
    questions = [deal.pair.question_id for deal in deals]
    assert all(one != other for one, other in pairwise(questions))
    assert {deal.side for deal in deals} == set(Side)


def test_the_same_generator_deals_the_same_pairs() -> None:
    _catalogue()
    hands = [deal_to(uuid.uuid4(), now=NOW, count=10, seed=3).deals for _ in range(2)]
    first, second = (
        list(
            Deal.objects.filter(pk__in=[deal.pk for deal in hand])
            .order_by("place")
            .values_list("pair", "side", "propensity")
        )
        for hand in hands
    )
    assert first == second
    assert all(0 < propensity <= 1 for _, _, propensity in first)


def test_pairs_kept_in_memory_are_read_anew_when_a_contender_comes() -> None:
    catalogue = _catalogue()
    before = find_pool(_hall(catalogue), now=NOW)
    assert find_pool(_hall(catalogue), now=NOW) is before
    contender = make_contender(catalogue, encoder="newcomer")
    items = list(catalogue.items.order_by("position"))
    make_pairs(contender, {items[0]: items[-1]})
    after = find_pool(_hall(catalogue), now=NOW)
    assert len(after) == len(before) + 1
    assert find_pool(_hall(catalogue), now=NOW + timedelta(minutes=5)) is not after, "counts grow old"


def test_an_unknown_catalogue_is_said_so() -> None:
    _catalogue()
    deck = Deck()
    deck.catalogue = "nowhere"
    response = deck.post("/play/deals/", {"catalogue": "nowhere", "round": None, "held": [], "count": 3})
    assert response.status_code == 404
    assert "nowhere" in response.json()["message"]
    assert Client().get("/play/nowhere/").status_code == 404


def test_another_players_round_is_neither_dealt_from_nor_shown() -> None:
    _catalogue()
    deck, other = Deck(), Deck()
    finished = deck.play_round()
    other.round = finished
    assert other.deal()["round"] != finished
    other.vote(other.deal()["deals"][0]["id"])
    assert other.client.get(f"/play/rounds/{finished}/").status_code == 404
    assert Client().get(f"/play/rounds/{finished}/").status_code == 404
    assert deck.client.get(f"/play/rounds/{finished}/").status_code == 200


def test_rounds_of_visitors_who_never_voted_go_again() -> None:
    _catalogue()
    for _ in range(5):
        deal_to(uuid.uuid4(), now=NOW, count=2)
    voter = uuid.uuid4()
    hand = deal_to(voter, now=NOW, count=2)
    cast(voter, {hand.deals[0].pk: "dope"}, now=NOW)
    later = NOW + timedelta(days=3)
    assert delete_abandoned_rounds(later) == 5
    assert {one.pk for one in Round.objects.all()} == {hand.round.pk}
    assert Deal.objects.filter(issued_at=NOW).count() == 2
