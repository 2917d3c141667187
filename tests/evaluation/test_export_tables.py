"""Tables that analysts take away: the same rows in every format, and every vote with what became of it."""

import csv
import io
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from asgiref.sync import async_to_sync
from django.test import Client, RequestFactory
from pyarrow import parquet

from evaluation.models import Contender, Credit, Deal, Move, Pair, Player, Ranking, Vote
from evaluation.selectors.game_tables import list_games
from evaluation.selectors.vote_exports import UNDONE, list_votes
from evaluation.services.retractions import undo_vote
from evaluation.services.verdicts import Grounds, exclude_player
from search.selectors.table_files import AT_ONCE, FORMATS, GROUP, Table
from search.views.tables import stream_table
from tests.evaluation.decks import cast, deal_to
from tests.evaluation.finding import Finder, make_ground
from tests.factories import NOW, make_catalogue, make_contenders
from tests.operators import sign_in

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Shoe:
    name: str
    size: int
    price: float | None
    worn: bool
    bought: date
    colours: tuple[str, ...]


SHOES = [
    Shoe("=boot", 44, 59.9, True, date(2026, 3, 1), ("red", "black")),
    Shoe("sandal", 38, None, False, date(2026, 3, 2), ()),
]


def written(suffix: str, rows: Iterable[Any]) -> bytes:
    return b"".join(FORMATS[suffix].write(Table(Shoe, rows)))


def test_every_format_holds_every_cell():
    first, second = csv.DictReader(io.StringIO(written("csv", SHOES).decode()))
    assert list(first.values()) == ["'=boot", "44", "59.9", "True", "2026-03-01", "red|black"]
    assert (second["price"], second["colours"]) == ("", "")
    told = [json.loads(line) for line in written("jsonl", SHOES).splitlines()]
    assert told[0] == {
        **{"name": "=boot", "size": 44, "price": 59.9, "worn": True},
        **{"bought": "2026-03-01", "colours": ["red", "black"]},
    }
    kept = parquet.read_table(pa.BufferReader(written("parquet", SHOES)))
    assert [Shoe(**{**row, "colours": tuple(row["colours"])}) for row in kept.to_pylist()] == SHOES
    types = ["string", "int64", "double", "bool", "date32[day]", "list<element: string>"]
    assert [str(field.type) for field in kept.schema] == types


def test_a_table_without_rows_still_has_its_columns():
    assert written("csv", []).decode().strip() == "name,size,price,worn,bought,colours"
    assert written("jsonl", []) == b""
    assert parquet.read_table(pa.BufferReader(written("parquet", []))).column_names[0] == "name"


@pytest.mark.parametrize("suffix", FORMATS)
def test_rows_are_asked_for_while_the_file_is_sent(suffix):
    """However many rows there are, only those of a few pieces are there at once."""
    many = 3 * GROUP * AT_ONCE
    asked: list[int] = []

    async def read_some() -> int:
        """How many rows were asked for by the time 1,000 bytes have come."""
        rows = (asked.append(number) or SHOES[1] for number in range(many))
        come = 0
        request = RequestFactory().get("/")
        async for piece in stream_table(request, Table(Shoe, rows), name="shoes", suffix=suffix):
            come += len(piece)
            if come > 1000:
                return len(asked)
        raise AssertionError("the whole table has fewer bytes")

    assert async_to_sync(read_some)() <= GROUP * AT_ONCE < many


def test_who_asks_for_the_head_alone_has_no_row_read():
    def refuse() -> Iterable[Shoe]:
        raise AssertionError("a row was asked for")
        yield

    answer = stream_table(RequestFactory().head("/"), Table(Shoe, refuse()), name="shoes", suffix="csv")
    assert b"".join(answer) == b"" and "shoes.csv" in answer["Content-Disposition"]


@pytest.fixture
def keys() -> list[uuid.UUID]:
    """Two players with six votes each."""
    make_contenders(make_catalogue(items=40, with_images=False), count=2)
    keys = [uuid.uuid4(), uuid.uuid4()]
    for seed, key in enumerate(keys):
        hand = deal_to(key, now=NOW, count=6, seed=seed)
        cast(key, {deal.pk: ("dope", "nope", "skip")[deal.place % 3] for deal in hand.deals}, now=NOW)
    return keys


