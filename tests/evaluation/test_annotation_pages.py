"""The annotator's pages as a browser meets them, and what they must not tell."""

import csv
import io
import json
import re

import pytest
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Concat

from evaluation.models import Annotation
from evaluation.selectors.annotation import find_next
from evaluation.selectors.annotation_picks import list_rows
from tests.evaluation.annotating import Browser, make_player, make_project, pick, work_through
from tests.operators import sign_in

pytestmark = pytest.mark.django_db


def test_a_browser_goes_from_question_to_question():
    make_project(count=2)
    browser = Browser()
    annotator = browser.client
    assert "0 of 2 answered" in annotator.get("/annotate/").content.decode()
    page = browser.look()
    assert page.count('name="option"') == 2 and 'data-key="2"' in page
    said = browser.send(option=1)
    assert said.redirect_chain == [("/annotate/first/", 302)]
    assert "1 of 2 answered" in said.content.decode()
    assert Annotation.objects.get().option == 1
    elsewhere = browser.send(question=1, option=0).content.decode()  # the ticket is another question's
    assert "You were not asked this question" in elsewhere
    last = browser.send(kind="flag", note="dark").content.decode()
    assert Annotation.objects.get(kind="flag").note == "dark"
    assert "Nothing is left to answer" in last and "1 of 2 answered · 1 skipped or flagged" in last
    undone = annotator.post("/annotate/first/undo/", follow=True).content.decode()
    assert 'name="question" value="2"' in undone


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 422),
        ({"question": "x", "turn": 1, "ticket": "t", "option": 0}, 422),
        ({"question": 1, "turn": 3, "ticket": "t", "option": 0}, 422),
        ({"question": 1, "turn": 1, "option": 0}, 422),
        ({"question": 1, "turn": 1, "ticket": "t", "option": -1}, 422),
        ({"question": 1, "turn": 1, "ticket": "t", "kind": "love"}, 422),
        ({"question": 9, "turn": 1, "ticket": "t", "option": 0}, 404),
    ],
)
def test_a_malformed_answer_is_refused(given, status):
    make_project(count=2)
    told = sign_in("annotator").post("/annotate/first/answer/", given)
    assert told.status_code == status
    assert status != 422 or "press one of the buttons" in told.content.decode()
    assert not Annotation.objects.exists()


def shown(page):
    """All of a page but for what is drawn anew for each request."""
    return re.sub(r'(csrfmiddlewaretoken" value|nonce)="[^"]+"', "", page)


@pytest.mark.parametrize("gold", [None, 0])
def test_pages_do_not_tell_what_others_said_nor_what_is_right(gold):
    """Whatever another person answered, and whatever one answers oneself, after each of twelve answers."""

    project = make_project(count=13, gold=gold, repeat_every=5)
    other, browser = make_player(), Browser()

    def walk(*, theirs, mine):
        seen = []
        with transaction.atomic():
            for _ in range(13):
                pick(project, other, theirs)
            for _ in range(13):
                browser.send(option=mine)
                seen += [browser.look(), browser.client.get("/annotate/").content.decode()]
            assert Annotation.objects.filter(turn=2).exclude(player=other).count() == 1
            transaction.set_rollback(True)
        return [shown(page) for page in seen]

    first = walk(theirs=0, mine=0)
    assert "Which looks most like this" in first[-2]
    assert walk(theirs=1, mine=0) == walk(theirs=0, mine=1) == first


def test_at_the_end_a_page_tells_how_one_answered():
    project = make_project(count=12, gold=0, repeat_every=10)
    work_through(project, make_player())
    browser = Browser()
    for _ in range(13):
        assert "known ones right" not in browser.look()
        browser.send(option=0)
    page = browser.look()
    for told in ("others agree with you 100", "said the same 1 of 1", "12 of 12 known ones right"):
        assert told in page
    assert "Undo the last answer" not in page


def test_operators_close_projects_and_open_them_again():
    project = make_project(count=2)
    operator = sign_in("operator")
    page = operator.post("/annotate/first/close/", follow=True).content.decode()
    assert "Reopen" in page and "closed" in page
    assert "Nothing is left to answer" in Browser().look()
    assert "Reopen" not in operator.post("/annotate/first/reopen/", follow=True).content.decode()
    assert find_next(project, make_player())
    for verb in ("close", "reopen"):
        assert (
            sign_in("analyst" if verb == "close" else "player").post(f"/annotate/first/{verb}/").status_code
            == 403
        )


def test_a_cell_of_the_table_is_no_formula():
    project = make_project(count=1)
    project.catalogue.items.update(key=Concat(Value("=1+"), "key"))
    work_through(project, make_player())
    text = sign_in("analyst").get("/annotate/first/export.csv").content.decode()
    [row] = csv.DictReader(io.StringIO(text))
    assert row["ref"].startswith("'=1+")
    assert list_rows(project)[0]["ref"].startswith("=1+")


def test_analysts_take_the_answers_away():
    project = make_project(count=3)
    work_through(project, make_player())
    analyst = sign_in("analyst")
    rows = list(csv.DictReader(io.StringIO(analyst.get("/annotate/first/export.csv").content.decode())))
    assert len(rows) == 3 and {row["choice"] for row in rows} == {"a"}
    lines = analyst.get("/annotate/first/export.jsonl").content.decode().splitlines()
    assert [json.loads(line)["ref"] for line in lines] == [row["ref"] for row in rows]
    assert sign_in("annotator").get("/annotate/first/export.csv").status_code == 403
