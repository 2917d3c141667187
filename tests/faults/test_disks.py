"""Disks that are really full, while an artefact, a checkpoint or a picture is written (case 36)."""

import errno
import http.client
import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from search import artifacts
from search.catalogues.rows import ImportOptions
from search.models import BuildState, Catalogue, Index, Item, Job, JobState
from search.selectors.encoders import list_all_encoders
from search.services import builds, jobs
from search.services.imports import request_import
from search.services.training import request_training
from tests.catalogues.sources import photo, write
from tests.factories import NOW, make_catalogue
from tests.faults.servers import Server
from tests.lessons import make_school, train, wish
from tests.operators import cookie_of, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = ("colour-histogram",)


class Disk:
    """A small file system of its own below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave not one byte."""
        with self._filler.open("ab", buffering=0) as filler:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        filler.write(bytes(size))
                except OSError as error:
                    assert error.errno == errno.ENOSPC

    def make_room(self) -> None:
        self._filler.unlink()

    def files(self) -> dict[str, bytes]:
        found = (path for path in self.folder.rglob("*") if path.is_file() and path != self._filler)
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}


@pytest.fixture
def disk(home: Path) -> Iterator[Disk]:
    """All folders that the site writes to lie on it."""
    folder = home / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256m", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("no disk that may be filled: mounting one needs root (sudo make test, or a container)")
    for name in ("IMAGES_FOLDER", "ARTIFACTS_FOLDER", "UPLOADS_FOLDER"):
        setattr(settings, name, folder / name.split("_")[0].lower())
        getattr(settings, name).mkdir()
    settings.TRAINED_FOLDER = settings.ARTIFACTS_FOLDER / "encoders"
    settings.TRAINING_FOLDER = folder / "training"
    yield Disk(folder)
    # What this process has mapped of it keeps its memory until it is let go.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(autouse=True)
