"""The home page and the deck while there is little or nothing to play."""

import pytest
from django.test import Client

from search.models import Job, Queue
from tests.factories import NOW, make_catalogue, make_contenders

pytestmark = pytest.mark.django_db


def test_home_and_deck_without_any_catalogue() -> None:
    client = Client()
    assert client.get("/").status_code == 200
    page = client.get("/play/")
    assert page.status_code == 200
    assert page.context["catalogue"] is None


def test_a_catalogue_without_contenders_is_being_prepared() -> None:
    make_catalogue(items=6, with_images=False)
    response = Client().get("/play/demo/")
    assert response.status_code == 200
    assert not response.context["catalogue"].playable


def test_the_home_page_follows_catalogues_that_grow_and_no_others() -> None:
    catalogue = make_catalogue(items=6, with_images=False)
    client = Client()
    idle = client.get("/").content.decode()
    assert "nothing is being prepared" in idle and "<live-topic" in idle
    job = Job.objects.create(
        kind="embed", queue=Queue.ML, idempotency_key="k", title="t", created_at=NOW, catalogue=catalogue
    )
    assert "Preparing Demo" in client.get("/").content.decode()
    make_contenders(catalogue)
    both = client.get("/catalogues/").content.decode()
    assert "Preparing Demo" in both and "more are on their way" in both and "/play/demo/" in both
    job.delete()
    settled = client.get("/").content.decode()
    assert "Preparing" not in settled and "<live-topic" not in settled and "/play/demo/" in settled
