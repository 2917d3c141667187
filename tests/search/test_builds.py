"""Builds: every encoder that can run under every metric, once, whole, and announced."""

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from search import artifacts, events
from search.engine.encoders import plugins
from search.engine.errors import ArtifactDamaged
from search.engine.vectors import VectorStore
from search.models import BuildState, Catalogue, EmbeddingSpace, Index, Job, JobState
from search.selectors.catalogues import image_path
from search.selectors.encoders import list_all_encoders
from search.services import builds, jobs
from tests.factories import NOW, make_catalogue

pytestmark = pytest.mark.django_db(transaction=True)
# Encoders that need no network, so that these tests are about builds.
CHEAP = ("colour-histogram", "gradient-histogram", "random-control")


@pytest.fixture(autouse=True)
def cheap_encoders(monkeypatch):
    every = builds.list_all_encoders()
    monkeypatch.setattr(builds, "list_all_encoders", lambda: [e for e in every if e.name in CHEAP])


@pytest.fixture
def heard(monkeypatch):
    """The indexes that were announced."""
    told = []
    monkeypatch.setattr(events, "_index_built", [lambda index: told.append(index.pk)])
    return told


def build(catalogue: Catalogue) -> list[Job]:
    builds.request_contenders(catalogue=catalogue, now=NOW)
    left = builds.iterate_builds(catalogue=catalogue)
    return [jobs.run_in_foreground(job=job, report=lambda row: None) for job in left]


def test_every_encoder_gets_an_index_per_metric_and_the_control_one(heard):
    catalogue = make_catalogue(items=30)
    ended = build(catalogue)
    assert {job.state for job in ended} == {JobState.DONE}
    ready = Index.objects.filter(state=BuildState.READY)
    found = sorted(ready.values_list("space__encoder", "metric"))
    assert found == [
        ("colour-histogram", "hamming"),
        ("colour-histogram", "l1"),
        ("colour-histogram", "l2"),
        ("gradient-histogram", "hamming"),
        ("gradient-histogram", "l1"),
        ("gradient-histogram", "l2"),
        ("random-control", "l2"),
    ]
    assert sorted(heard) == sorted(ready.values_list("pk", flat=True))


def test_a_mask_is_no_contender_by_hamming_where_all_masks_would_be_the_same_one(heard, monkeypatch):
    every = [info for info in list_all_encoders() if info.network == "thimble-csn"]
    monkeypatch.setattr(builds, "list_all_encoders", lambda: every)
    build(make_catalogue(items=12))
    found = Index.objects.filter(state=BuildState.READY).values_list("space__encoder", "metric")
    assert sorted(found) == [
        ("thimble-csn", "hamming"),
        ("thimble-csn", "l1"),
        ("thimble-csn", "l2"),
        *(
            (f"thimble-csn.{mask}", metric)
            for mask in ("colour", "kind", "pattern")
            for metric in ("l1", "l2")
        ),
    ]


def test_the_first_contender_is_ready_before_the_second_encoder_begins(heard):
    kinds = [job.kind for job in build(make_catalogue(items=12))]
    assert kinds == ["embed", "index", "index", "index", "embed", "index", "index", "index", "embed", "index"]


def test_a_second_build_computes_nothing(heard):
    catalogue = make_catalogue(items=12)
    build(catalogue)
    files = {path: path.stat().st_mtime_ns for path in artifacts.settings.ARTIFACTS_FOLDER.rglob("*")}
    assert build(catalogue) == []
    assert files == {path: path.stat().st_mtime_ns for path in artifacts.settings.ARTIFACTS_FOLDER.rglob("*")}


def test_an_identical_image_is_never_the_nearest_and_neighbours_are_items_by_position(heard):
    catalogue = make_catalogue(items=90)  # of 60 different images
    catalogue.items.filter(position__in=[3, 40]).delete()  # positions need not be dense
    build(catalogue)
    images = dict(catalogue.items.values_list("position", "image_sha256"))
    for index in Index.objects.select_related("space"):
        asked, neighbours = artifacts.read_neighbours(index)
        assert asked.tolist() == sorted(images)
        for position, nearest in zip(asked.tolist(), neighbours.positions[:, 0].tolist(), strict=True):
            assert images[nearest] != images[position]


def test_a_damaged_file_never_serves_and_is_built_again(heard):
    catalogue = make_catalogue(items=12)
    build(catalogue)
    index = Index.objects.filter(space__encoder="colour-histogram", metric="l2").get()
    before = artifacts.read_neighbours(index)[1].positions.copy()
    for path in (artifacts.index_path(index), artifacts.vectors_path(index.space)):
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.unlink()
        path.write_bytes(data)
        artifacts._open_vectors.cache_clear()
        with pytest.raises(ArtifactDamaged):
            artifacts.open_index(index)
        assert {job.state for job in build(catalogue)} == {JobState.DONE}
        artifacts._open_vectors.cache_clear()
        np.testing.assert_array_equal(artifacts.open_index(index).index.neighbours.positions, before)


def test_a_process_that_dies_before_the_announcement_announces_later(monkeypatch):
    catalogue = make_catalogue(items=12)
    told = []

    def die_once(index: Index) -> None:
        if not told:
            told.append("died")
            raise KeyboardInterrupt

        told.append(index.pk)

    monkeypatch.setattr(events, "_index_built", [die_once])
    with pytest.raises(KeyboardInterrupt):
        build(catalogue)
    build(catalogue)
    assert sorted(told[1:]) == sorted(Index.objects.values_list("pk", flat=True))


