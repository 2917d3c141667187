"""Searches that ask a server of vectors: the answers of files, and what is said and done while it is away."""

import json
import threading
from datetime import timedelta

import numpy as np
import pytest
from django.test import Client

from dopeornope.readiness import Readiness, list_checks
from search.models import BuildState, Index, Item, Job, JobState
from search.services import vectors_server as service
from search.services.indexing import request_indexes
from search.services.jobs import run_in_foreground, run_job
from tests.factories import NOW, make_catalogue
from tests.fresh_process import forget_catalogues
from tests.search.searching import (
    give_colours,
    keep_photo_of,
    make_searchable,
    positions,
    refused,
    search,
)
from tests.search.spaces import make_space

pytestmark = pytest.mark.django_db(transaction=True)
METRICS = ("l1", "l2", "hamming")


@pytest.fixture
def vectors(vectors_server, settings):
    """The server of vectors, named to a site that has built nothing yet."""
    settings.VECTORS = vectors_server.arguments
    service._server.cache_clear()
    return vectors_server


def use(settings, server) -> None:
    """As an operator who sets, or removes, the variable and starts the site again."""
    settings.VECTORS = None if server is None else server.arguments
    service._server.cache_clear()
    forget_catalogues()


def load_all(now=NOW) -> None:
    """A round of the sweeper, and what a worker makes of it."""
    service.keep_loaded(now)
    for job in Job.objects.filter(kind=service.KIND, state=JobState.QUEUED):
        assert run_in_foreground(job=job, report=lambda row: None).state == JobState.DONE


def tell(found) -> list[tuple[int, float, tuple[int, ...]]]:
    return [(one.item.position, one.distance, one.duplicates) for one in found.candidates]


def test_the_server_answers_as_the_files_do(vectors, settings, monkeypatch):
    catalogue = make_searchable(monkeypatch)
    give_colours(catalogue)
    Item.objects.filter(position=8).update(near_duplicate_of=Item.objects.get(position=2))
    forget_catalogues()
    photo = keep_photo_of(Item.objects.get(position=7))
    wishes = [
        {"item": 5},
        {"item": 5, "page": 2},
        {"photo": photo},
        {"item": 2, "filters": {"colour": ["blue"]}},
        {"photo": photo, "filters": {"colour": ["red"]}},
    ]
    engines = [
        {"encoder": encoder, "metric": metric}
        for encoder in ("colour-histogram", "gradient-histogram")
        for metric in METRICS
    ]
    asked = [engine | wish for engine in engines for wish in wishes]
    by_server = [tell(search(**wish)) for wish in asked]
    assert all(by_server)
    use(settings, None)
    assert [tell(search(**wish)) for wish in asked] == by_server


def test_away_it_is_said_when_to_try_again_and_back_it_answers(vectors, monkeypatch):
    make_searchable(monkeypatch)
    client = Client()
    addresses = ("/search/demo/?item=5", "/api/search/demo/?item=5")
    assert [client.get(address).status_code for address in addresses] == [200, 200]
    vectors.stop()
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 503
        assert 1 <= int(answer["Retry-After"]) <= 5
        assert "vectors cannot be reached" in answer.content.decode()
        assert f"Try again in {answer['Retry-After']} second" in answer.content.decode()
    assert client.get("/api/search/demo/?item=5").json()["code"] == "vectors-away"
    for unaffected in (
        "/play/",
        "/find/",
        "/leaderboard/",
        "/search/demo/items/5/",
        "/api/search/demo/filters/",
    ):
        assert client.get(unaffected).status_code == 200
    vectors.start()
    _rest_is_over(monkeypatch)
    assert [client.get(address).status_code for address in addresses] == [200, 200]


def _rest_is_over(monkeypatch) -> None:
    server = service._find_server()
    monkeypatch.setattr(server, "_clock", lambda: server._away_until)


