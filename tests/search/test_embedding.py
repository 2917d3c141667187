"""Embedding in the threads that an encoder allows: the same vectors, and an end when one is asked for."""

import dataclasses
import threading
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest

from search import artifacts
from search.engine.encoders import create_joint_encoder
from search.engine.encoders.base import EncoderInfo, JointEncoder, Picture, Vectors
from search.models import EmbeddingSpace, Job, JobState
from search.services import builds, embedding, job_context, jobs
from tests.factories import NOW, make_catalogue

pytestmark = pytest.mark.django_db(transaction=True)
ENCODER = "colour-histogram"
ITEMS = 60
BATCH = 2


@dataclasses.dataclass
class Watched:
    """An encoder of ours that keeps in mind which threads asked it.

    It may answer only as many calls as ``together`` waits for, at once, and have the job stop.
    """

    encoder: JointEncoder
    at_once: int
    together: threading.Barrier | None = None
    stop_after: int | None = None
    batch_size: int = BATCH
    threads: list[threading.Thread] = dataclasses.field(default_factory=list)

    @property
    def infos(self) -> tuple[EncoderInfo, ...]:
        return self.encoder.infos

    def encode(self, pictures: Iterable[Picture]) -> Mapping[str, Vectors]:
        self.threads.append(threading.current_thread())
        if self.together is not None:
            self.together.wait(10)
        if self.stop_after is not None and len(self.threads) >= self.stop_after:
            job_context.request_stop()
        return self.encoder.encode(pictures)


@pytest.fixture(autouse=True)
def one_encoder(monkeypatch):
    every = builds.list_all_encoders()
    monkeypatch.setattr(builds, "list_all_encoders", lambda: [e for e in every if e.name == ENCODER])
    monkeypatch.setattr(job_context, "_stopping", threading.Event())


@pytest.fixture
def job() -> Job:
    builds.request_contenders(catalogue=make_catalogue(items=ITEMS), now=NOW)
    return Job.objects.get(kind="embed")


def embed(job: Job, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Watched:
    watched = Watched(create_joint_encoder([ENCODER], "cpu"), **options)
    monkeypatch.setattr(embedding, "create_joint_encoder", lambda *_, **__: watched)
    jobs.run_job(job_id=str(job.pk), worker="elsewhere:1")
    job.refresh_from_db()
    return watched


def test_an_encoder_that_takes_one_call_is_asked_by_the_thread_that_loaded_it(job, monkeypatch):
    watched = embed(job, monkeypatch, at_once=1)
    assert job.state == JobState.DONE
    assert watched.threads == [threading.current_thread()] * (ITEMS // BATCH)


def test_an_encoder_that_takes_several_calls_gets_them_and_answers_the_same(job, monkeypatch):
    watched = embed(job, monkeypatch, at_once=3, together=threading.Barrier(3))
    assert job.state == JobState.DONE
    assert threading.current_thread() not in watched.threads
    assert len(watched.threads) == ITEMS // BATCH
    space = EmbeddingSpace.objects.get()
    found = np.array(artifacts.open_vectors(space).rows)
    images = [
        embedding.load_picture(embedding.image_path(item.image_sha256))
        for item in space.catalogue.items.order_by("position")
    ]
    np.testing.assert_array_equal(found, watched.encoder.encode(images)[ENCODER])


def test_a_worker_asked_to_end_stops_soon_and_goes_on_where_it_stopped(job, monkeypatch):
    at_once, stop_after = 2, 5
    watched = embed(job, monkeypatch, at_once=at_once, stop_after=stop_after)
    assert job.state == JobState.QUEUED
    # What was waiting for a thread when the stop was asked for, and one that each thread holds.
    assert len(watched.threads) <= stop_after + 3 * at_once < ITEMS // BATCH
    job_context._stopping.clear()
    again = embed(job, monkeypatch, at_once=at_once)
    assert job.state == JobState.DONE
    assert 0 < len(again.threads) < ITEMS // BATCH
