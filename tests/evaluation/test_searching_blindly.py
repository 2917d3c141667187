"""Nothing on the search page unmasks what is judged blindly."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from evaluation.models import Deal, Round
from evaluation.views import searches
from search import photo_api
from search.selectors.searches import SearchRefused
from tests.evaluation.decks import Deck
from tests.evaluation.search_people import Searcher, newcomer, searched_catalogue, sign_in  # noqa: F401
from tests.evaluation.searching import photo_of_noise
from tests.factories import make_contenders

pytestmark = pytest.mark.django_db


def test_players_are_not_told_which_engine_answers_nor_may_they_choose(searcher, catalogue):
    searcher.send(photo_of_noise())
    pages = [searcher.address, "/search/demo/?item=5", "/search/demo/items/5/", "/search/demo/"]
    for address in pages:
        answer = searcher.look(address)
        told = f"{searcher.text}{dict(answer.headers)}".lower()
        assert "histogram" not in told and "engine" not in told and "by l2" not in told, address
    for address in (f"{searcher.address}&engine=colour-histogram:l1", "/search/demo/?item=5&engine=x:l2"):
        assert searcher.look(address).status_code == 403


@pytest.mark.parametrize("code", ["worker-failed", "refuses-photos", "no-such-item"])
def test_a_refusal_names_its_engine_to_analysts_alone(catalogue, monkeypatch, code):
    async def refuse(wish, *, now):
        raise SearchRefused(code, "The colour histogram cannot.", status=503)

    monkeypatch.setattr(searches, "answer", refuse)
    monkeypatch.setattr(photo_api, "answer_wish", refuse)
    for client, is_told in ((Client(), False), (sign_in("analyst"), True)):
        for address in ("/search/demo/?item=5", "/api/search/demo/?item=5"):
            answer = client.get(address)
            assert answer.status_code == 503
            assert ("histogram" in answer.content.decode()) is is_told, address


def test_analysts_choose_engines_and_see_what_each_finds(searcher, catalogue):
    analyst = Searcher(sign_in("analyst"))
    analyst.look("/search/demo/?item=5&engine=colour-histogram:l1")
    assert analyst.page.status_code == 200
    assert re.search(r'value="colour-histogram:l1" selected', analyst.text)
    told = analyst.client.get("/api/search/demo/?item=5&engine=colour-histogram&metric=l1").json()
    assert told["metric"] == "l1" and all(one["distance"] is not None for one in told["candidates"])
    analyst.look("/search/demo/items/5/neighbours/")
    assert "by L1" in analyst.text and "by L2" in analyst.text
    assert "no-store" in analyst.page["Cache-Control"]
    assert Client().get("/search/demo/items/5/neighbours/").status_code == 302
    assert sign_in("annotator").get("/search/demo/items/5/neighbours/").status_code == 403


def test_who_judges_a_picture_just_now_does_not_see_what_is_near_it(catalogue):
    make_contenders(catalogue, count=2)
    deck = Deck()
    deck.vote(deck.deal()["deals"][0]["id"])
    searcher = Searcher(deck.client)
    waiting = Deal.objects.filter(vote=None, player__isnull=False).select_related("pair__question").first()
    assert waiting is not None
    address = f"/search/demo/?item={waiting.pair.question.position}"
    assert searcher.look(address).status_code == 409
    assert "Finish your round first" in searcher.text and not searcher.found[1:]
    told = deck.client.get(f"/api{address}")
    assert (told.status_code, told.json()["code"]) == (409, "being-judged"), "nor as a program"
    assert Client().get(address).status_code == 200
    voted = Deal.objects.exclude(vote=None).select_related("pair__question").get()
    address = f"/search/demo/?item={voted.pair.question.position}"
    assert searcher.look(address).status_code == 409, "a vote that can still be taken back"
    Round.objects.update(revealed_at=timezone.now())
    assert searcher.look(address).status_code == 200