def test_health_names_a_server_of_vectors_that_is_away_and_stays_ready(vectors, settings):
    assert _ask_health()["checks"]["vectors"] == {"ok": True, "needed": False}
    vectors.stop()
    told = _ask_health()
    assert told["checks"]["vectors"] == {"ok": False, "needed": False, "why": "does not answer"}
    assert told["ready"]
    settings.VECTORS = None
    assert "vectors" not in _ask_health()["checks"]


def _ask_health():
    import asyncio

    return json.loads(asyncio.run(Readiness(list_checks(), within_s=20)({})).text)


def test_what_is_missing_on_a_server_that_is_new_is_put_there_by_itself(vectors, settings, monkeypatch):
    use(settings, None)
    make_searchable(monkeypatch)
    before = positions(search(item=5))
    use(settings, vectors)
    refusal = refused(item=5)
    assert (refusal.code, refusal.status) == ("being-loaded", 503) and refusal.retry_after_s
    load_all()
    assert positions(search(item=5)) == before
    vectors.empty()
    assert refused(item=5).code == "being-loaded", "it is gone, though this process had it open"
    load_all()
    assert positions(search(item=5)) == before
    assert service.keep_loaded(NOW) == 0


def test_an_index_is_not_ready_before_the_server_has_it(vectors, monkeypatch):
    vectors.stop()
    catalogue = make_catalogue(items=20)
    space = make_space(catalogue, "mine", rows=20, build=False)
    Index.objects.all().delete()
    job = request_indexes(space=space, now=NOW)[0]
    run_job(job_id=str(job.pk), worker="somebody:1")
    job.refresh_from_db()
    assert job.state == JobState.QUEUED and "does not answer" in job.message
    assert not Index.objects.filter(state=BuildState.READY).exists()
    told = run_in_foreground(job=job, report=lambda row: None)
    assert told.state == JobState.FAILED and "does not answer" in told.reason
    assert service.keep_loaded(NOW) == 0, "the sweeper gets past it"
    vectors.start()
    [again] = [job for job in request_indexes(space=space, now=NOW) if job.arguments == told.arguments]
    assert run_in_foreground(job=again, report=lambda row: None).state == JobState.DONE


def test_what_the_server_cannot_keep_fails_once_with_the_reason_and_is_not_asked_for_at_once(
    vectors, settings
):
    use(settings, None)
    make_space(make_catalogue(items=2), "wide", vectors=np.ones((2, 16_001)))
    use(settings, vectors)
    assert service.keep_loaded(NOW) == 3
    for job in Job.objects.filter(kind=service.KIND):
        ended = run_in_foreground(job=job, report=lambda row: None)
        assert ended.state == JobState.FAILED and "16001 dimensions" in ended.reason
    ended_at = max(job.finished_at for job in Job.objects.filter(kind=service.KIND))
    assert service.keep_loaded(ended_at) == 0
    assert service.keep_loaded(ended_at + service.RESTS + timedelta(seconds=1)) == 3


@pytest.mark.timeout(200)
def test_while_an_encoder_is_replaced_the_answer_is_the_old_one_or_the_new_one(vectors):
    catalogue = make_catalogue(items=30)
    rng = np.random.default_rng(0)
    make_space(catalogue, "mine", vectors=rng.normal(size=(30, 8)))
    wish = {"item": 3, "encoder": "mine", "metric": "l2"}
    seen, broken, old = [], [], tell(search(**wish))
    stop = threading.Event()

    def ask() -> None:
        client = Client()
        try:
            while not stop.is_set():
                answer = client.get("/api/search/demo/?item=3")
                seen.append([one["item"]["position"] for one in answer.json()["candidates"]])
        except Exception as error:
            broken.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    make_space(catalogue, "mine", vectors=rng.normal(size=(30, 8)), version="2")
    stop.set()
    for thread in threads:
        thread.join()
    new = tell(search(**wish))
    assert new != old
    assert seen and not broken
    assert {tuple(found) for found in seen} <= {tuple(row for row, _, _ in known) for known in (old, new)}
    dropped_at = NOW + timedelta(minutes=11)
    service.keep_loaded(NOW)
    assert service.keep_loaded(dropped_at) == 3, "of the old version nothing is kept"
    assert tell(search(**wish)) == new
