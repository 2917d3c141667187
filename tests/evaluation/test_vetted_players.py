"""The analyst's page of players: who fails which check, who is left out, and the two verdicts."""

import uuid

import pytest

from evaluation.models import Credit, Player, Tally, Verdict
from evaluation.selectors.vetted_players import Vetted, list_left_out, read_vetted
from evaluation.selectors.vote_columns import read_votes
from evaluation.services.rankings import request_ranking
from evaluation.services.verdicts import Grounds, exclude_player
from evaluation.stats.vetting import Check, State
from search.models import Catalogue, Role
from search.services.jobs import run_in_foreground
from tests.evaluation.decks import cast, deal_to
from tests.factories import NOW, make_catalogue, make_contenders
from tests.operators import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def catalogue() -> Catalogue:
    catalogue = make_catalogue(items=200, with_images=False)
    make_contenders(catalogue, count=3)
    return catalogue


def play(*, seed: int, count: int, favourite: int | None = None) -> int:
    """Somebody who likes every other pair, or just what one contender found; the player's number."""
    key = uuid.uuid4()
    hand = deal_to(key, now=NOW, count=10, seed=seed)
    given = 0
    while hand.deals and given < count:
        for deal in hand.deals:
            liked = (deal.place + seed) % 2 == 0
            if favourite is not None:
                liked = Credit.objects.filter(pair__deals=deal.pk, contender=favourite).exists()
            cast(key, {deal.pk: "dope" if liked else "nope"}, now=NOW)
            given += 1
        hand = deal_to(key, now=NOW, count=10, seed=seed)
    return Player.objects.get(key=key).pk


def look_at_players(catalogue: Catalogue) -> Vetted:
    """What the ranking keeps of them."""
    run_in_foreground(job=request_ranking(catalogue, now=NOW), report=lambda job: None)
    found = read_vetted(catalogue)
    assert found is not None
    return found


def test_who_answers_by_what_one_contender_found_stands_first(catalogue: Catalogue) -> None:
    honest = [play(seed=seed, count=20) for seed in range(4)]
    favourite = Tally.objects.order_by("contender").values_list("contender", flat=True)[0]
    hostile = play(seed=9, count=60, favourite=favourite)
    first, *others = look_at_players(catalogue).rows
    assert (first.pk, first.state) == (hostile, State.FAIL)
    [favour] = [one for one in first.findings if one["check"] == Check.FAVOUR]
    assert favour["state"] == State.FAIL
    assert {row.pk for row in others} == set(honest)
    assert all(row.answers == 20 and row.approval == 0.5 and row.seconds == 0.9 for row in others)


def test_votes_of_who_is_left_out_are_not_what_others_are_held_against(catalogue: Catalogue) -> None:
    kept, gone = play(seed=0, count=10), play(seed=1, count=10)
    exclude_player(gone, Grounds("looked at", by="ada"), now=NOW)
    assert read_votes(catalogue.pk).players.tolist() == [kept]
    assert [row.pk for row in look_at_players(catalogue).rows] == [kept]
    assert [(row.pk, row.judged) for row in list_left_out()] == [(gone, 10)]


def test_an_analyst_leaves_votes_out_and_counts_them_again(catalogue: Catalogue) -> None:
    pk, client = play(seed=0, count=10), sign_in(Role.ANALYST)
    look_at_players(catalogue)
    page = client.get("/operations/players/").content.decode()
    assert f"Player {pk}: 10 answers" in page
    assert "1 of 1 player, as they were looked at on" in page
    for ruling, told in (("excluded", "are left out of every count"), ("restored", "count again")):
        answer = client.post(
            f"/operations/players/{pk}/verdict/", {"ruling": ruling, "reason": "seen"}, follow=True
        )
        assert f"The votes of player {pk} {told}." in answer.content.decode()
        assert Player.objects.get(pk=pk).is_excluded == (ruling == "excluded")
        page = client.get("/operations/players/").content.decode()
        assert (f"Player {pk}: 10 answers, " in page) == (ruling == "restored")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ruling": "excluded", "reason": " "}, "needs a reason"),
        ({"ruling": "excluded", "reason": "x" * 301}, "at most 300"),
        ({"ruling": "banished", "reason": "x"}, "banished"),
        ({"ruling": "restored", "reason": "x"}, "counted already"),
    ],
)
def test_a_verdict_that_cannot_be_is_refused(
    catalogue: Catalogue, fields: dict[str, str], message: str
) -> None:
    pk, client = play(seed=0, count=10), sign_in(Role.ANALYST)
    answer = client.post(f"/operations/players/{pk}/verdict/", fields, follow=True)
    assert message in answer.content.decode()
    assert not Verdict.objects.exists()


def test_the_page_says_that_nobody_has_answered_and_which_catalogues_there_are(
    catalogue: Catalogue,
) -> None:
    client = sign_in(Role.OPERATOR)
    assert "Nobody yet" in client.get("/operations/players/").content.decode()
    refused = client.get("/operations/players/?catalogue=nowhere")
    assert refused.status_code == 400
    assert "There is: demo" in refused.content.decode()
