"""The leaderboard as analysts get it: rows, filters, exports, freshness."""

import csv
import io
import json
import uuid
from importlib import import_module
from statistics import fmean
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from evaluation.models import Answer, Contender, Credit, Deal, Pair, RaterTally, Tally, Vote
from evaluation.selectors.board import Filters, read_board
from evaluation.services.contenders import retire_contender
from evaluation.services.recount import find_differences
from search.selectors.tables import neutralise
from tests.evaluation.decks import cast, deal_to
from tests.factories import NOW, make_catalogue, make_contenders

pytestmark = pytest.mark.django_db


def _vote(players: int = 6, each: int = 20, *, catalogue: str = "demo", favourite: int = 0) -> None:
    """Everybody likes nearly all that the favourite found, and a third of the rest."""
    liked = Contender.objects.filter(catalogue__slug=catalogue).order_by("pk")[favourite]
    for player in range(players):
        key = uuid.uuid4()
        for _ in range(each // 10):
            hand = deal_to(key, now=NOW, count=10, catalogue=catalogue, seed=player)
            answers = {}
            for deal in hand.deals:
                mine = Credit.objects.filter(pair=deal.pair, contender=liked).exists()
                share = (deal.pair + player) % 9
                answers[deal.pk] = "dope" if share < (8 if mine else 3) else "nope"
            cast(key, answers, now=NOW)


def test_without_votes_every_contender_is_listed_and_every_rank_is_open() -> None:
    make_contenders(make_catalogue(items=20, with_images=False), count=3)
    board = read_board(Filters())
    assert len(board.rows) == 4
    assert all(
        (row.rank, row.approval, row.rank_low, row.rank_high) == (None, None, 1, 4) for row in board.rows
    )
    assert all(row.provisional for row in board.rows)
    assert Client().get("/leaderboard/").status_code == 200


def test_rows_show_what_was_voted_best_first() -> None:
    make_contenders(make_catalogue(items=200, with_images=False), count=3, choices=100)
    _vote(players=12, each=50)
    board = read_board(Filters())
    best = board.rows[0]
    assert best.contender == Contender.objects.order_by("pk")[0].pk
    for row in board.rows:
        tallies = Tally.objects.filter(contender=row.contender)
        assert row.dope == sum(tally.dopes for tally in tallies)
        assert row.votes == row.dope + row.nope
        assert row.approval is not None and row.low is not None and row.high is not None
        assert 0 <= row.low <= row.approval <= row.high <= 1
        judged = Pair.objects.filter(credits__contender=row.contender)
        shares = [one.dopes / (one.dopes + one.nopes) for one in judged if one.dopes + one.nopes]
        assert row.approval == pytest.approx(fmean(shares), abs=1e-8)
        assert row.rank_low <= row.rank <= row.rank_high
        assert row.players == RaterTally.objects.filter(contender=row.contender).count()
    approvals = [row.approval for row in board.rows]
    assert approvals == sorted(approvals, reverse=True)
    assert best.rank_high < board.rows[-1].rank_low
    assert board.votes == Vote.objects.count() < sum(row.votes for row in board.rows)
    [control] = [row for row in board.rows if row.control]
    assert control.family == "control"


def test_a_standing_is_provisional_under_fifty_votes_or_five_players() -> None:
    make_contenders(make_catalogue(items=200, with_images=False), count=1, with_control=False)
    _vote(players=2, each=60)
    [row] = read_board(Filters()).rows
    assert row.votes >= 50 and row.players == 2 and row.provisional
    _vote(players=3, each=10)
    [row] = read_board(Filters()).rows
    assert row.players == 5 and not row.provisional
    make_contenders(make_catalogue(items=12, slug="young", with_images=False), count=1, with_control=False)
    _vote(players=6, each=10, catalogue="young")
    [row] = read_board(Filters(catalogue="young")).rows
    assert row.votes < 50 and row.players >= 5 and row.provisional


def test_counts_of_an_older_version_that_were_not_recounted_yet_are_no_votes() -> None:
    make_contenders(make_catalogue(items=60, with_images=False), count=1, with_control=False)
    _vote(players=2, each=10)
    Tally.objects.update(pairs=0, shares=0, inverses=0)
    [row] = read_board(Filters()).rows
    assert (row.approval, row.rank) == (None, None)


def test_one_persons_many_votes_leave_the_interval_wide() -> None:
    make_contenders(make_catalogue(items=200, with_images=False), count=1, with_control=False)
    _vote(players=1, each=60)
    [row] = read_board(Filters()).rows
    assert row.high is not None and row.low is not None
    assert row.high - row.low > 0.9


def test_filters_narrow_rows_and_categories_narrow_counts() -> None:
    make_contenders(make_catalogue(items=90, with_images=False), count=6)
    make_contenders(make_catalogue(items=20, slug="other", with_images=False), count=1)
    _vote()
    everything = read_board(Filters())
    assert {row.catalogue for row in everything.rows} == {"demo", "other"}
    assert [row.rank_low for row in everything.rows if row.catalogue == "other"] == [1, 1]
    one = read_board(Filters(catalogue="demo", encoder="thimble-siamese", metric="l1"))
    assert [(row.encoder, row.metric) for row in one.rows] == [("thimble-siamese", "l1")]
    assert (one.rows[0].rank_low, one.rows[0].rank_high) == (1, 1)
    shirts, boots, bags = (
        {row.contender: row.votes for row in read_board(Filters(catalogue="demo", category=name)).rows}
        for name in ("shirt", "boot", "bag")
    )
    for row in read_board(Filters(catalogue="demo")).rows:
        assert row.votes == shirts[row.contender] + boots[row.contender] + bags[row.contender]
    boots_judged = Vote.objects.filter(deal__pair__category__value="boot")
    assert read_board(Filters(category="boot")).votes == boots_judged.count() > 0
    page = Client().get("/leaderboard/?catalogue=demo&metric=l1")
    assert page.context["query"] == "catalogue=demo&metric=l1"
    assert {row.metric for row in page.context["board"].rows} == {"l1"}


@pytest.mark.parametrize("name", ["catalogue", "encoder", "metric", "category"])
@pytest.mark.parametrize("path", ["", "board/", "export.csv", "export.json"])
def test_a_filter_that_is_not_there_is_named_with_what_is(name: str, path: str) -> None:
    make_contenders(make_catalogue(items=20, with_images=False), count=2)
    response = Client().get(f"/leaderboard/{path}", {name: "<nonsense>__in"})
    text = response.content.decode()
    assert response.status_code == 400
    allowed = {"catalogue": "demo", "encoder": "thimble-transfer", "metric": "hamming", "category": "shirt"}[
        name
    ]
    assert allowed in text and "nonsense" in text
    assert "<nonsense>" not in text or response["Content-Type"].startswith(("text/plain", "application/json"))


def test_words_that_are_no_filter_change_nothing() -> None:
    make_contenders(make_catalogue(items=20, with_images=False), count=2)
    assert len(Client().get("/leaderboard/?pk__in=1&utm_source=x").context["board"].rows) == 3


def test_retired_contenders_leave_the_board() -> None:
    contenders = make_contenders(make_catalogue(items=20, with_images=False), count=2)
    retire_contender(contender=contenders[0], now=NOW)
    assert contenders[0].pk not in {row.contender for row in read_board(Filters()).rows}


@pytest.mark.parametrize("retired", [False, True])
@pytest.mark.parametrize(
    "narrowed", [{}, {"metric": "l1"}, {"encoder": "thimble-transfer", "category": "boot"}]
)
def test_each_vote_counts_once_whoever_found_its_pair(retired: bool, narrowed: dict) -> None:
    contenders = make_contenders(make_catalogue(items=60, with_images=False), count=4)
    _vote()
    if retired:
        retire_contender(contender=contenders[0], now=NOW)
    board = read_board(Filters(**narrowed))
    shown = {row.contender for row in board.rows}
    votes = Vote.objects.filter(deal__pair__credits__contender__in=shown).exclude(answer=Answer.SKIP)
    if "category" in narrowed:
        votes = votes.filter(deal__pair__category__value=narrowed["category"])
    assert board.votes == votes.distinct().count() > 0


def test_exports_hold_the_rows_of_the_page() -> None:
    make_contenders(make_catalogue(items=60, with_images=False), count=3)
    _vote()
    client = Client()
    rows = client.get("/leaderboard/?metric=l2").context["board"].rows
    exported = json.loads(client.get("/leaderboard/export.json?metric=l2").content)
    assert [row["title"] for row in exported["rows"]] == [row.title for row in rows]
    assert [row["votes"] for row in exported["rows"]] == [row.votes for row in rows]
    assert exported["filters"]["metric"] == "l2"
    assert exported["level"] == 0.95
    table = list(
        csv.DictReader(io.StringIO(client.get("/leaderboard/export.csv?metric=l2").content.decode()))
    )
    assert [row["title"] for row in table] == [row.title for row in rows]
    assert [int(row["votes"]) for row in table] == [row.votes for row in rows]
    assert [row["approval"] for row in table] == [repr(row.approval) for row in rows]


@pytest.mark.parametrize(
    "cell",
    [
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "  =1",
        "\u00a0=1",
        "a\n=1",
        "a\r\n =1",
    ],
)
def test_what_a_spreadsheet_might_run_is_neutralised_in_csv_and_raw_in_json(cell: str) -> None:
    contenders = make_contenders(make_catalogue(items=20, with_images=False), count=1, with_control=False)
    Contender.objects.filter(pk=contenders[0].pk).update(title=cell)
    client = Client()
    [row] = csv.DictReader(io.StringIO(client.get("/leaderboard/export.csv").content.decode(), newline=""))
    assert row["title"] == f"'{cell}"
    assert json.loads(client.get("/leaderboard/export.json").content)["rows"][0]["title"] == cell


@pytest.mark.parametrize("cell", ["thimble × L1", "a-b", "a = b", "", 3, -0.5, None])
def test_harmless_cells_stay_as_they_are(cell: object) -> None:
    assert neutralise(cell) == cell


@pytest.mark.parametrize("path", ["board/", "export.csv", "export.json"])
def test_an_unchanged_board_is_not_sent_again(path: str) -> None:
    make_contenders(make_catalogue(items=60, with_images=False), count=3)
    client = Client()
    tag = client.get(f"/leaderboard/{path}")["ETag"]
    assert client.get(f"/leaderboard/{path}", headers={"If-None-Match": tag}).status_code == 304
    assert client.get(f"/leaderboard/{path}?metric=l1", headers={"If-None-Match": tag}).status_code == 200
    _vote(players=1, each=10)
    assert client.get(f"/leaderboard/{path}", headers={"If-None-Match": tag}).status_code == 200


def test_reading_the_board_costs_the_same_however_many_votes(django_assert_num_queries) -> None:
    make_contenders(make_catalogue(items=60, with_images=False), count=3)
    with django_assert_num_queries(6):
        read_board(Filters())
    _vote()
    with django_assert_num_queries(6):
        read_board(Filters())
    assert Deal.objects.exists()


def test_boards_of_before_every_pair_counted_alike_are_made_to_by_the_migration() -> None:
    make_contenders(make_catalogue(items=60, with_images=False), count=2)
    _vote(players=4)
    Tally.objects.update(pairs=0, shares=0, inverses=0)
    assert find_differences()
    migration = import_module("evaluation.migrations.0023_tally_evenness")
    migration.count_pairs(apps, SimpleNamespace(connection=connection))
    assert find_differences() == []
