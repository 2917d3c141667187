"""Two contenders side by side: differences both ways, what both found, what it still needs, bad input."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from evaluation.models import Contender, Credit, Pair, Vote
from evaluation.selectors import dealt_answers
from evaluation.selectors.board import Filters, read_board
from evaluation.selectors.dealt_answers import read_dealt_answers
from evaluation.selectors.head_to_head import Two, list_disagreements, read_head_to_head
from evaluation.services.contenders import retire_contender, take_place
from evaluation.services.ranking_comparisons import compare_contenders
from search.models import Item
from tests.evaluation.judged import play, rank
from tests.factories import NOW, make_catalogue, make_contender, make_contenders, make_pairs
from tests.operators import sign_in

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/leaderboard/head-to-head/"


@pytest.fixture
def two() -> Two:
    """What the first of three found is liked, the rest mostly not; the night has compared them."""
    first, second, _ = make_contenders(make_catalogue(items=80, with_images=False), count=2)
    play(first, players=9)
    rank(first)
    return Two(first, second)


def page(one: object, other: object, client: Client | None = None) -> str:
    return (client or Client()).get(ADDRESS, {"one": one, "other": other}).content.decode()


def test_the_other_way_round_the_difference_is_turned_and_nothing_else(two: Two) -> None:
    there, back = read_head_to_head(two), read_head_to_head(Two(two.second, two.first))
    assert there.nightly and back.nightly and there.difference and back.difference
    assert there.nightly.difference is not None and there.nightly.low is not None
    assert there.nightly.difference > 0
    assert there.nightly.low < there.nightly.difference < (there.nightly.high or 0)
    assert back.nightly.difference == -there.nightly.difference
    assert (back.nightly.low, back.nightly.high) == (-(there.nightly.high or 0), -there.nightly.low)
    assert back.nightly.needed == there.nightly.needed
    assert back.difference.low == pytest.approx(-there.difference.high)
    assert (back.first_alone, back.second_alone) == (there.second_alone, there.first_alone)
    assert (back.shared, back.overlap) == (there.shared, there.overlap)


def test_counts_are_those_of_the_pairs_and_of_the_board(two: Two) -> None:
    compared = read_head_to_head(two)
    rows = {row.contender: row for row in read_board(Filters()).rows}
    assert (compared.first, compared.second) == (rows[two.first.pk], rows[two.second.pk])
    assert compared.shared.answers + compared.first_alone.answers == compared.first.votes
    assert compared.shared.answers + compared.second_alone.answers == compared.second.votes
    shared = Pair.objects.filter(credits__contender=two.first).filter(credits__contender=two.second)
    assert compared.shared.pairs == shared.count() > 0
    assert compared.overlap == shared.count() / Credit.objects.filter(contender=two.first).count()
    assert two.first.title in page(two.first.pk, two.second.pk)


def test_only_votes_dealt_since_both_are_on_the_board_are_compared(two: Two) -> None:
    """And pairs that only a retired contender found stay in, as found by neither: they were dealt as well."""
    items = list(Item.objects.order_by("position"))
    newcomer = make_contender(two.first.catalogue, encoder="newcomer", now=NOW + timedelta(days=1))
    found = {item: items[(item.position + 9) % 80] for item in items if item.split == "evaluation"}
    make_pairs(newcomer, found)
    retire_contender(contender=Contender.objects.get(is_control=True), now=NOW + timedelta(days=2))
    dealt = read_dealt_answers(two.first.catalogue_id)
    answers = Vote.objects.exclude(answer="skip").count()
    assert len(dealt.answers) == answers
    assert not dealt.answers.found.any(axis=1).all()
    votes = {(row["one"], row["other"]): row["votes"] for row in compare_contenders(dealt)}
    assert votes == {
        (two.first.pk, two.second.pk): answers,
        (two.first.pk, newcomer.pk): 0,
        (two.second.pk, newcomer.pk): 0,
    }


def test_who_was_away_is_compared_by_votes_since_the_return(two: Two) -> None:
    rival = make_contender(two.first.catalogue, encoder="rival")
    Contender.objects.filter(pk=rival.pk).update(encoder=two.second.encoder, metric=two.second.metric)
    rival.refresh_from_db()
    take_place(contender=rival, now=NOW + timedelta(days=1))
    take_place(contender=two.second, now=NOW + timedelta(days=2))
    [row] = [
        one
        for one in compare_contenders(read_dealt_answers(two.first.catalogue_id))
        if (one["one"], one["other"]) == (two.first.pk, two.second.pk)
    ]
    assert row["votes"] == 0
    assert row["difference"] is None


def test_a_few_players_say_nothing_and_one_without_votes_has_no_difference() -> None:
    first, second = make_contenders(make_catalogue(items=60, with_images=False), count=1)
    assert "No night&#x27;s ranking has compared" in page(first.pk, second.pk).replace("'", "&#x27;")
    assert "no votes yet" in page(first.pk, second.pk)
    play(first, players=2)
    rank(first)
    compared = read_head_to_head(Two(first, second))
    assert compared.nightly is not None and compared.nightly.difference is None
    assert "Too few players" in page(first.pk, second.pk)


def test_what_no_vote_can_tell_is_not_put_down_to_too_few_players(two: Two) -> None:
    twin = make_contender(two.first.catalogue, encoder="twin", now=NOW + timedelta(days=1))
    found = Pair.objects.filter(credits__contender=two.first).select_related("question", "candidate")
    make_pairs(twin, {pair.question: pair.candidate for pair in found})
    rank(two.first, now=NOW + timedelta(days=2))
    assert "no vote can tell them apart" in page(two.first.pk, twin.pk)
    assert "no answer had been dealt and given since both" in page(two.second.pk, twin.pk)


def test_pairs_found_while_votes_are_read_are_left_for_the_next_time(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A contender enters between two of the reader's queries, and somebody votes on what it found."""
    read, before = dealt_answers._read_table, len(read_dealt_answers(two.first.catalogue_id).answers)

    def enter_first(catalogue: int) -> list[Any]:
        items = list(Item.objects.order_by("position"))
        newcomer = make_contender(two.first.catalogue, encoder="newcomer")
        make_pairs(
            newcomer, {one: items[(one.position + 9) % 80] for one in items if one.split == "evaluation"}
        )
        play(two.first, players=1)
        return read(catalogue)

    monkeypatch.setattr(dealt_answers, "_read_table", enter_first)
    dealt = read_dealt_answers(two.first.catalogue_id)
    assert len(dealt.contenders) == len(dealt.starts) == 3
    assert len(dealt.answers) >= before


