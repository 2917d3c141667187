"""Cases 1 to 6 of docs/reliability.md in one process; 1 to 5 against real web processes: tests/faults."""

import uuid
from datetime import timedelta

import pytest

from evaluation.models import (
    Answer,
    Credit,
    Deal,
    Modality,
    Player,
    RaterTally,
    Retraction,
    Round,
    Tally,
    Vote,
)
from evaluation.services.contenders import retire_contender
from evaluation.services.recount import find_differences
from evaluation.services.votes import Ballot, CastVote
from evaluation.views.play import cast_now
from search.models import Revision
from tests.evaluation.callers import Callers
from tests.evaluation.decks import Deck, cast, deal_to
from tests.factories import NOW, make_catalogue, make_contenders

pytestmark = pytest.mark.django_db


@pytest.fixture
def deck() -> Deck:
    make_contenders(make_catalogue(items=60, with_images=False))
    return Deck()


def _votes_counted() -> int:
    return sum(tally.dopes + tally.nopes + tally.skips for tally in Tally.objects.all())


@pytest.mark.django_db(transaction=True)
def test_01_fifty_identical_votes_at_once_are_one_row_one_count_and_identical_answers() -> None:
    make_contenders(make_catalogue(items=20, with_images=False))
    key = uuid.uuid4()
    [deal] = deal_to(key, now=NOW, count=1).deals
    ballot = Ballot(key, [CastVote(deal.pk, Answer.DOPE, 700, Modality.DRAG)])
    Deal.objects.update(expires_at="2999-01-01T00:00Z")
    with Callers() as callers:
        waiting = [callers.ask(cast_now, ballot, takes_turn=True) for _ in range(50)]
        outcomes = [one.result(30) for one in waiting]
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert [result.status for result in outcomes[0].results] == [200]
    assert Vote.objects.count() == 1
    assert Player.objects.get().judged == 1
    assert find_differences() == []


def test_02_the_opposite_answer_replayed_is_refused_and_nothing_changes(deck: Deck) -> None:
    [deal] = deck.deal(1)["deals"]
    first = deck.vote(deal["id"], "dope")
    counted = _votes_counted()
    assert deck.vote(deal["id"], "dope").content == first.content
    second = deck.vote(deal["id"], "nope")
    assert second.status_code == 409
    assert second.json()["answer"] == "dope"
    assert Vote.objects.get().answer == "dope"
    assert _votes_counted() == counted


def test_02_also_inside_a_batch_where_the_other_votes_count(deck: Deck) -> None:
    a, b = (deal["id"] for deal in deck.deal(2)["deals"])
    votes = [
        {"deal": deal, "answer": answer, "dwell_ms": 5, "modality": "key"}
        for deal, answer in [
            (a, "dope"),
            (a, "nope"),
            (b, "skip"),
            (b, "skip"),
        ]
    ]
    answer = deck.post("/play/votes/", {"votes": votes}).json()
    assert [result["status"] for result in answer["results"]] == [200, 409, 200, 200]
    assert [result["answer"] for result in answer["results"]] == ["dope", "dope", "skip", "skip"]
    assert answer["judged"] == answer["streak"] == 2


@pytest.mark.parametrize("forged", ["0" * 32, "abc", "x" * 500, "%00", "%ED%A0%80", "' or 1=1 --"])
def test_03_a_forged_or_cut_deal_is_unknown_and_nothing_is_written(deck: Deck, forged: str) -> None:
    [deal] = deck.deal(1)["deals"]
    revision = Revision.objects.get(topic="leaderboard").number
    for wrong in (forged, deal["id"][:-1], deal["id"] + "0"):
        response = deck.vote(wrong)
        assert response.status_code == 404
        assert not response.cookies
    assert not Vote.objects.exists()
    assert not Player.objects.exists()
    assert Revision.objects.get(topic="leaderboard").number == revision


def test_04_another_players_deal_gets_the_same_answer_as_a_forged_one(deck: Deck) -> None:
    [deal] = deck.deal(1)["deals"]
    other = Deck()
    foreign, forged = other.vote(deal["id"]), other.vote("0" * 32)
    assert foreign.status_code == forged.status_code == 404
    assert foreign.json()["message"] == forged.json()["message"]
    assert not Vote.objects.exists()
    assert other.post("/play/undo/", {"deal": deal["id"]}).status_code == 404


def test_05_an_expired_deal_is_gone_but_a_replay_of_a_stored_vote_is_not(deck: Deck) -> None:
    one, two = deck.deal(2)["deals"]
    first = deck.vote(one["id"])
    Deal.objects.update(expires_at=NOW - timedelta(days=400))
    assert deck.vote(two["id"]).status_code == 410
    assert deck.vote(one["id"]).status_code == first.status_code == 200
    assert Vote.objects.count() == 1


def test_06_a_deal_open_while_its_contender_retires_still_counts_for_it() -> None:
    contenders = make_contenders(make_catalogue(items=30, with_images=False), count=3)
    key = uuid.uuid4()
    [deal] = deal_to(key, now=NOW, count=1).deals
    credited = [credit.contender for credit in Credit.objects.filter(pair=deal.pair)]
    for contender in contenders:
        retire_contender(contender=contender, now=NOW)
    assert cast(key, {deal.pk: "dope"}, now=NOW).results[0].status == 200
    assert {tally.contender for tally in Tally.objects.filter(dopes=1)} == set(credited)
    assert find_differences() == []
    assert deal_to(uuid.uuid4(), now=NOW).exhausted, "retired contenders are dealt no more"


