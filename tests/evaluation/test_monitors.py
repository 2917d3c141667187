"""What analysts watch: how contenders are dealt, and how much is left out, by what and since when."""

import re
import uuid
from collections import Counter
from datetime import timedelta

import pytest
from django.db import transaction

from evaluation.models import Contender, Deal, Player, Side, Vote
from evaluation.selectors.deal_counts import count_deals
from evaluation.selectors.exclusion_monitor import BY_HAND, read_exclusions
from evaluation.selectors.exposure import read_exposure
from evaluation.services.ranking_exposure import describe_exposure
from evaluation.services.retractions import undo_vote
from evaluation.services.verdicts import Grounds, exclude_player, restore_player
from search.live import read_revisions
from tests.evaluation.decks import cast, deal_to
from tests.evaluation.judged import play, rank
from tests.factories import NOW, make_catalogue, make_contenders
from tests.operators import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def liked() -> Contender:
    contender = make_contenders(make_catalogue(items=80, with_images=False), count=3)[0]
    play(contender)
    return contender


def leave(liked: Contender) -> None:
    """Somebody answers three of ten pairs, skips one of them, takes one back, and does not come again."""
    key = uuid.uuid4()
    deals = [deal.pk for deal in deal_to(key, now=NOW, count=10, seed=77).deals]
    cast(key, {deals[0]: "dope", deals[1]: "skip"}, now=NOW)
    cast(key, {deals[2]: "nope"}, now=NOW + timedelta(seconds=1))
    with transaction.atomic():
        undo_vote(key=key, deal_id=deals[2], now=NOW + timedelta(seconds=2))


def test_deals_are_counted_for_all_who_found_their_pair_and_once_in_all(liked: Contender) -> None:
    leave(liked)
    later = NOW + timedelta(days=2)
    counts = count_deals(liked.catalogue_id, now=later)
    wanted: dict[tuple[int, str], int] = Counter()
    for deal in Deal.objects.all():
        vote = Vote.objects.filter(pk=deal.pk).first()
        if vote is None:
            became = "expired"
        elif hasattr(vote, "retraction"):
            became = "undone"
        else:
            became = "skipped" if vote.answer == "skip" else "answered"
        for contender in (*deal.pair.credits.values_list("contender", flat=True), 0):
            wanted[contender, "issued"] += 1
            wanted[contender, became] += 1
            wanted[contender, "places"] += deal.place
            wanted[contender, "candidate_first"] += deal.side == Side.CANDIDATE_FIRST
    for place, contender in enumerate([*counts.contenders.tolist(), 0]):
        for name, column in counts.counts.items():
            assert column[place] == wanted[contender, name], (contender, name)
        assert counts.bands[place].sum() == wanted[contender, "issued"]
    assert sum(deals for _, _, deals in counts.policies) == Deal.objects.count()
    now = count_deals(liked.catalogue_id, now=NOW)
    assert now.counts["waiting"][-1] == counts.counts["expired"][-1] > 0
    for row in describe_exposure(counts)["rows"]:
        assert 0 < row["uniform"] <= 1
        assert 0 < row["propensity"] < 1


def test_open_pages_hear_of_rankings_and_verdicts_and_fetch_their_figures_again(liked: Contender) -> None:
    analyst = sign_in("analyst")

    def read() -> tuple[dict[str, int], list[str]]:
        figures = [f"/operations/{page}/figures/" for page in ("exposure", "exclusions")]
        return read_revisions(["rankings", "exclusions"]), [
            re.findall(r'data-revision="(\d+)"', analyst.get(path).content.decode())[0] for path in figures
        ]

    assert read() == ({"rankings": 0, "exclusions": 0}, ["0", "0"])
    rank(liked)
    assert read() == ({"rankings": 1, "exclusions": 1}, ["1", "1"])
    exclude_player(Player.objects.first().pk, Grounds("a robot"), now=NOW)
    assert read() == ({"rankings": 1, "exclusions": 2}, ["1", "2"])
    assert "a robot" in analyst.get("/operations/exclusions/figures/").content.decode()


def test_the_page_shows_what_the_last_ranking_counted(liked: Contender) -> None:
    analyst = sign_in("analyst")
    assert "Not counted yet" in analyst.get("/operations/exposure/").content.decode()
    rank(liked)
    exposure = read_exposure(liked.catalogue)
    assert exposure is not None
    assert {row.contender for row in exposure.rows} == set(Contender.objects.values_list("pk", flat=True))
    page = analyst.get("/operations/exposure/")
    assert page.status_code == 200
    assert "Nothing: none of" in page.content.decode()
    assert analyst.get("/operations/exposure/?catalogue=nowhere").status_code == 400


def test_without_catalogues_or_verdicts_the_pages_say_so() -> None:
    analyst = sign_in("analyst")
    assert "Not counted yet" in analyst.get("/operations/exposure/").content.decode()
    page = analyst.get("/operations/exclusions/").content.decode()
    assert "Nobody&#x27;s votes are left out" in page or "Nobody's votes are left out" in page
    assert read_exclusions().share is None


def test_what_is_left_out_is_told_by_reason_finder_and_day(liked: Contender) -> None:
    first, second, third, *_ = Player.objects.order_by("pk")
    exclude_player(first.pk, Grounds("too quick", check="haste"), now=NOW)
    exclude_player(second.pk, Grounds("too quick", check="haste"), now=NOW)
    exclude_player(third.pk, Grounds("looked odd", by="ada"), now=NOW + timedelta(days=1))
    restore_player(first.pk, Grounds("slow hands", by="ada"), now=NOW + timedelta(days=1))
    told = read_exclusions()
    assert [(one.reason, one.players) for one in told.reasons] == [("looked odd", 1), ("too quick", 1)]
    assert dict(told.found_by) == {"haste": 1, BY_HAND: 1}
    assert [(one.excluded, one.restored, one.standing) for one in told.days] == [(1, 1, 2), (2, 0, 2)]
    assert told.players == 2
    assert told.answers == second.judged + third.judged
    assert told.share == told.answers / sum(Player.objects.values_list("judged", flat=True))
    assert told.is_much
    page = sign_in("analyst").get("/operations/exclusions/").content.decode()
    assert "a broken check is not" in page
    assert 'href="/operations/players/#left-out"' in page


def test_checks_are_told_as_the_last_ranking_of_each_catalogue_saw_players(liked: Contender) -> None:
    assert read_exclusions().states == []
    rank(liked)
    states = read_exclusions().states
    assert {one.check for one in states} == {"catches", "repeats", "haste", "agreement", "favour"}
    assert {one.passed + one.failed + one.unknown for one in states} == {Player.objects.count()}


def test_the_monitor_costs_the_same_however_many_votes(
    liked: Contender, django_assert_max_num_queries
) -> None:
    rank(liked)
    analyst = sign_in("analyst")
    for _ in range(2):
        for path in ("exclusions", "exposure"):
            with django_assert_max_num_queries(16):
                analyst.get(f"/operations/{path}/")
        play(liked, players=2)