def quick_encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    every = builds.list_all_encoders()
    monkeypatch.setattr(builds, "list_all_encoders", lambda: [e for e in every if e.name in QUICK])


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings tell of every step, however quick they are."""
    monkeypatch.setattr("search.services.job_context.BETWEEN_WRITES", timedelta())


def trained_files() -> dict[str, bytes]:
    found = settings.TRAINED_FOLDER.rglob("*")
    return {
        str(path.relative_to(settings.TRAINED_FOLDER)): path.read_bytes() for path in found if path.is_file()
    }


def weights_of(name: str) -> bytes:
    [path] = (settings.TRAINED_FOLDER / name).glob("*.safetensors")
    return path.read_bytes()


def run(job: Job) -> Job:
    return jobs.run_in_foreground(job=job, report=lambda row: None)


def build(catalogue: Catalogue) -> list[Job]:
    builds.request_contenders(catalogue=catalogue, now=NOW)
    return [run(job) for job in builds.iterate_builds(catalogue=catalogue)]


def assert_failed_for_the_disk(job: Job) -> None:
    assert job.state == JobState.FAILED
    assert "The disk is full" in job.reason and "Free some space" in job.reason


def test_36_vectors_that_do_not_fit_fail_their_job_and_the_old_ones_serve_on(disk: Disk) -> None:
    catalogue = make_catalogue(items=12)
    assert {job.state for job in build(catalogue)} == {JobState.DONE}
    serving = list(Index.objects.filter(state=BuildState.READY))
    before = disk.files()
    Catalogue.objects.update(content_hash="f" * 64)  # as after an import that added something
    catalogue.refresh_from_db()

    disk.fill()
    (failed,) = build(catalogue)
    assert_failed_for_the_disk(failed)
    assert disk.files() == before
    assert list(Index.objects.filter(state=BuildState.READY)) == serving
    for index in serving:
        artifacts.read_neighbours(index)

    disk.make_room()
    jobs.retry_job(job=failed, now=NOW)
    assert run(failed).state == JobState.DONE
    assert {job.state for job in build(catalogue)} == {JobState.DONE}
    ready = Index.objects.filter(state=BuildState.READY)
    assert {index.space.catalogue_hash for index in ready} == {"f" * 64}


def test_36_an_index_that_does_not_fit_fails_its_job_and_leaves_no_part(disk: Disk) -> None:
    catalogue = make_catalogue(items=12)
    (embedding, *_) = builds.request_contenders(catalogue=catalogue, now=NOW)
    assert run(embedding).state == JobState.DONE
    before = disk.files()
    disk.fill()
    indexing = catalogue.jobs.filter(kind="index").order_by("created_at", "id")
    failed = [run(job) for job in indexing]
    for job in failed:
        assert_failed_for_the_disk(job)
    assert disk.files() == before
    assert not Index.objects.filter(state=BuildState.READY).exists()

    disk.make_room()
    for job in failed:
        jobs.retry_job(job=job, now=NOW)
        assert run(job).state == JobState.DONE
    assert Index.objects.filter(state=BuildState.READY).count() == 3


def test_36_pictures_that_do_not_fit_fail_their_import_which_goes_on_later(
    disk: Disk, tmp_path: Path
) -> None:
    source = write(tmp_path / "in", {f"{number}.png": photo(number) for number in range(30)})
    job = request_import(format="folder", path=source, slug="shop", options=ImportOptions(), now=NOW)
    disk.fill()
    assert_failed_for_the_disk(run(job))
    assert disk.files() == {}
    assert not Item.objects.exists()

    disk.make_room()
    jobs.retry_job(job=job, now=NOW)
    assert run(job).state == JobState.DONE
    assert Item.objects.count() == len(disk.files()) == 30


def test_36_a_checkpoint_that_does_not_fit_leaves_the_one_before_from_which_training_goes_on(
    disk: Disk, every_step: None
) -> None:
    school = make_school()
    train(wish(school))
    train(wish(school, name="undisturbed", settings={"seed": 1}))
    serving = trained_files()
    asked = wish(school, settings={"seed": 1})
    checkpoint = f"training/{request_training(asked, now=NOW).fingerprint[:16]}/checkpoint"
    kept: dict[str, bytes] = {}

    def fill_later(job: Job) -> None:
        if job.done == 5:  # checkpoints are written at steps 2, 4, 6 and 8
            disk.fill()
            kept.update(disk.files())

    _, failed = train(asked, report=fill_later)
    assert_failed_for_the_disk(failed)
    assert f"{checkpoint} could not be written" in failed.reason
    assert checkpoint in kept and disk.files() == kept
    assert trained_files() == serving

    disk.make_room()
    steps: list[int] = []
    _, job = train(asked, report=lambda row: steps.append(row.done))
    assert (job.state, steps[0]) == (JobState.DONE, 5)
    assert weights_of("pupil") == weights_of("undisturbed")


def test_36_an_encoder_that_does_not_fit_leaves_the_old_one_serving(disk: Disk, every_step: None) -> None:
    school = make_school()
    train(wish(school))
    serving, listed = trained_files(), list_all_encoders()
    asked = wish(school, settings={"seed": 1})

    training, failed = train(asked, report=lambda job: disk.fill() if job.done == job.total else None)
    assert_failed_for_the_disk(failed)
    assert trained_files() == serving and list_all_encoders() == listed
    assert training.ready_at is None

    disk.make_room()
    steps: list[int] = []
    training, job = train(asked, report=lambda row: steps.append(row.done))
    assert (job.state, set(steps)) == (JobState.DONE, {0}), "nothing was left to learn"
    assert training.ready_at is not None and trained_files() != serving


def test_36_framed_pictures_that_do_not_fit_fail_their_training_which_goes_on_later(
    disk: Disk, every_step: None
) -> None:
    asked = wish(make_school(items=300))
    _, failed = train(asked, report=lambda job: disk.fill() if " 20 of 300" in job.message else None)
    assert_failed_for_the_disk(failed)
    _, failed = train(asked)  # no byte is left
    assert_failed_for_the_disk(failed)
    assert not trained_files()

    disk.make_room()
    said: list[str] = []
    _, job = train(asked, report=lambda row: said.append(row.message))
    assert job.state == JobState.DONE
    assert trained_files()


@pytest.mark.parametrize("size", [1 << 20, 12 << 20])
def test_36_an_upload_that_does_not_fit_is_refused_and_leaves_no_part(
    disk: Disk, settings: pytest.FixtureRequest, size: int
) -> None:
    """A small one lies in memory until it is kept, a large one is written while it is taken apart."""
    settings.FILE_UPLOAD_TEMP_DIR = str(settings.UPLOADS_FOLDER)
    client = sign_in("operator")
    disk.fill()
    upload = SimpleUploadedFile("photos.zip", bytes(size), "application/zip")
    answer = client.post("/operations/import/", {"source": "upload", "title": "Photos", "file": upload})
    assert answer.status_code == (507 if size > settings.FILE_UPLOAD_MAX_MEMORY_SIZE else 422)
    assert "The disk is full" in answer.content.decode()
    assert disk.files() == {}


def test_36_a_body_that_does_not_fit_is_refused_while_it_arrives(disk: Disk, web_home: Path) -> None:
    cookie = cookie_of(sign_in("operator"))
    server = Server(web_home, environment={"TMPDIR": str(disk.folder)})
    server.start()
    try:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        client.request("GET", "/leaderboard/", headers={"Host": "localhost"})
        assert client.getresponse().read()
        disk.fill()
        client.putrequest("POST", "/operations/import/", skip_host=True)
        for name, value in {"Host": "localhost", "Cookie": cookie, "Content-Length": str(12 << 20)}.items():
            client.putheader(name, value)
        client.endheaders(bytes(settings.FILE_UPLOAD_MAX_MEMORY_SIZE + 1))  # more does not lie in memory
        answer = client.getresponse()
        assert (answer.status, b"The disk is full" in answer.read()) == (507, True)
        client.close()
        assert disk.files() == {}
    finally:
        server.stop()
