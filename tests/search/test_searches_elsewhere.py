"""Searches that something happens to meanwhile: a worker has to look first, an encoder is replaced."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from django.conf import settings

from search import artifacts
from search.engine.encoders import photo_encoders
from search.engine.files import write_file
from search.models import BuildState, EmbeddingSpace, Index, Item, Job
from search.selectors.photos import photo_path
from search.selectors.searches import Answer, Area, SearchRefused, Waiting, Wish
from search.services import jobs, photo_vectors, photos, searches
from search.services.search_plans import make_plan
from search.services.sweeping import sweep_everything
from tests.factories import NOW
from tests.fresh_process import forget_catalogues
from tests.search.searching import answer_now, keep_photo_of, make_searchable

pytestmark = pytest.mark.django_db(transaction=True)

IN_A_WEB_PROCESS = """
import sys
import django
django.setup()
from datetime import datetime
from uuid import UUID
from search.selectors.searches import Wish
from asgiref.sync import async_to_sync
from search.views.searching import answer
key, now = sys.argv[1:]
wish = Wish(catalogue="demo", photo=UUID(key), encoder="thimble-siamese", metric="l2")
found = async_to_sync(answer)(wish, now=datetime.fromisoformat(now))
print(found.candidates[0].item.position, found.candidates[0].distance)
print([name for name in ("torch", "torchvision") if name in sys.modules])
"""


def look(job: Job) -> Job:
    return jobs.run_in_foreground(job=job, report=lambda row: None)


def forget_networks() -> None:
    photo_encoders._networks._open.clear()


@pytest.mark.timeout(400)  # a network is exported twice
def test_a_network_that_is_not_exported_is_run_by_a_worker_once_and_from_then_on_here(monkeypatch):
    make_searchable(monkeypatch, encoders=("thimble-siamese",), items=12)
    shutil.rmtree(settings.HOME / "exported")
    forget_networks()
    item = Item.objects.get(position=5)
    wish = Wish(catalogue="demo", photo=keep_photo_of(item))
    waiting = answer_now(wish, now=NOW)
    assert isinstance(waiting, Waiting) and "worker looks at your photo" in waiting.words
    assert not waiting.is_late
    again = answer_now(wish, now=NOW + timedelta(minutes=2))
    assert isinstance(again, Waiting) and again.is_late and "busy" in again.words
    assert waiting.again_in_s < again.again_in_s, "who waits long asks seldom"
    job = Job.objects.get(kind="photo")
    assert job.queue == "ml" and wish.photo.hex not in str(job.arguments).replace("-", "")
    assert look(job).state == "done"
    found = answer_now(wish, now=NOW)
    assert isinstance(found, Answer) and found.candidates[0].item.position == 5
    assert isinstance(answer_now(Wish(catalogue="demo", photo=keep_photo_of(item)), now=NOW), Answer)
    assert Job.objects.filter(kind="photo").count() == 1
    photos.drop_photo(key=wish.photo)  # and what the worker left beside it
    assert not list(settings.PHOTOS_FOLDER.glob(f"{wish.photo.hex}*"))


@pytest.mark.timeout(300)
def test_a_web_process_searches_without_torch(monkeypatch, tmp_path, transactional_db):
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("the other process is given this test's file")
    make_searchable(monkeypatch, encoders=("thimble-siamese",), items=12)
    key = keep_photo_of(Item.objects.get(position=5))
    here = answer_now(Wish(catalogue="demo", photo=key, encoder="thimble-siamese", metric="l2"), now=NOW)
    home = tmp_path / "web"
    shutil.copytree(settings.HOME, home)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(home / "db.sqlite3")])
    told = subprocess.run(
        [sys.executable, "-c", IN_A_WEB_PROCESS, str(key), NOW.isoformat()],
        cwd=Path(__file__).resolve().parents[2],
        env={
            "PATH": "/usr/bin",
            "DJANGO_SETTINGS_MODULE": "dopeornope.settings",
            "DOPEORNOPE_HOME": str(home),
            "DOPEORNOPE_PROCESS": "web",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    first, imported = told.stdout.splitlines()
    assert imported == "[]"
    position, distance = first.split()
    assert int(position) == 5 == here.candidates[0].item.position
    assert float(distance) == pytest.approx(here.candidates[0].distance, abs=1e-5)


def test_a_worker_that_cannot_look_says_so_and_is_not_asked_again_at_once(monkeypatch):
    make_searchable(monkeypatch, encoders=("colour-histogram",), items=6)
    EmbeddingSpace.objects.update(encoder="theirs", family="plugin", title="Theirs")
    forget_catalogues()
    wish = Wish(catalogue="demo", photo=keep_photo_of(Item.objects.get(position=2)))
    assert isinstance(answer_now(wish, now=NOW), Waiting)
    assert look(Job.objects.get(kind="photo")).state == "failed"
    for _ in range(2):
        with pytest.raises(SearchRefused, match="There is no encoder named 'theirs'") as caught:
            answer_now(wish, now=NOW)
        assert caught.value.status == 503 and caught.value.retry_after_s
    assert Job.objects.get(kind="photo").state == "failed"
    Job.objects.filter(kind="photo").update(finished_at=NOW)
    assert isinstance(answer_now(wish, now=NOW + timedelta(seconds=31)), Waiting), "after a rest it is tried"


def test_only_so_many_parts_of_a_photo_are_looked_at_at_once_and_jobs_go_with_their_photo(monkeypatch):
    make_searchable(monkeypatch, encoders=("colour-histogram",), items=6)
    EmbeddingSpace.objects.update(encoder="theirs", family="plugin")
    key = keep_photo_of(Item.objects.get(position=2))
    areas = [Area(0, 0, 1, side / 10) for side in range(5, 10)]
    asked = [Wish(catalogue="demo", photo=key, area=area) for area in areas]
    for wish in (*asked[:4], asked[0]):
        assert isinstance(answer_now(wish, now=NOW), Waiting)
    with pytest.raises(SearchRefused, match="other parts of this photo") as caught:
        answer_now(asked[4], now=NOW)
    assert caught.value.retry_after_s
    look(Job.objects.filter(kind="photo").first())
    assert isinstance(answer_now(asked[4], now=NOW), Waiting)
    sweep_everything(now=NOW, own_workers=False)
    assert Job.objects.filter(kind="photo").count() == 5
    photos.drop_photo(key=key)
    for job in Job.objects.unfinished():
        look(job)
    sweep_everything(now=NOW, own_workers=False)
    assert not Job.objects.filter(kind="photo").exists()


@pytest.mark.parametrize("made", [np.full(5, np.nan, np.float32), np.zeros(5, np.float32)])
def test_a_worker_whose_vector_cannot_be_searched_with_says_so(monkeypatch, made):
    make_searchable(monkeypatch, encoders=("colour-histogram",), items=6)
    EmbeddingSpace.objects.update(encoder="theirs", family="plugin")
    answer_now(Wish(catalogue="demo", photo=keep_photo_of(Item.objects.get(position=2))), now=NOW)
    version = EmbeddingSpace.objects.get().encoder_version
    theirs = SimpleNamespace(
        infos=[SimpleNamespace(version=version)], encode=lambda pictures: {"theirs": made[None]}
    )
    monkeypatch.setattr(photo_vectors, "create_joint_encoder", lambda *names, **where: theirs)
    ended = look(Job.objects.get(kind="photo"))
    assert ended.state == "failed" and "of this photo" in ended.reason
    assert not list(settings.PHOTOS_FOLDER.glob("*.safetensors"))


def test_a_photo_that_is_deleted_before_a_worker_comes_is_not_looked_at(monkeypatch):
    make_searchable(monkeypatch, encoders=("colour-histogram",), items=6)
    EmbeddingSpace.objects.update(encoder="theirs", family="plugin")
    wish = Wish(catalogue="demo", photo=keep_photo_of(Item.objects.get(position=2)))
    answer_now(wish, now=NOW)
    photos.drop_photo(key=wish.photo)
    assert look(Job.objects.get(kind="photo")).state == "done"
    assert not photo_path(wish.photo).exists() and not list(settings.PHOTOS_FOLDER.glob("*"))


def replace_vectors(space: EmbeddingSpace, *, by: EmbeddingSpace) -> None:
    """As a build does that embeds a space anew: other bytes under the same name, and the rows say which."""
    for file in artifacts.space_folder(by).iterdir():
        write_file(artifacts.space_folder(space) / file.name, file.read_bytes())
    EmbeddingSpace.objects.filter(pk=space.pk).update(sha256=by.sha256)
    for index in by.indexes.all():
        Index.objects.filter(space=space, metric=index.metric).update(sha256=index.sha256)


def test_who_searched_while_an_encoder_was_replaced_gets_the_old_answer_or_the_new_one(monkeypatch):
    make_searchable(monkeypatch)
    colours = EmbeddingSpace.objects.get(encoder="colour-histogram")
    gradients = EmbeddingSpace.objects.get(encoder="gradient-histogram")
    wish = Wish(catalogue="demo", item=3, encoder="colour-histogram", metric="l2")
    before = make_plan(wish, now=NOW)
    old = searches.find(before)
    new = searches.find(
        make_plan(Wish(catalogue="demo", item=3, encoder="gradient-histogram", metric="l2"), now=NOW)
    )
    replace_vectors(colours, by=gradients)
    after = make_plan(wish, now=NOW)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(searches.find, [before, after] * 8))
    assert [one.hits for one in found] == [old.hits, new.hits] * 8
    assert old.hits != new.hits


def test_a_process_that_finds_other_bytes_than_its_row_named_refuses_them(monkeypatch):
    make_searchable(monkeypatch)
    colours = EmbeddingSpace.objects.get(encoder="colour-histogram")
    wish = Wish(catalogue="demo", item=3, encoder="colour-histogram", metric="l2")
    before = make_plan(wish, now=NOW)
    replace_vectors(colours, by=EmbeddingSpace.objects.get(encoder="gradient-histogram"))
    artifacts._open_vectors.cache_clear()
    artifacts._open_index.cache_clear()
    with pytest.raises(searches.AllDamaged):
        searches.find(before)
    assert searches.find(make_plan(wish, now=NOW)).hits


def test_the_newer_index_answers_as_soon_as_it_is_ready(monkeypatch):
    make_searchable(monkeypatch)
    index = Index.objects.get(space__encoder="colour-histogram", metric="l2")
    Index.objects.exclude(pk=index.pk).update(state=BuildState.BUILDING)
    assert answer_now(Wish(catalogue="demo", item=3), now=NOW).engine.encoder == "colour-histogram"
    Index.objects.exclude(pk=index.pk).update(state=BuildState.READY)
    assert answer_now(Wish(catalogue="demo", item=3), now=NOW).engine.encoder == "gradient-histogram"
