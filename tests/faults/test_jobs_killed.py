"""Real workers, killed for good: what was accepted ends as done or as failed with a reason (promise P4)."""

import signal
from pathlib import Path

import numpy as np
import pytest
from django.db.models import F
from django.utils import timezone
from PIL import Image

from search.engine.arrays import read_arrays
from search.engine.encoders import create_encoder
from search.engine.images import load_rgb
from search.models import EmbeddingSpace, Item, Job, JobState
from search.services import jobs
from tests.faults.house import PATIENCE_SECONDS, House

PHOTOS = 300

pytestmark = pytest.mark.timeout(240)


def make_photos(folder: Path) -> Path:
    """Smooth pictures of full size, all different: slow enough to be killed in the middle of them."""
    folder.mkdir()
    ramp = np.linspace(0, 255, 640, dtype=np.float32)
    for number in range(PHOTOS):
        channels = [
            np.roll(ramp, number * 2)[None, :],
            np.roll(ramp, number * 5)[:, None],
            number * 255 / PHOTOS,
        ]
        pixels = np.stack([np.broadcast_to(channel, (640, 640)) for channel in channels], axis=2)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number:04d}.jpg")
    return folder


def test_31_a_worker_killed_while_it_embeds_is_replaced_and_the_vectors_are_the_same(
    house: House, tmp_path: Path
) -> None:
    house.manage("import_catalogue", "folder", make_photos(tmp_path / "photos"), "--slug", "photos")
    house.manage("build_contenders", "--catalogue", "photos", "--queue")
    embedding = house.all(Job).filter(kind="embed")

    worker = house.start_worker("ml")
    running = house.wait_for(embedding.filter(state=JobState.RUNNING, done__gte=1, done__lt=F("total")))
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    # The other encoders would only make this one wait.
    embedding.filter(state=JobState.QUEUED).update(state=JobState.CANCELLED)
    space = house.all(EmbeddingSpace).get(pk=running.arguments["spaces"][0])
    vectors = house.home / "artifacts" / f"space-{space.pk}" / "vectors.safetensors"
    assert not vectors.exists()  # nothing half-made is readable

    house.recover()
    house.start_worker("ml")
    ended = house.wait_for(embedding.filter(pk=running.pk, state=JobState.DONE))
    assert ended.attempt == 2
    assert ended.resumed_from > 0  # it went on instead of beginning again

    stored = house.all(Item).order_by("position").values_list("image_sha256", flat=True)
    images = [load_rgb(house.home / "images" / sha[:2] / f"{sha}.webp") for sha in stored]
    undisturbed = create_encoder(space.encoder, "cpu").encode(images)
    np.testing.assert_array_equal(read_arrays(vectors)[0]["vectors"], undisturbed)


def test_33_a_job_that_kills_every_worker_fails_and_the_next_job_is_done(house: House) -> None:
    for kind in ("poison", "harmless"):
        house.all(Job).create(
            kind=kind, queue="io", idempotency_key=kind, title=kind, created_at=timezone.now()
        )
    for _ in range(jobs.MAX_ATTEMPTS):
        house.recover()
        worker = house.start_worker("io", "tests.faults.odd_jobs")
        assert worker.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    house.recover()
    poison = house.all(Job).get(kind="poison")
    assert (poison.state, poison.reason) == (JobState.FAILED, "Its worker died 3 times.")
    house.start_worker("io", "tests.faults.odd_jobs")
    house.wait_for(house.all(Job).filter(kind="harmless", state=JobState.DONE))
