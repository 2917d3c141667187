"""Real workers, killed for good: what was accepted ends as done or as failed with a reason (promise P4)."""

import json
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
from django.db.models import F
from django.utils import timezone
from PIL import Image

from evaluation.models import Contender
from search.engine.arrays import read_arrays
from search.engine.encoders import create_encoder
from search.engine.images import load_rgb
from search.engine.indexes import build_index
from search.engine.vectors import load_vectors
from search.models import BuildState, Catalogue, EmbeddingSpace, Index, Item, Job, JobState, Split, Training
from search.services import jobs
from tests.factories import NOW
from tests.faults.house import House, is_service
from tests.waiting import PATIENCE_S

PHOTOS = 480
VECTORS, DIMENSIONS = 8000, 512

pytestmark = pytest.mark.timeout(240)


def make_photos(folder: Path, *, count: int = PHOTOS) -> Path:
    """Smooth pictures of full size, all different: slow enough to be killed in the middle of them."""
    folder.mkdir()
    ramp = np.linspace(0, 255, 640, dtype=np.float32)
    for number in range(count):
        channels = [
            np.roll(ramp, number * 2)[None, :],
            np.roll(ramp, number * 5)[:, None],
            number * 255 / count,
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


def test_31_a_worker_killed_while_it_indexes_is_replaced_and_the_index_is_the_same(
    house: House, tmp_path: Path
) -> None:
    """Vectors that somebody brought, so many that the index under L1 takes seconds."""
    catalogue = house.all(Catalogue).create(
        slug="many", title="Many", format="folder", state="ready", created_at=NOW, content_hash="1" * 64
    )
    checksums = [f"{number:064x}" for number in range(VECTORS)]
    house.all(Item).bulk_create(
        Item(
            catalogue=catalogue,
            key=f"{number}",
            position=number,
            image_sha256=checksum,
            source_sha256=checksum,
            perceptual_hash=number,
            width=24,
            height=24,
            split=Split.TRAINABLE if number % 500 else Split.EVALUATION,
        )
        for number, checksum in enumerate(checksums)
    )
    vectors = np.random.default_rng(0).normal(size=(VECTORS, DIMENSIONS)).astype(np.float32)
    np.save(tmp_path / "given.npy", vectors)
    (tmp_path / "given.txt").write_text("\n".join(map(str, range(VECTORS))))
    house.manage("add_vectors", "given", tmp_path / "given.npy", "--catalogue", "many", "--queue")
    indexing = house.all(Job).filter(kind="index")
    indexing.exclude(title__endswith="L1").update(state=JobState.CANCELLED)

    worker = house.start_worker("io")
    house.wait_for(indexing.filter(state=JobState.RUNNING, total=VECTORS))
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    index = house.all(Index).get(metric="l1")
    folder = house.home / "artifacts" / f"space-{index.space_id}"
    assert index.state == BuildState.BUILDING
    assert not (folder / "l1.safetensors").exists()  # nothing half-made is readable

    house.recover()
    house.start_worker("io")
    assert house.wait_for(indexing.filter(state=JobState.DONE)).attempt == 2
    undisturbed = tmp_path / "undisturbed"
    build_index(
        undisturbed,
        load_vectors(folder / "vectors.safetensors"),
        "l1",
        identity=checksums,
        sign_structured=False,
    )
    assert (folder / "l1.safetensors").read_bytes() == undisturbed.read_bytes()
    assert house.all(Contender).count() == 1


STEPS = 160


def train(name: str) -> list[str]:
    """A command line that trains for some seconds; the encoder's name changes nothing of what it learns."""
    told = {
        "steps": STEPS, "side": 32, "batch": 8, "hidden": 16, "validate_every": 40, "checkpoint_every": 5,
        "patience": 0,
    }  # fmt: skip
    pairs = [word for setting, value in told.items() for word in ("--set", f"{setting}={value}")]
    return ["train", "transfer", "--catalogue", "drawn", "--name", name, "--device", "cpu", *pairs]


def test_31_a_training_that_is_killed_goes_on_and_ends_with_the_same_weights(house: House) -> None:
    """First its worker is killed, then the command that goes on with it, and another worker ends it."""
    house.manage("import_catalogue", "wardrobe", "--slug", "drawn", "--items", 40)
    trained = house.home / "artifacts" / "encoders"
    training = house.all(Job).filter(kind="train")

    def kill(process: subprocess.Popen[bytes], *, after: int) -> Job:
        house.wait_for(training.filter(state=JobState.RUNNING, done__gt=after, done__lt=STEPS))
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed = training.get()
        assert killed.state == JobState.RUNNING and killed.done < STEPS
        assert not trained.exists()  # nothing half-made is readable
        [checkpoint] = (house.home / "training").glob("*/checkpoint")
        assert 0 < json.loads(read_arrays(checkpoint)[1]["progress"])["step"] < STEPS
        return killed

    house.manage(*train("pupil"), "--queue")
    first = kill(house.start_worker("ml"), after=5)
    if is_service():  # elsewhere the command sees that the worker is gone
        house.recover()
    second = kill(house.start("manage.py", *train("pupil")), after=first.done + 5)
    assert second.resumed_from > 0

    house.recover()
    house.start_worker("ml")
    ended = house.wait_for(training.filter(state=JobState.DONE))
    assert ended.attempt == 3
    assert ended.resumed_from > first.done  # it went on instead of beginning again

    house.manage(*train("undisturbed"))
    weights = {path.parent.name: path for path in trained.glob("*/*.safetensors")}
    assert weights["pupil"].read_bytes() == weights["undisturbed"].read_bytes()
    assert weights["pupil"].name == weights["undisturbed"].name, "which says the checksum"
    curves = house.all(Training).values_list("curve", flat=True)
    assert len(curves[0]) > STEPS / 2 and curves[0] == curves[1]


@pytest.mark.usefixtures("carrier")
def test_33_a_job_that_kills_every_worker_fails_and_the_next_job_is_done(house: House) -> None:
    for kind in ("poison", "harmless"):
        house.all(Job).create(
            kind=kind, queue="io", idempotency_key=kind, title=kind, created_at=timezone.now()
        )
    for _ in range(jobs.MAX_ATTEMPTS):
        house.recover()
        worker = house.start_worker("io", "tests.faults.odd_jobs")
        assert worker.wait(PATIENCE_S) == -signal.SIGKILL
    house.recover()
    poison = house.all(Job).get(kind="poison")
    assert (poison.state, poison.reason) == (JobState.FAILED, "Its worker died 3 times.")
    house.start_worker("io", "tests.faults.odd_jobs")
    house.wait_for(house.all(Job).filter(kind="harmless", state=JobState.DONE))
