"""Files of a space and its index that are not what was written: refused, while the game goes on (case 30)."""

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from evaluation.models import Contender
from search import artifacts
from search.engine.arrays import Layout, header, read_arrays, write_arrays
from search.engine.errors import ArtifactDamaged
from search.models import BuildState, Catalogue, EmbeddingSpace, Index, Job, JobState
from search.services import builds, jobs
from search.services.measuring import measure_matches
from tests.evaluation.decks import Deck
from tests.factories import NOW, make_catalogue

pytestmark = pytest.mark.django_db(transaction=True)

FILES = ("vectors.safetensors", "items.safetensors", "l2.safetensors")
FLIPS = 40

Damage = Callable[[bytes], bytes]


@pytest.fixture(autouse=True)
def one_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    every = builds.list_all_encoders()
    quick = [encoder for encoder in every if encoder.name == "colour-histogram"]
    monkeypatch.setattr(builds, "list_all_encoders", lambda: quick)


@pytest.fixture
def built() -> Catalogue:
    """A catalogue with its contenders, as a build leaves it."""
    catalogue = make_catalogue(items=24)
    builds.request_contenders(catalogue=catalogue, now=NOW)
    finish_jobs(catalogue)
    assert Contender.objects.count() == 3
    return catalogue


def finish_jobs(catalogue: Catalogue) -> None:
    for job in builds.iterate_builds(catalogue=catalogue):
        assert jobs.run_in_foreground(job=job, report=lambda row: None).state == JobState.DONE


def folder() -> Path:
    return artifacts.space_folder(EmbeddingSpace.objects.get())


def replace(path: Path, data: bytes) -> None:
    """Other bytes under the same name; nobody here has them open yet."""
    path.unlink()
    path.write_bytes(data)
    forget()


def forget() -> None:
    """Nobody has anything open, as in a fresh process."""
    artifacts._open_vectors.cache_clear()
    artifacts._open_index.cache_clear()


def is_refused(metric: str = "l2", read: Callable[[Index], object] = artifacts.open_index) -> bool:
    """Whether nobody gets an answer out of the index."""
    index = Index.objects.select_related("space").get(metric=metric)
    try:
        read(index)
    except ArtifactDamaged:
        return True
    return False


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def grow(data: bytes) -> bytes:
    return data + bytes(4096)


def empty(data: bytes) -> bytes:
    return b""


def claim_a_huge_header(data: bytes) -> bytes:
    return struct.pack("<Q", 2**62) + data[8:]


def flip(data: bytes) -> bytes:
    changed = bytearray(data)
    changed[len(data) // 2] ^= 16
    return bytes(changed)


@pytest.mark.parametrize("name", FILES)
def test_30_no_flipped_bit_goes_unnoticed(built: Catalogue, name: str) -> None:
    path = folder() / name
    data = path.read_bytes()
    chance = random.Random(name)
    for _ in range(FLIPS):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        replace(path, bytes(changed))
        assert is_refused()
    replace(path, data)
    assert not is_refused()


@pytest.mark.parametrize("name", ["items.safetensors", "l1.safetensors", "l2.safetensors"])
def test_30_a_whole_file_that_is_not_the_one_its_row_names_is_refused_and_built_again(
    built: Catalogue, name: str
) -> None:
    """As after files were brought back from an older copy: every checksum within it is right."""
    path = folder() / name
    data = path.read_bytes()
    arrays, facts = read_arrays(path)
    replace(path, b"")  # what was read is mapped, and stays
    if name == "items.safetensors":
        write_arrays(path, arrays, {**facts, "of": "0" * 64})
    else:
        nearest = arrays["positions"][::-1].copy()
        write_arrays(path, {**arrays, "positions": nearest}, facts)
    forget()
    metric = "l1" if name == "l1.safetensors" else "l2"
    assert is_refused(metric) and is_refused(metric, artifacts.read_neighbours)
    builds.request_contenders(catalogue=built, now=NOW)
    assert built.jobs.unfinished().exists()
    finish_jobs(built)
    assert path.read_bytes() == data and not is_refused(metric)


@pytest.mark.parametrize("shape", [(2**40, 2**20), (-24, -64), (2**70,), (24, -1)])
def test_30_a_header_that_vouches_for_impossible_sizes_is_refused(
    built: Catalogue, shape: tuple[int, ...]
) -> None:
    """Not an accident but a forgery: every checksum in it is right."""
    path = folder() / "vectors.safetensors"
    (layout,) = [Layout("F32", shape, "0" * 64)]
    data = path.read_bytes()
    replace(path, header({"vectors": layout}, read_arrays(path)[1]) + data[4096:])
    assert is_refused()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [flip, cut, grow, empty, claim_a_huge_header])
def test_30_the_game_goes_on_and_the_operator_gets_the_same_bytes_built_again(
    built: Catalogue, client: Client, name: str, damage: Damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in folder().iterdir()}
    replace(folder() / name, damage(before[name]))
    assert is_refused()
    with pytest.raises(ArtifactDamaged):
        measure_matches(catalogue=built, queries=10, gallery=24, seed=0)
    # What players are asked was answered before, and stands in the database.
    assert len(Deck(built.slug).deal(6)["deals"]) == 6

    user = User.objects.create(username="operator")
    user.groups.add(Group.objects.get_or_create(name="operator")[0])
    client.force_login(user)
    monkeypatch.setattr("search.tasks.hint_jobs", lambda asked: None)
    assert client.post(f"/operations/catalogues/{built.slug}/build/").status_code == 302
    plan = Job.objects.get(kind="build", state=JobState.QUEUED)
    assert jobs.run_in_foreground(job=plan, report=lambda row: None).state == JobState.DONE
    assert built.jobs.unfinished().exists()
    finish_jobs(built)
    assert {path.name: path.read_bytes() for path in folder().iterdir()} == before
    assert not is_refused()
    assert Index.objects.filter(state=BuildState.READY).count() == 3
    assert Contender.objects.filter(retired_at=None).count() == 3
