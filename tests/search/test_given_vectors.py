"""Vectors that people bring: what fits is used, what does not is named."""

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from search import artifacts
from search.models import BuildState, Index, Job
from search.services import builds
from tests.factories import NOW, make_catalogue

pytestmark = pytest.mark.django_db(transaction=True)


def write(folder, keys, vectors):
    np.save(folder / "mine.npy", vectors)
    (folder / "mine.txt").write_text("\n".join(keys))
    return folder / "mine.npy"


def test_good_vectors_compete_and_bad_ones_are_left_out_by_name(tmp_path, capsys):
    catalogue = make_catalogue(items=12, slug="demo")
    keys = list(catalogue.items.order_by("position").values_list("key", flat=True))
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(12, 8)).astype(np.float32)
    vectors[3, 2] = np.nan
    vectors[1] = vectors[0] + 1e-3
    given = [*keys[:11], "stranger"]
    call_command("add_vectors", "mine", write(tmp_path, given, vectors), catalogue="demo")
    said = capsys.readouterr().err
    assert keys[3] in said
    assert "stranger" in said
    assert keys[11] in said
    ready = Index.objects.filter(space__encoder="mine", state=BuildState.READY)
    assert sorted(ready.values_list("metric", flat=True)) == ["hamming", "l1", "l2"]
    asked, found = artifacts.read_neighbours(ready.get(metric="l2"))
    assert asked.tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert found.positions[0, 0] == 1
    assert 3 not in found.positions[:, :8]

    files = {path: path.stat().st_mtime_ns for path in artifacts.settings.ARTIFACTS_FOLDER.rglob("v*")}
    jobs = Job.objects.count()
    call_command("add_vectors", "mine", tmp_path / "mine.npy", catalogue="demo")
    assert Job.objects.count() == jobs
    assert files == {
        path: path.stat().st_mtime_ns for path in artifacts.settings.ARTIFACTS_FOLDER.rglob("v*")
    }


@pytest.mark.parametrize(
    ("name", "keys", "vectors", "complaint"),
    [
        ("mine", ["a", "b"], np.zeros((2, 4), np.float32), "None of the vectors' keys"),
        ("mine", ["a"], np.zeros((2, 4), np.float32), "2 vectors, but mine.txt has 1 keys"),
        ("colour-histogram", ["a"], np.zeros((1, 4), np.float32), "another name"),
        ("mine", ["a"], np.zeros(4, np.float32), "of shape"),
    ],
)
def test_unusable_files_are_refused_and_nothing_is_kept(tmp_path, name, keys, vectors, complaint):
    make_catalogue(items=6, slug="demo")
    with pytest.raises(CommandError, match=complaint):
        call_command("add_vectors", name, write(tmp_path, keys, vectors), catalogue="demo")
    assert not Index.objects.exists()


def test_a_later_build_leaves_the_newer_of_two_files_standing(tmp_path):
    catalogue = make_catalogue(items=12, slug="demo")
    keys = list(catalogue.items.values_list("key", flat=True))
    for seed in (0, 1):
        vectors = np.random.default_rng(seed).normal(size=(12, 8)).astype(np.float32)
        call_command("add_vectors", "mine", write(tmp_path, keys, vectors), catalogue="demo")
    mine = Index.objects.filter(space__encoder="mine")
    newer = set(mine.filter(state=BuildState.READY).values_list("pk", flat=True))
    assert len(newer) == 3
    builds.request_contenders(catalogue=catalogue, now=NOW)
    assert set(mine.filter(state=BuildState.READY).values_list("pk", flat=True)) == newer
    assert mine.filter(state=BuildState.RETIRED).count() == 3
