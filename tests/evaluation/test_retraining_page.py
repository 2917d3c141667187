"""The page of retraining: an operator starts, promotes and goes back; what is refused is said."""

import csv
import io
import json

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from evaluation.models import Contender, Promotion, Retraining
from evaluation.services.verdicts import Grounds, exclude_player
from search.models import Catalogue
from tests.evaluation.teaching import fail, make_standing, put_in_charge, start, teach
from tests.factories import NOW, make_catalogue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def catalogue() -> Catalogue:
    catalogue = make_catalogue(items=40, with_images=False)
    make_standing(catalogue)
    return catalogue


@pytest.fixture
def operator() -> Client:
    user = User.objects.create(username="olga")
    user.groups.add(Group.objects.get_or_create(name="operator")[0])
    client = Client()
    client.force_login(user)
    return client


def post(client: Client, where: str, **fields: object) -> str:
    """The page one is led to."""
    answer = client.post(f"/operations/retraining/{where}/", fields, follow=True)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_from_an_encoder_put_in_charge_to_a_retraining(catalogue: Catalogue, operator: Client) -> None:
    standing = Contender.objects.get(metric="l2")
    assert "is in charge of “Demo”" in post(operator, "appoint", contender=standing.pk)
    assert "Nothing waits to be taught" in post(operator, "start", catalogue="demo", learn="head")
    teach(catalogue)
    page = post(operator, "start", catalogue="demo", learn="head")
    assert "“thimble-transfer-r1” is being taught by 3 triplets" in page
    assert "3 triplets of 6 votes and 0 picks of 2 players" in page
    assert "is being taught already" in post(operator, "start", catalogue="demo", learn="head")
    [retraining] = Retraining.objects.all()
    assert retraining.made_by == "olga"
    assert "not among the contenders yet" in post(operator, f"{retraining.pk}/promote")
    assert Promotion.objects.count() == 1
    page = post(operator, "start", catalogue="demo", learn="masks")
    assert "is being taught already" in page


def test_where_who_was_in_charge_is_retired_the_page_says_so_and_offers_another(
    catalogue: Catalogue, operator: Client
) -> None:
    put_in_charge(catalogue, Contender.objects.get(metric="l2"))
    assert 'action="/operations/retraining/appoint/"' not in get(operator)
    Contender.objects.filter(metric="l2").update(retired_at=NOW)
    page = get(operator)
    assert "Nobody is in charge until you put its new version, or another, in its place" in page
    assert "what a challenger has to beat" not in page
    assert 'action="/operations/retraining/appoint/"' in page


def get(client: Client) -> str:
    return " ".join(client.get("/operations/retraining/").content.decode().split())


def test_what_cannot_be_taught_is_refused_in_words(catalogue: Catalogue, operator: Client) -> None:
    put_in_charge(catalogue, Contender.objects.get(metric="l2"))
    teach(catalogue)
    page = post(operator, "start", catalogue="demo", learn="masks")
    assert "has no masks to learn" in page
    assert not Retraining.objects.exists()
    assert "Nobody was in charge of “Demo” before" in post(operator, "roll-back", catalogue="demo", seen=1)
    assert "There is no such catalogue any more" in post(operator, "start", catalogue="gone", learn="head")
    assert operator.get("/operations/retraining/?catalogue=gone").status_code == 400


def test_a_failed_one_shows_why(catalogue: Catalogue, operator: Client) -> None:
    put_in_charge(catalogue, Contender.objects.get(metric="l2"))
    teach(catalogue)
    fail(start(catalogue), "The disk is full.")
    assert (
        "The disk is full. What it was to learn waits again."
        in operator.get("/operations/retraining/").content.decode()
    )


def test_lessons_can_be_taken_away_and_looked_up(catalogue: Catalogue, operator: Client) -> None:
    put_in_charge(catalogue, Contender.objects.get(metric="l2"))
    dope, *_ = teach(catalogue)
    retraining = start(catalogue)
    assert dope.deal.player is not None
    exclude_player(dope.deal.player.pk, Grounds("bought"), now=NOW)
    folder = f"/operations/retraining/{retraining.pk}"
    page = operator.get(f"{folder}/").content.decode()
    assert "left out" in page
    assert "3 of them would not be taught now" in page
    rows = list(csv.DictReader(io.StringIO(b"".join(operator.get(f"{folder}/lessons.csv")).decode())))
    assert [row["liked_now"] for row in rows] == ["left out"] * 3
    lines = b"".join(operator.get(f"{folder}/lessons.jsonl")).decode().splitlines()
    assert {json.loads(line)["liked"] for line in lines} == {row["liked"] for row in rows} >= {dope.pk}
    found = operator.get("/operations/retraining/taught/", {"vote": dope.pk}).content.decode()
    assert retraining.name in found
    assert operator.get("/operations/retraining/taught/", {"vote": "none"}).status_code == 404
    assert operator.get("/operations/retraining/taught/", {"pick": "9" * 18}).status_code == 404


def test_who_is_in_charge_is_told_on_the_board_and_who_challenges_only_to_operators(
    catalogue: Catalogue, operator: Client
) -> None:
    put_in_charge(catalogue, Contender.objects.get(metric="l2"))
    teach(catalogue)
    make_standing(catalogue, start(catalogue).name)
    board = Client().get("/leaderboard/board/").content.decode()
    assert board.count("in charge") == 1
    assert "taught from" not in board
    assert "taught from thimble-transfer × L2" in operator.get("/operations/").content.decode()
