"""The page of one contender: the board's figures, slices, history, and pairs that only analysts see."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from evaluation.models import Contender, Pair, Ranking
from evaluation.selectors.board import Filters, read_board
from evaluation.selectors.contender_page import list_nights, read_standing
from evaluation.selectors.judged_pairs import FEWEST, SHOWN, list_extremes
from evaluation.services.contenders import retire_contender
from evaluation.stats.intervals import wilson
from search.models import Aspect, Attribute, Item, Label
from tests.evaluation.judged import play, rank
from tests.factories import NOW, make_catalogue, make_contender, make_contenders
from tests.operators import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def liked() -> Contender:
    """One of four contenders of a catalogue with colours, on which six people said what they like."""
    catalogue = make_catalogue(items=80, with_images=False)
    colour = Aspect.objects.create(catalogue=catalogue, name="colour", position=1)
    values = [Attribute.objects.create(aspect=colour, value=name) for name in ("red", "blue")]
    for item in Item.objects.all():
        Label.objects.create(item=item, attribute=values[item.position % 4 // 2])
    contender = make_contenders(catalogue, count=3)[0]
    play(contender)
    return contender


def test_it_shows_the_standing_that_the_board_shows(liked: Contender) -> None:
    for row in read_board(Filters()).rows:
        assert read_standing(Contender.objects.get(pk=row.contender)).row == row
        page = Client().get(f"/leaderboard/contenders/{row.contender}/")
        assert page.status_code == 200
        assert row.title in page.content.decode()
    assert f'href="/leaderboard/contenders/{liked.pk}/"' in Client().get("/leaderboard/").content.decode()


def test_slices_of_categories_and_of_aspects_are_those_of_the_ranking(liked: Contender) -> None:
    before = read_standing(liked)
    assert before.ranked is None
    assert before.aspects == []
    assert all(line.night is None for line in before.categories)
    rank(liked)
    standing = read_standing(liked)
    assert sum(line.answers for line in standing.categories) == standing.row.votes
    assert all(line.night and line.night.votes == line.answers for line in standing.categories)
    [colours] = standing.aspects
    assert (colours.aspect, {one.category for one in colours.slices}) == ("colour", {"red", "blue"})
    assert sum(one.votes for one in colours.slices) == standing.row.votes
    assert standing.ranked is not None
    [week] = standing.ranked.row.weeks
    monday = NOW - timedelta(days=NOW.weekday())
    assert (week.category, week.votes) == (f"{monday:%Y-%m-%d}", standing.row.votes)
    page = Client().get(f"/leaderboard/contenders/{liked.pk}/").content.decode()
    assert "Colour" in page
    assert "By week" in page
    answer = Client().get("/leaderboard/slices.jsonl?catalogue=demo").content.decode()
    table = [json.loads(line) for line in answer.splitlines()]
    kinds = {(row["kind"], row["aspect"]) for row in table}
    assert kinds == {("category", ""), ("aspect", "colour"), ("week", "")}
    mine = [row["votes"] for row in table if (row["kind"], row["contender"]) == ("week", liked.pk)]
    assert mine == [standing.row.votes]
    assert "not enough votes" in page


def test_its_history_is_that_of_the_rankings_oldest_first(liked: Contender) -> None:
    assert (
        "begins with the first night" in Client().get(f"/leaderboard/contenders/{liked.pk}/").content.decode()
    )
    rank(liked)
    first = Ranking.objects.get()
    Ranking.objects.create(
        catalogue=liked.catalogue,
        made_at=NOW.replace(day=2),
        tallied=0,
        votes=first.votes + 1,
        players=first.players,
        figures={**first.figures, "rows": first.figures["rows"][::-1]},
    )
    Ranking.objects.create(  # of the day's two the last counts
        catalogue=liked.catalogue,
        made_at=NOW.replace(day=2) - timedelta(minutes=1),
        tallied=0,
        votes=first.votes,
        players=first.players,
        figures=first.figures,
    )
    nights = list_nights(liked)
    assert [one.made_at for one in nights] == [NOW, NOW.replace(day=2)]
    assert {one.row.share for one in nights} == {
        row["share"] for row in first.figures["rows"] if row["contender"] == liked.pk
    }
    assert "history-chart" in Client().get(f"/leaderboard/contenders/{liked.pk}/").content.decode()


def test_a_retired_one_keeps_its_page_without_a_place(liked: Contender) -> None:
    rank(liked)
    retire_contender(contender=liked, now=NOW.replace(day=9))
    liked.refresh_from_db()
    standing = read_standing(liked)
    assert standing.row.rank is None
    assert standing.row.votes > 0
    assert standing.ranked is not None
    page = Client().get(f"/leaderboard/contenders/{liked.pk}/")
    assert page.status_code == 200
    assert "place among" not in page.content.decode()


def test_one_without_votes_has_a_page_and_one_that_is_not_there_or_still_enters_has_none() -> None:
    catalogue = make_catalogue(items=20, with_images=False)
    [contender] = make_contenders(catalogue, count=1, with_control=False)
    assert "every place is open" in Client().get(f"/leaderboard/contenders/{contender.pk}/").content.decode()
    entering = make_contender(catalogue, encoder="newcomer")
    analyst = sign_in("analyst")
    for pk in (entering.pk, 10**30, 0):
        assert Client().get(f"/leaderboard/contenders/{pk}/").status_code == 404
        assert Client().get(f"/leaderboard/contenders/{pk}/standing/").status_code == 404
        assert analyst.get(f"/leaderboard/contenders/{pk}/pairs/").status_code == 404


def test_pairs_are_ordered_by_the_bound_that_speaks_against_them(liked: Contender) -> None:
    found = list(Pair.objects.filter(credits__contender=liked).order_by("pk")[:5])
    counts = [(30, 0), (FEWEST, 0), (0, 20), (2, 18), (FEWEST - 1, 0)]
    Pair.objects.update(dopes=0, nopes=0)
    for pair, (dopes, nopes) in zip(found, counts, strict=True):
        Pair.objects.filter(pk=pair.pk).update(dopes=dopes, nopes=nopes)
    extremes = list_extremes(liked)
    assert [(one.dopes, one.nopes) for one in extremes.loved] == counts[:2]
    assert [(one.dopes, one.nopes) for one in extremes.hated] == counts[2:4]
    assert extremes.judged == 4
    assert extremes.loved[1].interval == wilson(FEWEST, FEWEST)


def test_pictures_of_its_pairs_are_for_analysts_alone(liked: Contender) -> None:
    """A player who could look up who found a pair would not judge it blindly (P2)."""
    Pair.objects.update(dopes=9, nopes=1)
    address = f"/leaderboard/contenders/{liked.pk}/pairs/"
    shown = sign_in("analyst").get(address)
    assert shown.content.decode().count("<img") == 2 * SHOWN
    assert "no-store" in shown["Cache-Control"]
    pictures = set(Item.objects.values_list("image_sha256", flat=True))
    for client in (Client(), sign_in("annotator")):
        for path in ("", "standing/", "pairs/"):
            told = client.get(f"/leaderboard/contenders/{liked.pk}/{path}").content.decode()
            assert address not in told
            assert not [sha256 for sha256 in pictures if sha256 in told]
    assert address in sign_in("operator").get(f"/leaderboard/contenders/{liked.pk}/").content.decode()


def test_an_unchanged_standing_is_not_sent_again(liked: Contender) -> None:
    address = f"/leaderboard/contenders/{liked.pk}/standing/"
    tag = Client().get(address)["ETag"]
    assert Client().get(address, headers={"If-None-Match": tag}).status_code == 304
    play(liked, players=1, rounds=1)
    assert Client().get(address, headers={"If-None-Match": tag}).status_code == 200


def test_the_page_costs_the_same_however_many_votes(liked: Contender, django_assert_max_num_queries) -> None:
    rank(liked)
    for _ in range(2):
        with django_assert_max_num_queries(12):
            Client().get(f"/leaderboard/contenders/{liked.pk}/")
        play(liked, players=3)
