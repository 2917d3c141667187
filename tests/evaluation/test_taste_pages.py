"""The page of one's own taste: what is needed, what happens, and how it went; nobody else's."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from evaluation.models import Deal, Player, Taste, TastePair
from evaluation.services.tastes import ask_taste
from evaluation.views.player_cookie import COOKIE, sign_cookie
from search.models import Job
from tests.evaluation.tasting import learn, make_ground, make_taster, tell
from tests.evaluation.teaching import say
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def _browse(player: Player) -> Client:
    client = Client()
    client.cookies[COOKIE] = sign_cookie(player.key)
    return client


def _post(client: Client, what: str, **changed: str):
    page = client.get("/taste/").content.decode()
    found = re.search(r'name="sitting" value="([^"]+)"', page)
    sitting = found[1] if found else ""
    return client.post(f"/taste/{what}/", {"sitting": sitting, "catalogue": "demo", **changed}, follow=True)


def _words(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_who_has_not_played_is_told_what_it_takes() -> None:
    make_ground()
    words = _words(Client().get("/taste/"))
    assert "Nothing to learn from yet" in words and "At least 30 are needed" in words
    assert "Learn my taste" not in words


def test_who_played_sees_how_much_is_missing_and_no_button() -> None:
    catalogue, vectors = make_ground()
    player = Player.objects.create(created_at=NOW)
    tell(player, catalogue, vectors, answers=12)
    player.rounds.update(judged=1)
    words = _words(_browse(player).get("/taste/"))
    assert "18 answers" in words and "to go" in words and "Learn my taste" not in words


def test_it_is_asked_for_followed_learned_and_deleted() -> None:
    catalogue, vectors = make_ground()
    player = Player.objects.create(created_at=NOW)
    tell(player, catalogue, vectors)
    player.rounds.update(judged=1)
    client = _browse(player)
    assert "Learn my taste" in _words(client.get("/taste/"))
    page = _post(client, "learn")
    assert "is being learned" in _words(page) and 'hx-trigger="every 3s"' in page.content.decode()
    _post(client, "learn")
    assert Job.objects.filter(kind="taste").count() == 1
    Taste.objects.all().delete()
    Job.objects.all().delete()
    learn(player, catalogue, now=timezone.now() - timedelta(hours=1))
    page = client.get("/taste/")
    words = _words(page)
    assert ("What it goes by colour" in words and "everything alike" in words) or "colour" in words
    assert "Not enough votes yet: 20 of 20 to go" in words and "every 3s" not in page.content.decode()
    assert "You have said nothing that it has not learned" in words
    assert "is deleted" in _words(_post(client, "delete"))
    assert not Taste.objects.exists()


def test_nobody_else_sees_it_or_deletes_it() -> None:
    catalogue, vectors = make_ground()
    player, _ = make_taster(catalogue, vectors)
    stranger = Player.objects.create(created_at=NOW)
    tell(stranger, catalogue, vectors)
    stranger.rounds.update(judged=1)
    client = _browse(stranger)
    assert "What it goes by" not in _words(client.get("/taste/"))
    _post(client, "delete")
    assert Taste.objects.get().player == player
    for address in ("/leaderboard/", "/leaderboard/export.json", "/leaderboard/changes/", "/"):
        assert "rivate" not in _words(client.get(address))


def test_without_a_sitting_of_ones_own_nothing_happens() -> None:
    catalogue, vectors = make_ground()
    player, _ = make_taster(catalogue, vectors)
    client = _browse(player)
    for what in ("learn", "delete"):
        assert client.post(f"/taste/{what}/", {"catalogue": "demo"}).status_code == 403
        assert client.post(f"/taste/{what}/", {"catalogue": "demo", "sitting": "x"}).status_code == 403
    assert _post(client, "delete", catalogue="nowhere").status_code == 404
    assert Taste.objects.exists()


@pytest.mark.parametrize(
    ("likes_own", "words"), [(True, "You like what yours finds"), (False, "public one finds better")]
)
def test_a_comparison_that_is_clear_is_said_in_a_sentence(likes_own: bool, words: str) -> None:
    catalogue, vectors = make_ground(items=300)
    player, taste = make_taster(catalogue, vectors)
    player.rounds.update(judged=1)
    for number, one in enumerate(TastePair.objects.filter(taste=taste).select_related("pair")):
        if number % 4 in (0, 3):
            answer = "dope" if one.is_private == likes_own else "nope"
            say(player, one.pair.question, one.pair.candidate, answer, at=NOW, policy="taste")
    page = _words(_browse(player).get("/taste/"))
    assert words in page and "The bounds are right in 95 of 100" in page
    assert Deal.objects.filter(policy="taste").count() >= 40


def test_a_request_that_cannot_be_met_says_why() -> None:
    catalogue, vectors = make_ground()
    player = Player.objects.create(created_at=NOW)
    tell(player, catalogue, vectors, answers=3)
    player.rounds.update(judged=1)
    client = _browse(player)
    sitting = client.get("/taste/").context["sitting"].token
    page = client.post("/taste/learn/", {"sitting": sitting, "catalogue": "demo"}, follow=True)
    assert "You need 30 answers" in _words(page) and not Taste.objects.exists()
    newcomer = Client()
    sitting = newcomer.get("/taste/").context["sitting"].token
    page = newcomer.post("/taste/learn/", {"sitting": sitting, "catalogue": "demo"}, follow=True)
    assert "Play first" in _words(page)
    tell(player, catalogue, vectors, first=3)
    assert ask_taste(player, catalogue, now=timezone.now())