def test_the_votes_say_what_was_answered_by_whom_for_which_contenders_and_what_counts(keys):
    out = Player.objects.get(key=keys[1])
    exclude_player(out.pk, Grounds("answers at random"), now=NOW)
    last = Deal.objects.get(player__key=keys[0], place=6)
    undo_vote(key=keys[0], deal_id=last.pk, now=NOW + timedelta(seconds=1))
    answer = sign_in("analyst").get("/operations/exports/votes.jsonl")
    rows = [json.loads(line) for line in answer.getvalue().splitlines()]
    assert len(rows) == Vote.objects.count() == 12
    for row in rows:
        pair = Pair.objects.get(pk=row["pair"])
        found = Credit.objects.filter(pair=pair).order_by("contender")
        assert row["contenders"] == list(found.values_list("contender", flat=True))
        assert (row["question"], row["candidate"]) == (pair.question.key, pair.candidate.key)
        deal = Deal.objects.get(pair=pair, player=row["player"], vote__isnull=False)
        assert (row["answer"], row["dwell_ms"]) == (deal.vote.answer, deal.vote.dwell_ms)
        assert (row["side"], row["propensity"], row["day"]) == (deal.side, deal.propensity, "2026-03-01")
        assert row["counted"] == (row["left_out"] == "")
    of_out = {row["left_out"] for row in rows if row["player"] == out.pk}
    assert of_out == {"answers at random"}
    assert [row["pair"] for row in rows if row["left_out"] == UNDONE] == [last.pair_id]
    assert str(keys[0]) not in answer.getvalue().decode()


def test_votes_come_page_by_page_each_once(keys):
    assert list(list_votes(at_once=5)) == list(list_votes())
    assert len({(row.player, row.pair) for row in list_votes(at_once=5)}) == 12
    assert list(list_votes(catalogue="other")) == []


def test_votes_are_for_analysts_and_of_a_catalogue_that_there_is(keys):
    analyst = sign_in("analyst")
    assert len(analyst.get("/operations/exports/votes.jsonl?catalogue=demo").getvalue().splitlines()) == 12
    refused = analyst.get("/operations/exports/votes.csv?catalogue=nowhere")
    assert (refused.status_code, refused.content.decode()) == (400, "There is no catalogue “nowhere”.")
    operator = sign_in("operator")
    assert operator.get("/operations/exports/votes.csv").status_code == 403
    assert "/operations/exports/votes.csv" not in operator.get("/operations/exports/").content.decode()
    assert "/operations/exports/votes.csv" in analyst.get("/operations/exports/").content.decode()


def test_players_come_with_what_the_checks_say_and_why_some_are_left_out(keys):
    catalogue = Contender.objects.first().catalogue
    one, out = Player.objects.order_by("pk")
    finding = {"check": "pace", "state": "pass", "reason": "=as others"}
    vetted = {"player": one.pk, "answers": 4, "approval": 0.5, "seconds": 1.5, "state": "pass"}
    figures = {"vetted": [{**vetted, "findings": [finding]}]}
    Ranking.objects.create(catalogue=catalogue, made_at=NOW, tallied=1, votes=8, players=2, figures=figures)
    exclude_player(out.pk, Grounds("answers at random", by="ada"), now=NOW)
    answer = sign_in("analyst").get("/operations/exports/players.csv").content.decode()
    said, verdict = csv.DictReader(io.StringIO(answer))
    assert (said["player"], said["check"], said["reason"]) == (str(one.pk), "pace", "'=as others")
    assert (verdict["player"], verdict["state"]) == (str(out.pk), "left out")
    assert verdict["reason"] == "answers at random" and "ada" not in answer


def test_games_come_once_nothing_about_them_is_hidden_any_more():
    over, going_on = Finder(make_ground(), seed=1), Finder(make_ground(slug="second"), seed=2)
    over.move(Move.Kind.GIVE_UP)
    going_on.move(Move.Kind.UNSURE)
    (game,) = list_games(now=NOW)
    assert (game.catalogue, game.outcome, game.slate, game.race) == ("demo", "given-up", 4, False)
    answer = sign_in("analyst").get("/operations/exports/games.parquet").getvalue()
    (kept,) = parquet.read_table(pa.BufferReader(answer)).to_pylist()
    assert (kept["policy"], kept["daily"]) == (game.policy, None)


def test_the_boards_are_there_in_every_format():
    make_contenders(make_catalogue(with_images=False), count=3)
    titles = [row["title"] for row in Client().get("/leaderboard/export.json").json()["rows"]]
    lines = Client().get("/leaderboard/export.jsonl").content.decode().splitlines()
    table = parquet.read_table(pa.BufferReader(Client().get("/leaderboard/export.parquet").content))
    assert [json.loads(line)["title"] for line in lines] == table["title"].to_pylist() == titles
    assert str(table.schema.field("approval").type) == "double"
    assert Client().get("/leaderboard/export.parquet?metric=none").status_code == 400
    assert Client().get("/leaderboard/slices.csv?catalogue=none").status_code == 400
    assert Client().get("/leaderboard/slices.jsonl").content == b""  # before the first ranking
    assert Client().get("/find/leaderboard/export.jsonl").content == b""