def test_one_that_retired_keeps_what_the_nights_said_of_it(two: Two) -> None:
    before = read_head_to_head(two).nightly
    retire_contender(contender=two.second, now=NOW + timedelta(days=1))
    two.second.refresh_from_db()
    assert read_head_to_head(two).nightly == before
    assert "(retired" in page(two.first.pk, two.second.pk)


@pytest.mark.parametrize("asked", ["", "x", "-1", "0", "9" * 30, "9" * 5000, "\u0661", "1 OR 1"])
def test_what_is_no_contender_is_named_with_the_lists_to_choose_from(two: Two, asked: str) -> None:
    answer = Client().get(ADDRESS, {"one": str(two.first.pk), "other": asked})
    assert answer.status_code == (400 if asked else 200)
    told = answer.content.decode()
    assert ("There is no contender" in told) == bool(asked)
    assert '<select id="choose-other"' in told
    analyst = sign_in("analyst")
    for part in ("figures/", "pairs/"):
        sent = analyst.get(f"{ADDRESS}{part}", {"one": str(two.first.pk), "other": asked})
        assert sent.status_code == 400


def test_the_same_twice_and_another_catalogues_are_refused_with_a_reason(two: Two) -> None:
    [stranger] = make_contenders(
        make_catalogue(slug="other", items=8, with_images=False), count=1, with_control=False
    )
    assert "Choose another one" in page(two.first.pk, two.first.pk)
    told = page(two.first.pk, stranger.pk)
    assert "different questions" in told
    assert "Choose two of one catalogue" in told


def test_pairs_they_disagree_on_are_surest_first_and_for_analysts_alone(two: Two) -> None:
    Pair.objects.update(dopes=0, nopes=0)
    mine = dict(Credit.objects.filter(contender=two.first).values_list("pair__question", "pair"))
    others = dict(Credit.objects.filter(contender=two.second).values_list("pair__question", "pair"))
    apart = [question for question in mine if mine[question] != others[question]]
    for question, dopes, nopes in zip(apart[:3], (6, 30, 0), (0, 0, 30), strict=True):
        Pair.objects.filter(pk=mine[question]).update(dopes=dopes, nopes=nopes)
        Pair.objects.filter(pk=others[question]).update(dopes=nopes, nopes=dopes)
    liked, disliked = list_disagreements(two)
    assert [(one.first.dopes, one.second.dopes) for one in liked] == [(30, 0), (6, 0)]
    assert [(one.first.dopes, one.second.dopes) for one in disliked] == [(0, 30)]
    address = f"{ADDRESS}pairs/?one={two.first.pk}&other={two.second.pk}"
    assert sign_in("analyst").get(address).content.decode().count("<img") == 12
    pictures = set(Item.objects.values_list("image_sha256", flat=True))
    for client in (Client(), sign_in("annotator")):
        for part in ("", "figures/", "pairs/"):
            told = client.get(f"{ADDRESS}{part}?one={two.first.pk}&other={two.second.pk}").content.decode()
            assert "head-to-head/pairs/" not in told or "login" in told
            assert not [sha256 for sha256 in pictures if sha256 in told]


def test_the_page_costs_the_same_however_many_votes(two: Two, django_assert_max_num_queries) -> None:
    for _ in range(2):
        with django_assert_max_num_queries(24):
            page(two.first.pk, two.second.pk)
        play(two.first, players=3)
