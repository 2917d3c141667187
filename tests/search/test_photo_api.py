"""Searching through the API: the answer of the page, for programs; engines are told to analysts alone."""

import uuid

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from search.models import BuildState, Index, Item, Photo, Scope
from search.selectors.photos import photo_path
from search.selectors.searches import Area, Wish, round_area
from search.services.photos import LONGEST
from tests.search.searching import answer_now, make_photo_of, make_searchable
from tests.tokens import send_token

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def catalogue(monkeypatch):
    return make_searchable(monkeypatch)


def ask(path: str = "demo/", /, headers=None, **question):
    return Client().get(f"/api/search/{path}", question, headers=headers)


def send(position: int = 7, **options):
    photo = SimpleUploadedFile("photo.jpg", make_photo_of(Item.objects.get(position=position)))
    return Client().post("/api/search/demo/", {"photo": photo, **options})


def test_a_photo_finds_its_item_and_is_asked_with_again_by_its_key():
    answer = send()
    told = answer.json()
    assert answer.status_code == 200 and answer["Cache-Control"].startswith("max-age=0")
    assert told["candidates"][0]["item"]["position"] == 7 and told["total"] == 30
    again = ask(photo=told["photo"]["key"]).json()
    assert again == told
    assert ask(photo=told["photo"]["key"], page=2).json()["page"] == 2
    assert ask(f"photos/{told['photo']['key']}/").json() == told["photo"]


def test_the_answer_is_that_of_the_page():
    key = send(filter="kind:boot").json()["photo"]["key"]
    told = ask(photo=key, filter="kind:boot", left=0.1, top=0.1, width=0.8, height=0.8).json()
    wish = Wish(
        catalogue="demo",
        photo=Photo.objects.get().key,
        filters={"kind": ["boot"]},
        area=Area(0.1, 0.1, 0.8, 0.8),
    )
    page = answer_now(wish, now=timezone.now())
    assert [one["item"]["position"] for one in told["candidates"]] == [
        one.item.position for one in page.candidates
    ]
    assert [one["similarity"] for one in told["candidates"]] == pytest.approx(
        [one.score for one in page.candidates]
    )
    assert {one["distance"] for one in told["candidates"]} == {None}, "its size tells the metric"


def test_a_photo_is_kept_longer_with_consent_and_deleted_at_once():
    key = send().json()["photo"]["key"]
    refused = Client().put(f"/api/search/photos/{key}/")
    assert (refused.status_code, refused.json()["code"]) == (403, "not-kept-longer")
    Photo.objects.update(holder=uuid.uuid4())  # as if it had been sent on the page
    kept = Client().put(f"/api/search/photos/{key}/").json()
    assert kept["kept_until"] == kept["longest"]
    assert Photo.objects.get().kept_until == Photo.objects.get().created_at + LONGEST
    assert Client().delete(f"/api/search/photos/{key}/").status_code == 204
    assert Client().delete(f"/api/search/photos/{key}/").status_code == 204
    for answer in (ask(f"photos/{key}/"), ask(photo=key), Client().put(f"/api/search/photos/{key}/")):
        assert (answer.status_code, answer.json()["code"]) == (404, "no-such-photo")


def test_engines_are_told_to_and_chosen_by_analysts_alone():
    assert ask(item=3).json()["engine"] is None
    refused = ask(item=3, engine="colour-histogram")
    assert (refused.status_code, refused.json()["code"]) == (403, "engine-not-told")
    _, headers = send_token(Scope.CHOOSE_ENGINES, now=timezone.now())
    told = ask(item=3, engine="colour-histogram", metric="l1", headers=headers).json()
    assert (told["engine"], told["metric"]) == ("colour-histogram", "l1")
    _, narrow = send_token(Scope.READ_JOBS, now=timezone.now())
    assert ask(item=3, headers=narrow).status_code == 403
    client = Client()
    user = User.objects.create(username="ana")
    user.groups.add(Group.objects.get_or_create(name="analyst")[0])
    client.force_login(user)
    assert client.get("/api/search/demo/", {"item": 3}).json()["engine"]


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({}, "nothing-asked"),
        ({"item": 3, "filter": "kind"}, "bad-filter"),
        ({"item": 3, "filter": "size:large"}, "bad-filter"),
        ({"item": 3, "weight": "colour:much"}, "bad-weight"),
        ({"item": 3, "weight": "colour:nan"}, "bad-weight"),
        ({"item": 3, "left": 0.1}, "bad-area"),
        ({"item": 4711}, "no-such-item"),
    ],
)
def test_questions_that_say_nothing_are_refused_in_words(question, code):
    answer = ask(**question)
    assert answer.status_code in (404, 422) and answer.json()["code"] == code
    assert answer.json()["detail"].endswith(".")


def test_a_question_that_is_refused_keeps_no_photo():
    assert send(weight="colour:much").status_code == 422
    photo = SimpleUploadedFile("photo.jpg", b"never looked at")
    assert Client().post("/api/search/elsewhere/", {"photo": photo}).status_code == 404
    assert not Photo.objects.exists()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"filter": "kind:spaceship"}, "bad-filter"),
        ({"filter": "size:large"}, "bad-filter"),
        ({"weight": "smell:0.5"}, "bad-weight"),
        ({"left": 0, "top": 0, "width": 0.1, "height": 0.1}, "bad-area"),
        ({"left": 0.5, "top": 0.5, "width": 0.6, "height": 0.5}, "bad-area"),
    ],
)
def test_a_question_that_is_refused_after_the_photo_was_taken_in_keeps_none(options, code):
    answer = send(**options)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Photo.objects.exists() and not list(settings.PHOTOS_FOLDER.glob("*"))


def test_where_nothing_answers_no_photo_is_kept():
    Index.objects.update(state=BuildState.BUILDING)
    assert send().status_code in (404, 503)
    assert not Photo.objects.exists()


@pytest.mark.parametrize("question", [{"filter": "kind:a\x00"}, {"weight": "a\x00:1"}, {"engine": "\x00"}])
def test_words_with_a_nul_are_refused(question):
    assert ask(item=3, **question).status_code == 422


def test_a_photo_whose_file_is_damaged_is_refused_without_naming_its_place():
    key = send().json()["photo"]["key"]
    photo_path(uuid.UUID(key)).write_bytes(b"damaged")
    answer = ask(photo=key)
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-photo")
    assert uuid.UUID(key).hex not in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"no form at all", "multipart/form-data"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=" + "x" * 300),
        (b"&".join(b"a=1" for _ in range(2000)), "application/x-www-form-urlencoded"),
    ],
)
def test_a_form_that_cannot_be_read_is_refused_in_json(body, kind):
    answer = Client().post("/api/search/demo/", body, content_type=kind)
    assert answer.status_code == 400 and answer.json()["code"] == "bad-form"


def test_areas_that_differ_by_less_than_can_be_seen_are_one():
    areas = [Area(0.33349, 0.1, 0.66651, 0.2), Area(0.33351, 0.10001, 0.66649, 0.20001)]
    assert {round_area(area).left for area in areas} == {0.333, 0.334}
    for area in map(round_area, areas):
        assert area.left + area.width == pytest.approx(1) and (area.top, area.height) == (0.1, 0.2)


def test_filters_are_listed_with_their_counts():
    assert ask("demo/filters/").json() == [
        {"aspect": "kind", "values": [["bag", 10], ["boot", 10], ["shirt", 10]]}
    ]
    assert ask("elsewhere/filters/").status_code == 404
