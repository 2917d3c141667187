"""Real workers, killed for good: what was accepted ends as done or as failed with a reason (promise P4)."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from search.engine.arrays import read_arrays
from search.engine.encoders import create_encoder
from search.engine.images import load_rgb

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 90.0
PHOTOS = 300

pytestmark = pytest.mark.timeout(240)


class House:
    """A HOME of its own, with its own database, and the processes that work in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DOPEORNOPE_")}
        self._environment = {**clean, "DOPEORNOPE_HOME": str(home), "PYTHONPATH": str(ROOT)}
        self._processes: list[subprocess.Popen[bytes]] = []

    def manage(self, *arguments: object) -> None:
        command = [sys.executable, "manage.py", *map(str, arguments)]
        ended = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self.home / "processes.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=self._environment, stdout=log, stderr=log
        )
        log.close()
        self._processes.append(process)
        return process

    def start_worker(self, queue: str, application: str = "dopeornope") -> subprocess.Popen[bytes]:
        return self.start(
            *("-m", "celery", "-A", application, "worker", "--pool=solo", "-Q", queue),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        )

    def start_sweeper(self) -> None:
        self.start("manage.py", "sweep")

    def rows(self, query: str) -> list[sqlite3.Row]:
        with sqlite3.connect(self.home / "db.sqlite3", timeout=20) as database:
            database.row_factory = sqlite3.Row
            return database.execute(query).fetchall()

    def write(self, statement: str, *values: Any) -> None:
        with sqlite3.connect(self.home / "db.sqlite3", timeout=20) as database:
            database.execute(statement, values)

    def wait_for(self, query: str) -> sqlite3.Row:
        """The first row of the query, as soon as there is one."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := self.rows(query)):
            jobs = [
                dict(row) for row in self.rows("SELECT title, state, done, attempt, reason FROM search_job")
            ]
            log = (self.home / "processes.log").read_text() if (self.home / "processes.log").exists() else ""
            assert time.monotonic() < deadline, f"no row for {query}:\n{jobs}\n{log}"
            time.sleep(0.02)
        return found[0]

    def close(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A HOME with empty tables, to be copied."""
    home = tmp_path_factory.mktemp("migrated") / "house"
    House(home).manage("migrate", "-v0")
    return home


@pytest.fixture
def house(tmp_path: Path, migrated: Path) -> Iterator[House]:
    house = House(Path(shutil.copytree(migrated, tmp_path / "house")))
    yield house
    house.close()


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


def test_31_a_worker_killed_while_it_embeds_is_replaced_and_the_vectors_are_the_same(house, tmp_path):
    photos = make_photos(tmp_path / "photos")
    house.manage("import_catalogue", "folder", photos, "--slug", "photos")
    house.manage("build_contenders", "--catalogue", "photos", "--queue")

    worker = house.start_worker("ml")
    running = house.wait_for(
        "SELECT * FROM search_job WHERE kind = 'embed' AND state = 'running' AND done BETWEEN 1 AND total - 1"
    )
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    # The other encoders would only make this one wait.
    house.write("UPDATE search_job SET state = 'cancelled' WHERE kind = 'embed' AND state = 'queued'")
    space = json.loads(running["arguments"])["spaces"][0]
    vectors = house.home / "artifacts" / f"space-{space}" / "vectors.safetensors"
    assert not vectors.exists()  # nothing half-made is readable

    house.start_sweeper()
    house.start_worker("ml")
    job = f"SELECT * FROM search_job WHERE id = '{running['id']}'"
    ended = house.wait_for(f"{job} AND state = 'done'")
    assert ended["attempt"] == 2
    assert ended["resumed_from"] > 0  # it went on instead of beginning again

    encoder = house.rows(f"SELECT encoder FROM search_embeddingspace WHERE id = {space}")[0]["encoder"]
    stored = [row["image_sha256"] for row in house.rows("SELECT * FROM search_item ORDER BY position")]
    images = [load_rgb(house.home / "images" / sha[:2] / f"{sha}.webp") for sha in stored]
    undisturbed = create_encoder(encoder, "cpu").encode(images)
    np.testing.assert_array_equal(read_arrays(vectors)[0]["vectors"], undisturbed)


def test_33_a_job_that_kills_every_worker_fails_and_the_next_job_is_done(house):
    now = "2026-01-01 00:00:00"
    house.write(
        "INSERT INTO search_job (id, kind, queue, arguments, idempotency_key, title, state, attempt, fence,"
        " worker, cancel_requested, done, total, resumed_from, message, reason, created_at)"
        " VALUES (?, 'poison', 'io', '{}', 'poison', 'Poison', 'queued', 0, 0, '', 0, 0, 0, 0, '', '', ?)",
        "0" * 32,
        now,
    )
    house.start_sweeper()
    for _ in range(3):
        assert house.start_worker("io", "tests.faults.poison").wait(PATIENCE_SECONDS) == -signal.SIGKILL
    ended = house.wait_for("SELECT * FROM search_job WHERE state = 'failed'")
    assert ended["reason"] == "Its worker died 3 times."


def test_34_a_hint_lost_with_its_sender_is_sent_by_the_sweeper(house, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        Image.new("RGB", (32, 32), (number * 90, 20, 200)).save(photos / f"{number}.png")
    house.manage("import_catalogue", "folder", photos, "--slug", "photos", "--queue")
    # As if the command had died between the commit and the hint.
    for message in (house.home / "broker").glob("*.msg"):
        message.unlink()
    house.write("UPDATE search_job SET hinted_at = NULL")
    house.start_worker("io")
    house.start_sweeper()
    assert house.wait_for("SELECT * FROM search_job WHERE kind = 'import' AND state = 'done'")["attempt"] == 1
