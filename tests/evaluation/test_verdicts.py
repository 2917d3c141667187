"""Verdicts: votes that are left out of every count and stay on record, and what everybody may know of it."""

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from evaluation.models import Player, Round, Tally, Verdict, Vote
from evaluation.selectors.exclusions import Exclusion, list_exclusions
from evaluation.selectors.rounds import summarise_round
from evaluation.services.recount import find_differences, repair_counts
from evaluation.services.verdicts import Grounds, VerdictRefused, exclude_player, restore_player
from tests.evaluation.decks import cast, deal_to
from tests.factories import NOW, make_catalogue, make_contender, make_contenders, make_pairs

pytestmark = pytest.mark.django_db
RANDOM = Grounds("answers at random", check="catch pairs", evidence={"wrong": 7, "asked": 8})


@pytest.fixture
def keys() -> list[uuid.UUID]:
    """Two players with six votes each."""
    make_contenders(make_catalogue(items=40, with_images=False), count=2)
    keys = [uuid.uuid4(), uuid.uuid4()]
    for seed, key in enumerate(keys):
        play(key, seed=seed)
    return keys


def play(key: uuid.UUID, *, seed: int, later: timedelta = timedelta(0)) -> None:
    hand = deal_to(key, now=NOW + later, count=6, seed=seed)
    answers = ["dope", "nope", "skip", "dope", "dope", "nope"]
    cast(key, dict(zip([deal.pk for deal in hand.deals], answers, strict=False)), now=NOW + later)


def player(key: uuid.UUID) -> int:
    return Player.objects.get(key=key).pk


def tallies() -> list[tuple]:
    rows = Tally.objects.order_by("contender", "category")
    return list(rows.values_list("contender", "category", "dopes", "nopes", "skips"))


def test_votes_of_an_excluded_player_count_no_more_and_stay_on_record(keys: list[uuid.UUID]) -> None:
    before = tallies()
    exclude_player(player(keys[1]), RANDOM, now=NOW)
    assert sum(sum(row[2:]) for row in tallies()) < sum(sum(row[2:]) for row in before)
    assert Vote.objects.count() == 12
    assert find_differences() == []
    restore_player(player(keys[1]), Grounds("an honest dissenter", by="ada"), now=NOW)
    assert tallies() == before
    assert list(Verdict.objects.order_by("number").values_list("ruling", flat=True)) == [
        "excluded",
        "restored",
    ]


def test_what_they_say_afterwards_is_taken_as_from_anybody_and_not_counted(keys: list[uuid.UUID]) -> None:
    exclude_player(player(keys[1]), RANDOM, now=NOW)
    before = tallies()
    play(keys[1], seed=9, later=timedelta(minutes=5))
    assert Vote.objects.count() == 18
    assert Player.objects.get(key=keys[1]).judged == 12
    assert tallies() == before
    assert find_differences() == []


def test_the_player_is_shown_the_same_as_before() -> None:
    make_contenders(make_catalogue(items=60, with_images=False), count=3)
    keys = [uuid.uuid4(), uuid.uuid4()]
    for seed, key in enumerate(keys):
        hand = deal_to(key, now=NOW, count=10, seed=seed)
        for _ in range(2):
            cast(key, {deal.pk: ("dope", "nope")[deal.place % 2] for deal in hand.deals}, now=NOW)
            hand = deal_to(key, now=NOW, count=10, seed=seed, round_id=hand.round.pk)
    round_ = Round.objects.get(player__key=keys[1], judged=20)
    before = summarise_round(round_)
    assert before.preferences and before.round.agreement is not None
    exclude_player(player(keys[1]), RANDOM, now=NOW)
    assert summarise_round(Round.objects.get(pk=round_.pk)) == before


def test_a_contender_that_comes_later_is_not_credited_with_their_votes(keys: list[uuid.UUID]) -> None:
    exclude_player(player(keys[1]), RANDOM, now=NOW)
    first = Tally.objects.order_by("contender").first()
    assert first is not None
    twin = make_contender(first.contender.catalogue, encoder="twin")
    make_pairs(twin, {one.pair.question: one.pair.candidate for one in first.contender.credits.all()})
    figures = [
        sorted(one.tallies.values_list("category", "dopes", "nopes", "skips"))
        for one in (twin, first.contender)
    ]
    assert figures[0] == figures[1]
    assert find_differences() == []


def test_what_is_left_out_is_told_by_reason(keys: list[uuid.UUID]) -> None:
    assert list_exclusions() == []
    for key in keys:
        exclude_player(player(key), RANDOM, now=NOW)
    restore_player(player(keys[0]), Grounds("looked at"), now=NOW)
    exclude_player(player(keys[0]), Grounds("answers faster than one can look"), now=NOW)
    assert list_exclusions() == [
        Exclusion("answers at random", 1, 6),
        Exclusion("answers faster than one can look", 1, 6),
    ]


def test_who_watches_what_is_left_out_while_voting_learns_nothing(keys: list[uuid.UUID]) -> None:
    exclude_player(player(keys[1]), RANDOM, now=NOW)
    before = list_exclusions()
    play(keys[1], seed=9, later=timedelta(minutes=5))
    assert list_exclusions() == before


def test_the_leaderboard_says_how_many_are_left_out_and_why(keys: list[uuid.UUID], client: Client) -> None:
    exclude_player(player(keys[0]), RANDOM, now=NOW)
    page = " ".join(client.get("/leaderboard/").content.decode().split())
    assert "6 answers of 1 player left out: answers at random" in page
    told = client.get("/api/leaderboard/").json()
    assert told["exclusions"] == [{"reason": "answers at random", "players": 1, "judged": 6}]
    assert told["votes"] == 5  # the other player's, without the skip


def test_of_two_who_decide_the_same_one_is_told_so(keys: list[uuid.UUID]) -> None:
    pk = player(keys[0])
    with pytest.raises(VerdictRefused, match="counted already"):
        restore_player(pk, Grounds("looked at"), now=NOW)
    exclude_player(pk, RANDOM, now=NOW)
    with pytest.raises(VerdictRefused, match="left out already"):
        exclude_player(pk, RANDOM, now=NOW)
    assert Verdict.objects.count() == 1


@pytest.mark.parametrize(
    ("pk", "reason", "message"), [(None, " ", "needs a reason"), (999, "x", "no player 999")]
)
def test_what_cannot_be_decided_is_refused(
    keys: list[uuid.UUID], pk: int | None, reason: str, message: str
) -> None:
    with pytest.raises(VerdictRefused, match=message):
        exclude_player(pk or player(keys[0]), Grounds(reason), now=NOW)


def test_a_verdict_is_never_changed_or_deleted(keys: list[uuid.UUID]) -> None:
    verdict = exclude_player(player(keys[0]), RANDOM, now=NOW)
    for change in (verdict.delete, lambda: Verdict.objects.update(reason="another")):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()


def test_a_player_who_is_left_out_by_no_verdict_is_found_and_counted_again(keys: list[uuid.UUID]) -> None:
    Player.objects.filter(key=keys[0]).update(is_excluded=True)
    assert {one.table for one in find_differences()} == {"Player"}
    repair_counts()
    assert not Player.objects.get(key=keys[0]).is_excluded
    assert find_differences() == []