def test_a_missing_image_fails_the_job_with_the_remedy(heard):
    catalogue = make_catalogue(items=12)
    item = catalogue.items.get(position=5)
    image_path(item.image_sha256).unlink()
    ended = build(catalogue)
    assert {job.state for job in ended} == {JobState.FAILED}
    assert "position 5" in ended[0].reason
    assert "import the catalogue again" in ended[0].reason
    assert not EmbeddingSpace.objects.filter(state=BuildState.READY).exists()


def test_new_images_make_new_spaces_and_retire_the_old_answers(heard):
    catalogue = make_catalogue(items=12)
    build(catalogue)
    old = set(Index.objects.values_list("pk", flat=True))
    catalogue.items.filter(position=11).delete()
    catalogue.content_hash = "f" * 64
    catalogue.save()
    build(catalogue)
    assert set(Index.objects.filter(state=BuildState.RETIRED).values_list("pk", flat=True)) == old
    assert Index.objects.filter(state=BuildState.READY).count() == len(old)


def test_answers_over_an_older_catalogue_that_come_late_are_refused(heard):
    catalogue = make_catalogue(items=12)
    builds.request_contenders(catalogue=catalogue, now=NOW)
    late = [
        jobs.run_in_foreground(job=job, report=lambda row: None)
        for job in catalogue.jobs.filter(kind="embed")
    ]
    assert {job.state for job in late} == {JobState.DONE}
    Catalogue.objects.update(content_hash="f" * 64)
    for job in catalogue.jobs.filter(kind="index"):
        ended = jobs.run_in_foreground(job=job, report=lambda row: None)
        assert (ended.state, "build its contenders again" in ended.reason) == (JobState.FAILED, True)
    assert heard == []


def test_vectors_that_another_database_left_behind_are_not_taken(heard):
    catalogue = make_catalogue(items=12)
    build(catalogue)
    index = Index.objects.filter(space__encoder="colour-histogram", metric="l2").get()
    before = artifacts.open_index(index).index.vectors.rows.copy()
    # The database as it was before this space was embedded; its file holds vectors of other pictures.
    path = artifacts.vectors_path(index.space)
    facts = {"encoder": "colour-histogram", "version": "1", "catalogue": "another"}
    path.unlink()
    with VectorStore(path, count=12, dimensions=before.shape[1], facts=facts) as store:
        store.write(np.arange(12), np.ones_like(before))
        store.finish()
    EmbeddingSpace.objects.filter(pk=index.space_id).update(state=BuildState.BUILDING)
    assert {job.state for job in build(catalogue)} == {JobState.DONE}
    np.testing.assert_array_equal(artifacts.open_vectors(index.space).rows, before)


def test_a_file_that_is_lost_while_a_worker_holds_it_open_is_built_again(heard):
    catalogue = make_catalogue(items=12)
    build(catalogue)
    index = Index.objects.filter(space__encoder="colour-histogram", metric="l2").get()
    artifacts.open_index(index)
    path = artifacts.vectors_path(index.space)
    path.unlink()
    assert [job.kind for job in build(catalogue)] == ["embed"]
    assert path.is_file()


def test_vectors_that_come_out_otherwise_get_new_indexes(heard):
    catalogue = make_catalogue(items=12)
    build(catalogue)
    index = Index.objects.filter(space__encoder="colour-histogram", metric="l2").get()
    # As if the vectors had been lost, and the encoder were not quite the same on this machine.
    EmbeddingSpace.objects.filter(pk=index.space_id).update(state=BuildState.BUILDING, sha256="0" * 64)
    assert [job.kind for job in build(catalogue)] == ["embed", "index", "index", "index"]
    assert Index.objects.filter(state=BuildState.READY).count() == 7


def test_the_plan_for_a_second_import_waits_for_that_import(heard):
    catalogue = make_catalogue(items=12)

    def ask(key: str) -> Job:
        return jobs.create_job(kind="import", arguments={}, key=key, title=key, catalogue=catalogue, now=NOW)

    first = ask("first")
    Job.objects.filter(pk=first.pk).update(state=JobState.DONE)
    plan = builds.request_build(catalogue=catalogue, now=NOW, after=first)
    assert jobs.run_in_foreground(job=plan, report=lambda row: None).state == JobState.DONE
    second = ask("second")
    plan = builds.request_build(catalogue=catalogue, now=NOW, after=second)
    jobs.run_job(job_id=str(plan.pk), worker="elsewhere:1")
    plan.refresh_from_db()
    assert (plan.state, plan.after) == (JobState.QUEUED, second)


def test_the_plan_says_which_plugin_is_broken_and_why(monkeypatch):
    broken = plugins._broken("their-mean", ("their-models", "2.5"), "no licence file")
    every = builds.list_all_encoders()
    monkeypatch.setattr(builds, "list_all_encoders", lambda: [*every, broken])
    plan = builds.request_build(catalogue=make_catalogue(items=12), now=NOW)
    ended = jobs.run_in_foreground(job=plan, report=lambda row: None)
    assert ended.message == (
        "3 jobs to do; their-mean is left out. Repair or uninstall package their-models 2.5: no licence file."
    )


def test_the_command_builds_in_the_foreground_and_says_what_it_skipped(capsys, heard):
    make_catalogue(items=12, slug="demo")
    call_command("build_contenders", catalogue="demo")
    assert "All contenders of “Demo” are ready" in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"there are: demo"):
        call_command("build_contenders", catalogue="nowhere")
