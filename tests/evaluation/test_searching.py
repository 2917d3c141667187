"""The search page over HTTP, as a browser without JavaScript uses it, and what its script fetches."""

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from evaluation.models import Deal, Player, Round
from evaluation.views import search_parts, searches
from evaluation.views.player_cookie import COOKIE
from search import photo_api
from search.forms.wishes import Asked
from search.models import BuildState, Index, Photo
from search.selectors.searches import Area, SearchRefused, ShownPhoto
from tests.evaluation.decks import Deck
from tests.evaluation.finding import add_spaces, forget_opened
from tests.evaluation.searching import make_searchable, photo_of, photo_of_noise
from tests.factories import make_catalogue, make_contenders
from tests.search.spaces import make_space

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true", "HX-Target": "answer"}


@pytest.fixture
def catalogue():
    return make_searchable()


class Searcher:
    """Somebody at the search page."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client()
        self.look("/search/")

    @property
    def text(self) -> str:
        return self.page.content.decode()

    def look(self, address: str, **headers: str):
        self.page = self.client.get(address, headers=headers)
        if token := re.search(r'name="sitting" value="([^"]+)"', self.text):
            self.sitting = token[1]
        return self.page

    def send(self, photo: bytes | None, *, slug: str = "demo", script: bool = False, **fields: str):
        sent = {"sitting": self.sitting, **fields}
        if photo is not None:
            sent["photo"] = SimpleUploadedFile("../../x.jpg", photo, "image/jpeg")
        headers = {"X-Part": "photo"} if script else {}
        self.page = self.client.post(f"/search/{slug}/photos/", sent, headers=headers, follow=not script)
        return self.page

    def post(self, address: str, **fields: str):
        self.page = self.client.post(address, {"sitting": self.sitting, **fields}, follow=True)
        return self.page

    @property
    def found(self) -> list[int]:
        """Positions of what is shown, in order."""
        return [
            int(item) for item in re.findall(r'class="tile"\s+href="/search/demo/items/(\d+)/"', self.text)
        ]

    @property
    def address(self) -> str:
        return f"/search/demo/?photo={Photo.objects.get().key}"


@pytest.fixture
def searcher(catalogue):
    return Searcher()


def sign_in(role: str) -> Client:
    user = User.objects.create_user(role)
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    client = Client()
    client.force_login(user)
    return client


def test_looking_at_the_page_stores_nothing(searcher):
    assert searcher.page.status_code == 200 and "Take a photo" in searcher.text
    assert not searcher.client.cookies and not Player.objects.exists()


def test_a_photo_leads_to_its_item_and_the_photo_is_shown_to_who_has_the_address(searcher, catalogue):
    item = catalogue.items.get(position=7)
    page = searcher.send(photo_of(item))
    assert page.status_code == 200
    shown = {one.image_sha256 for one in catalogue.items.filter(position__in=searcher.found[:1])}
    assert shown == {item.image_sha256}
    assert searcher.client.cookies[COOKIE]["httponly"]
    photo = Photo.objects.get()
    assert photo.holder is not None
    answer = Client().get(f"/search/photos/{photo.key}.webp")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert "no-store" in answer["Cache-Control"]
    assert str(photo.key) not in Client().get("/search/demo/").content.decode()


def test_the_script_is_told_where_to_go_and_why_not(searcher, catalogue):
    taken = searcher.send(photo_of_noise(), script=True)
    assert taken.status_code == 201
    assert searcher.client.get(taken.json()["address"]).status_code == 200
    refused = searcher.send(b"<svg xmlns='http://www.w3.org/2000/svg'/>", script=True)
    assert refused.status_code == 415 and refused.json()["message"]
    assert searcher.send(None, script=True).status_code == 422
    searcher.sitting = "old"
    stale = searcher.send(photo_of_noise(), script=True)
    assert stale.status_code == 403 and "Reload" in stale.json()["message"]


def test_a_refused_photo_leaves_the_page_as_it_was_and_says_why(searcher):
    page = searcher.send(b"no picture at all")
    assert page.status_code == 415
    assert 'role="alert"' in searcher.text and "Take a photo" in searcher.text
    assert searcher.send(None).status_code == 422 and "No photo came" in searcher.text
    assert not Photo.objects.exists()


def test_the_pages_script_fetches_the_answer_alone_but_the_back_button_all(searcher, catalogue):
    searcher.send(photo_of_noise())
    part = searcher.look(searcher.address, **PART).content.decode()
    assert "<html" not in part and 'id="search-said"' in part and 'class="found"' in part
    back = searcher.look(searcher.address, **PART, **{"HX-History-Restore-Request": "true"})
    assert "<html" in back.content.decode()


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("left=10&top=10&width=3&height=20", 422, "at least 4 percent"),
        ("left=10&top=10", 422, "four numbers"),
        ("f-colour=mauve", 422, "mauve"),
        ("f-mood=merry", 422, "mood"),
        ("own=1&w-overall=300", 422, "0 to 100"),
        ("page=no", 422, "whole number"),
    ],
)
def test_what_cannot_be_answered_is_said_beside_the_photo(searcher, catalogue, address, status, words):
    searcher.send(photo_of_noise())
    page = searcher.look(f"{searcher.address}&{address}")
    assert page.status_code == status
    assert words in searcher.text and 'role="alert"' in searcher.text
    assert "crop-box" in searcher.text, "the photo is gone"
    part = searcher.look(f"{searcher.address}&{address}", **PART)
    assert part.status_code == status and words in searcher.text


def test_a_part_of_the_photo_is_searched_with_by_numbers_or_by_a_proposals_button(searcher, catalogue):
    searcher.send(photo_of_noise())
    by_numbers = searcher.look(f"{searcher.address}&left=10&top=20&width=30&height=40")
    found = searcher.found
    assert by_numbers.status_code == 200 and 'name="width" min="4" max="100" value="30"' in searcher.text
    by_button = searcher.look(f"{searcher.address}&left=1&top=1&width=9&height=9&region=10,20,30,40")
    assert by_button.status_code == 200 and searcher.found == found


def test_more_like_this_finds_others_and_says_of_what(searcher, catalogue):
    page = searcher.look("/search/demo/?item=5")
    assert page.status_code == 200 and "More like this" in searcher.text
    query, *found = searcher.found
    assert query == 5 and found and 5 not in found
    assert searcher.look("/search/demo/?item=4999").status_code == 404
    assert "Take a photo" in searcher.text


def test_filters_are_chips_that_can_be_taken_away(searcher, catalogue):
    searcher.look("/search/demo/?item=5&f-colour=red")
    reds = {item.position for item in catalogue.items.filter(labels__attribute__value="red")}
    assert set(searcher.found[1:]) and set(searcher.found[1:]) <= reds
    chip = re.search(r'class="chip accent"\s+href="([^"]+)"', searcher.text)
    assert chip is not None and chip[1] == "/search/demo/?item=5"
    assert re.search(r'<option value="red" selected', searcher.text)


def test_several_values_of_an_aspect_stay_when_something_else_is_changed(searcher, catalogue):
    searcher.look("/search/demo/?item=5&f-colour=red&f-colour=blue")
    shown = re.findall(r'<option value="(\w+)" selected', searcher.text)
    sent_along = re.findall(r'type="hidden" name="f-colour" value="(\w+)"', searcher.text)
    assert shown == ["red"] and sent_along == ["blue"]


def test_pages_go_on_where_the_one_before_ended(catalogue, searcher):
    make_more = make_searchable(items=60, slug="more")
    addresses, seen = ["/search/more/?item=3"], []
    while addresses:
        searcher.look(addresses.pop())
        seen += re.findall(r'class="tile"\s+href="/search/more/items/(\d+)/"', searcher.text)[1:]
        following = re.search(r'rel="next"\s+href="([^"]+)"', searcher.text)
        addresses = [following[1].replace("&amp;", "&")] if following else []
    assert len(seen) == len(set(seen)) == make_more.items.count() - 1


def test_weights_of_the_person_are_said_to_be_theirs(searcher, catalogue):
    searcher.send(photo_of_noise())
    own = searcher.look(f"{searcher.address}&own=1&w-overall=40")
    assert own.status_code == 200
    assert "w-overall=40" in searcher.text or "no aspects to weigh" in searcher.text


def test_a_deleted_photo_is_gone_and_its_address_offers_another(searcher):
    searcher.send(photo_of_noise())
    address, photo = searcher.address, Photo.objects.get()
    searcher.post(f"/search/photos/{photo.key}/delete/", next="/search/demo/")
    assert "The photo is deleted" in searcher.text
    assert searcher.page.request["PATH_INFO"] == "/search/demo/"
    assert not Photo.objects.exists()
    assert searcher.client.get(f"/search/photos/{photo.key}.webp").status_code == 404
    gone = searcher.look(address)
    assert (
        gone.status_code == 404 and "not kept any more" in searcher.text and "Take a photo" in searcher.text
    )


def test_a_photo_is_kept_a_day_unless_the_person_agrees_to_more(searcher):
    searcher.send(photo_of_noise())
    photo = Photo.objects.get()
    assert photo.kept_until <= timezone.now() + timedelta(hours=24)
    searcher.post(f"/search/photos/{photo.key}/keep/", next=searcher.address)
    photo.refresh_from_db()
    assert photo.kept_until > timezone.now() + timedelta(days=29)
    assert searcher.page.request["PATH_INFO"] == "/search/demo/" and "Keep it until" not in searcher.text
    searcher.post(f"/search/photos/{photo.key}/keep/", next="https://elsewhere.example/")
    assert searcher.page.request["PATH_INFO"] == "/search/"
    searcher.send(photo_of_noise(1), keep="1")
    assert Photo.objects.latest("pk").kept_until > timezone.now() + timedelta(days=29)


def test_a_catalogue_of_bare_vectors_refuses_photos_and_offers_its_items(searcher, catalogue):
    bare = make_catalogue(items=12, slug="bare")
    make_space(bare, "brought", rows=12, family="vectors")
    searcher.look("/search/bare/")
    assert "takes no photos" in searcher.text and "Take a photo" not in searcher.text
    assert 'href="/search/bare/?item=0"' in searcher.text
    assert searcher.look("/search/bare/?item=0").status_code == 200
    searcher.look("/search/demo/")
    searcher.send(photo_of_noise())
    refused = searcher.look(f"/search/bare/?photo={Photo.objects.get().key}")
    assert refused.status_code == 422 and "Search from one of its items" in searcher.text


def test_before_there_is_anything_to_search_the_page_says_so(db):
    page = Client().get("/search/")
    assert page.status_code == 200 and "Nothing to search yet" in page.content.decode()
    assert Client().get("/search/demo/").status_code == 404


def test_a_catalogue_without_aspects_says_that_there_is_nothing_to_weigh(db):
    make_searchable(categories=0)
    searcher = Searcher()
    searcher.look("/search/demo/?item=2")
    assert "no aspects to weigh" in searcher.text and "Only some of them" not in searcher.text


def test_an_item_of_a_catalogue_that_cannot_be_searched_offers_no_search(searcher, catalogue):
    assert 'href="/search/demo/"' in searcher.look("/search/demo/items/5/").content.decode()
    Index.objects.update(state=BuildState.FAILED)
    page = searcher.look("/search/demo/items/5/")
    assert page.status_code == 200 and 'href="/search/demo/' not in searcher.text


def test_proposals_that_look_the_same_are_shown_once(catalogue):
    areas = [Area(0.1, 0.1, 0.5, 0.5), Area(0.11, 0.1, 0.5, 0.51), Area(0.1, 0.1, 0.2, 0.2)]
    now = timezone.now()
    told = search_parts.tell_photo(ShownPhoto(uuid.uuid4(), 300, 200, areas, now, now), Asked())
    assert told["areas"] == ["10,10,50,50", "10,10,20,20"]


def test_any_found_item_leads_to_its_page_and_on_to_a_game(searcher, catalogue):
    add_spaces(catalogue)
    forget_opened()
    searcher.look("/search/demo/?item=5")
    link = re.search(r'href="(/find/\?catalogue=demo&amp;from=\d+)"', searcher.text)
    assert link is not None
    assert "You go on from this one" in searcher.look(link[1].replace("&amp;", "&")).content.decode()
    page = searcher.look("/search/demo/items/5/")
    assert page.status_code == 200 and "/find/?catalogue=demo&amp;from=5" in searcher.text
    assert re.search(r"<dt>Colour</dt>\s*<dd>green</dd>", searcher.text)
    assert searcher.look("/search/demo/items/4999/").status_code == 404


# Nothing here unmasks what is judged blindly.


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