def test_nothing_is_stored_about_a_visitor_before_the_first_vote(deck: Deck) -> None:
    dealt = deck.deal(6)
    assert not deck.page.cookies
    assert not deck.client.cookies
    assert not Player.objects.exists()
    assert Round.objects.get().player is None
    response = deck.vote(dealt["deals"][0]["id"])
    cookie = response.cookies["player"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and int(cookie["max-age"]) <= 13 * 31 * 86400
    assert Player.objects.get().judged == 1
    assert {deal.player for deal in Deal.objects.all()} == {Player.objects.get()}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"answer": "maybe"}, "answer"),
        ({"answer": ["dope"]}, "answer"),
        ({"dwell_ms": -1}, "dwell_ms"),
        ({"dwell_ms": 1.5}, "dwell_ms"),
        ({"dwell_ms": True}, "dwell_ms"),
        ({"dwell_ms": 10**12}, "dwell_ms"),
        ({"modality": "mind"}, "modality"),
    ],
)
def test_a_vote_of_wrong_form_is_told_what_is_wrong(deck: Deck, fields: dict, named: str) -> None:
    one, two = deck.deal(2)["deals"]
    assert deck.vote(one["id"], **fields).status_code == 422
    good = {"deal": two["id"], "answer": "dope", "dwell_ms": 1, "modality": "drag"}
    answer = deck.post("/play/votes/", {"votes": [{**good, "deal": one["id"], **fields}, good]}).json()
    assert [result["status"] for result in answer["results"]] == [422, 200]
    assert named in answer["results"][0]["message"]


@pytest.mark.parametrize("name", ["\ud800", "\0", "é", "x" * 65])
def test_a_name_that_no_row_can_have_never_reaches_the_database(deck: Deck, name: str) -> None:
    vote = {"deal": name, "answer": "dope", "dwell_ms": 1, "modality": "key"}
    assert deck.post("/play/votes/", {"votes": [vote]}).json()["results"][0]["status"] == 404
    for path, body in (
        ("/play/undo/", {"deal": name}),
        ("/play/deals/", {"catalogue": name, "round": None, "held": [], "count": 1}),
        ("/play/deals/", {"catalogue": "demo", "round": name, "held": [], "count": 1}),
    ):
        assert deck.post(path, body).status_code == 422
    assert deck.client.get("/play/rounds/%00/").status_code == 404


@pytest.mark.parametrize("body", [None, [], "x", {"votes": 7}, {"votes": [{}] * 51}])
def test_a_body_of_wrong_form_is_refused_whole(deck: Deck, body: object) -> None:
    assert deck.post("/play/votes/", body).status_code in (400, 422)
    assert deck.post("/play/deals/", body).status_code in (400, 422)
    assert deck.post("/play/undo/", body).status_code in (400, 422)


def test_a_sitting_is_needed_and_must_be_the_cookies_own(deck: Deck) -> None:
    [deal] = deck.deal(1)["deals"]
    for sitting in ("", "forged", deck.sitting[:-1]):
        assert deck.post("/play/votes/", {"votes": []}, sitting=sitting).status_code == 403
    deck.vote(deal["id"])
    assert deck.post("/play/votes/", {"votes": []}, sitting=Deck().sitting).status_code == 403
    assert deck.post("/play/votes/", {"votes": []}, Origin="https://elsewhere.example").status_code == 403
    assert deck.post("/play/votes/", {"votes": []}, Origin="http://testserver").status_code == 200


def test_votes_of_two_rounds_dealt_before_the_first_vote_spend_a_pair_once() -> None:
    """A visitor without a cookie opens two rounds, which may hold the same pair."""
    make_contenders(make_catalogue(items=4, with_images=False), count=1, with_control=False)
    key = uuid.uuid4()
    first, second = deal_to(key, now=NOW, count=2), deal_to(key, now=NOW, count=2)
    assert {deal.pair for deal in first.deals} == {deal.pair for deal in second.deals}
    assert [one.status for one in cast(key, {deal.pk: "dope" for deal in first.deals}, now=NOW).results] == [
        200
    ] * 2
    assert [one.status for one in cast(key, {deal.pk: "nope" for deal in second.deals}, now=NOW).results] == [
        409
    ] * 2
    assert Vote.objects.count() == 2
    assert find_differences() == []


def test_a_vote_in_a_round_given_up_is_refused_and_makes_nobody_a_player(deck: Deck) -> None:
    [deal] = deck.deal(1)["deals"]
    Round.objects.update(revealed_at=NOW)
    assert deck.vote(deal["id"]).status_code == 410
    assert not Player.objects.exists()


def test_undo_gives_the_pair_back_and_keeps_the_vote_on_record(deck: Deck) -> None:
    one, two = deck.deal(2)["deals"]
    deck.vote(one["id"])
    deck.vote(two["id"])
    assert deck.post("/play/undo/", {"deal": one["id"]}).status_code == 409, "not the last"
    again = deck.post("/play/undo/", {"deal": two["id"]}).json()["deal"]
    assert again["id"] != two["id"]
    assert {**again, "id": ""} == {**two, "id": ""}
    assert deck.post("/play/undo/", {"deal": two["id"]}).status_code == 409, "taken back already"
    assert (Vote.objects.count(), Retraction.objects.count()) == (2, 1)
    assert find_differences() == []
    answer = deck.vote(again["id"], "nope").json()
    assert (answer["status"], answer["judged"], answer["streak"]) == (200, 2, 2)
    assert sum(tally.nopes for tally in RaterTally.objects.all()) > 0
    assert find_differences() == []


def test_undo_ends_with_the_reveal(deck: Deck) -> None:
    finished = deck.play_round()
    last = Vote.objects.order_by("cast_at", "deal__place").last()
    assert last is not None
    assert deck.client.get(f"/play/rounds/{finished}/").status_code == 200
    assert deck.post("/play/undo/", {"deal": last.pk}).status_code == 409
    assert not Retraction.objects.exists()
