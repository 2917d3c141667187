"""The end of a round: when contenders are shown, and what is said about the player's answers."""

import uuid
from datetime import timedelta

import numpy as np
import pytest

from evaluation.models import Contender, Round, Vote
from evaluation.stats.places import LESSON
from evaluation.views import play
from tests.evaluation.decks import Deck, cast, deal_to
from tests.factories import NOW, give_extras, make_catalogue, make_contenders

pytestmark = pytest.mark.django_db


def test_contenders_are_shown_when_the_round_is_finished_not_before() -> None:
    make_contenders(make_catalogue(items=80, with_images=False))
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
    make_contenders(make_catalogue(items=80, with_images=False))
    deck = Deck()
    deck.vote_all(deck.deal(6)["deals"])
    Round.objects.update(created_at=NOW - timedelta(days=300))
    assert deck.client.get(f"/play/rounds/{deck.round}/").status_code == 200
    assert deck.deal(1)["round"] != Round.objects.order_by("created_at")[0].pk


def test_a_revealed_round_takes_no_more_votes() -> None:
    """A round given up is revealed when it is a day old; deals made late in it are younger than that."""
    make_contenders(make_catalogue(items=80, with_images=False))
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


def test_the_summary_says_too_early_when_pairs_were_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play, "rng", np.random.default_rng(1))
    make_contenders(make_catalogue(items=80, with_images=False))
    context = _summary(Deck(), {True: "dope", False: "skip"})
    assert context["verdict"] == "early"
    assert context["needed"] > 0
    assert context["preferences"] == []


def test_the_first_whole_round_tells_a_preference_though_not_all_of_it_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(play, "rng", np.random.default_rng(1))
    catalogue = make_catalogue(items=120, with_images=False)
    contender, *_ = make_contenders(catalogue, count=3, choices=60)
    give_extras(contender)
    context = _summary(Deck(), {True: "dope", False: "nope"})
    assert Vote.objects.filter(deal__policy=LESSON).count() > 1
    assert context["verdict"] != "early" and context["preferences"]


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
