"""Rounds from the first deal to the reveal: what is dealt, resumed, finished and summed up."""

import uuid
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from evaluation.models import Contender, Deal, DealingStamp, Pair, Round, Side, Vote
from evaluation.selectors.pools import find_pool, load_pool
from evaluation.selectors.tables import Hall
from evaluation.services.contenders import retire_contender
from evaluation.services.deals import delete_abandoned_rounds
from search.models import Catalogue, Item, Job, Queue, Split
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


def test_contenders_are_shown_when_the_round_is_finished_not_before() -> None:
    _catalogue()
    deck = Deck()
    deck.vote_all(deck.deal(6)["deals"])
    early = deck.client.get(f"/play/rounds/{deck.round}/")
    assert early.status_code == 409
    titles = list(Contender.objects.values_list("title", flat=True))
    assert not any(title.encode() in early.content for title in titles)
    assert Round.objects.get().revealed_at is None
    finished = deck.play_round()
    late = deck.client.get(f"/play/rounds/{finished}/").content.decode()
    assert any(title in late for title in titles)
    assert Round.objects.get(pk=finished).revealed_at is not None


def test_a_round_given_up_shows_its_end_after_a_day() -> None:
    _catalogue()
    deck = Deck()
    deck.vote_all(deck.deal(6)["deals"])
    Round.objects.update(created_at=NOW - timedelta(days=300))
    assert deck.client.get(f"/play/rounds/{deck.round}/").status_code == 200
    assert deck.deal(1)["round"] != Round.objects.order_by("created_at")[0].pk


def test_a_revealed_round_takes_no_more_votes() -> None:
    """A round given up is revealed when it is a day old; deals made late in it are younger than that."""
    _catalogue()
    deck = Deck()
    first, second = deck.deal(2)["deals"]
    deck.vote(first["id"])
    Round.objects.update(created_at=NOW - timedelta(days=300))
    assert deck.client.get(f"/play/rounds/{deck.round}/").status_code == 200
    assert deck.vote(second["id"]).status_code == 410
    assert deck.vote(first["id"]).status_code == 200, "a replay is answered as ever"
    assert Vote.objects.count() == 1


def _summary(deck: Deck, answers: dict[bool, str], rounds: int = 1) -> dict:
    """Play rounds in which pairs of the first contender get one answer and all others the other."""
    favourite = Contender.objects.order_by("pk")[0]
    for _ in range(rounds):
        deck.round = None
        for _ in range(2):
            dealt = deck.deal(10)["deals"]
            mine = set(
                favourite.credits.filter(pair__deals__in=[one["id"] for one in dealt]).values_list(
                    "pair__deals", flat=True
                )
            )
            for found in (True, False):
                deck.vote_all([one for one in dealt if (one["id"] in mine) is found], answers[found])
    context = deck.client.get(f"/play/rounds/{deck.round}/").context
    return {name: context[name] for name in ("verdict", "needed", "preferences", "pairs", "round")}


def test_the_summary_names_a_clear_favourite() -> None:
    catalogue = make_catalogue(items=120, with_images=False)
    make_contenders(catalogue, count=3, choices=60)
    context = _summary(Deck(), {True: "dope", False: "nope"}, rounds=3)
    assert context["verdict"] == "clear"
    best = context["preferences"][0]
    assert best.title == Contender.objects.order_by("pk")[0].title
    assert best.dope == best.votes
    assert best.approval < 1, "shrunk: a few dopes are no certainty"
    assert context["round"].number == 3
    assert context["round"].total_judged == 60
    assert len(context["pairs"]) == 20


def test_the_summary_says_too_close_to_call() -> None:
    catalogue = make_catalogue(items=120, with_images=False)
    make_contenders(catalogue, count=3, choices=60)
    context = _summary(Deck(), {True: "dope", False: "dope"})
    assert context["verdict"] == "close"
    assert len(context["preferences"]) >= 3


def test_the_summary_says_too_early_when_pairs_were_skipped() -> None:
    _catalogue()
    context = _summary(Deck(), {True: "skip", False: "dope"})
    assert context["verdict"] == "early"
    assert context["needed"] > 0
    assert context["preferences"] == []


def test_agreement_compares_with_what_others_said() -> None:
    catalogue = make_catalogue(items=8, with_images=False)
    make_contenders(catalogue, count=2)
    for _ in range(3):
        key = uuid.uuid4()
        hand = deal_to(key, now=NOW, count=10)
        cast(key, {deal.pk: "dope" for deal in hand.deals}, now=NOW)
    deck = Deck()
    finished = deck.play_round(["dope"])
    assert deck.client.get(f"/play/rounds/{finished}/").context["round"].agreement == 1
    contrary = Deck()
    finished = contrary.play_round(["nope"])
    assert contrary.client.get(f"/play/rounds/{finished}/").context["round"].agreement == 0
    assert Vote.objects.filter(answer="nope").exists()


def test_home_and_deck_without_any_catalogue() -> None:
    client = Client()
    assert client.get("/").status_code == 200
    page = client.get("/play/")
    assert page.status_code == 200
    assert page.context["catalogue"] is None


def test_a_catalogue_without_contenders_is_being_prepared() -> None:
    make_catalogue(items=6, with_images=False)
    response = Client().get("/play/demo/")
    assert response.status_code == 200
    assert not response.context["catalogue"].playable


def test_the_home_page_follows_catalogues_that_grow_and_no_others() -> None:
    catalogue = make_catalogue(items=6, with_images=False)
    client = Client()
    idle = client.get("/").content.decode()
    assert "nothing is being prepared" in idle and "<live-topic" in idle
    job = Job.objects.create(
        kind="embed", queue=Queue.ML, idempotency_key="k", title="t", created_at=NOW, catalogue=catalogue
    )
    assert "Preparing Demo" in client.get("/").content.decode()
    make_contenders(catalogue)
    both = client.get("/catalogues/").content.decode()
    assert "Preparing Demo" in both and "more are on their way" in both and "/play/demo/" in both
    job.delete()
    settled = client.get("/").content.decode()
    assert "Preparing" not in settled and "<live-topic" not in settled and "/play/demo/" in settled


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
