"""Every page agrees on the catalogues in which people can look for an item."""

import uuid

import pytest
from django.test import Client

from evaluation.models import NavigationGame, Race
from evaluation.views.player_cookie import sign_sitting
from search.models import Catalogue, EmbeddingSpace, Index
from tests.evaluation.finding import make_ground

pytestmark = pytest.mark.django_db

HARMS = {
    "nothing": lambda: None,
    "another import": lambda: Catalogue.objects.update(content_hash="f" * 64),
    "no index": lambda: Index.objects.update(state="retired"),
    "no whole space": lambda: EmbeddingSpace.objects.filter(mask="").update(is_control=True),
}


@pytest.mark.parametrize("harm", HARMS)
def test_what_is_offered_can_be_begun_and_nothing_else(harm):
    make_ground()
    HARMS[harm]()
    client, key = Client(), uuid.uuid4()
    offers = ["Demo" in client.get(path).content.decode() for path in ("/find/", "/find/races/")]
    daily = client.get("/find/daily/").status_code == 200
    sent = {"sitting": sign_sitting(key), "catalogue": "demo", "k": "4"}
    begun = [client.post(path, sent).status_code == 302 for path in ("/find/begin/", "/find/races/open/")]
    assert {*offers, daily, *begun} == {harm == "nothing"}
    assert NavigationGame.objects.exists() == Race.objects.exists() == (harm == "nothing")
