"""Maps as jobs: asked for once, made whole or not at all, and never of vectors that were replaced."""

import io

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from search import artifacts
from search.engine.errors import ArtifactDamaged
from search.engine.layouts import LayoutRefused
from search.engine.vectors import VectorStore
from search.models import BuildState, Job, JobState, Layout, Method, Metric, Queue
from search.selectors.layouts import is_outdated, list_layout_rows
from search.services import mapping_run
from search.services.jobs import cancel_job, run_in_foreground
from search.services.mapping import repair_layout, request_layout
from tests.factories import NOW, make_catalogue
from tests.search.spaces import make_space

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("every_word")]


@pytest.fixture
def space():
    return make_space(make_catalogue(items=30), "pupil", rows=30, build=False)


def ask(space, *, metric=Metric.L2, method=Method.TSNE, seed=0, **parameters):
    return request_layout(
        space=space, metric=metric, method=method, parameters=parameters, seed=seed, now=NOW
    )


def run(job: Job, report=lambda row: None) -> Job:
    return run_in_foreground(job=job, report=report)


def make(space, **how) -> Layout:
    layout, job = ask(space, **how)
    assert run(job).state == JobState.DONE, job.reason
    layout.refresh_from_db()
    return layout


def files_of(space) -> set[str]:
    return {path.name for path in artifacts.space_folder(space).iterdir() if "map" in path.name}


def replace_vectors(space) -> None:
    """As when an encoder's space is embedded once more, and comes out otherwise."""
    path = artifacts.vectors_path(space)
    path.unlink()
    with VectorStore(path, count=30, dimensions=8, facts=artifacts._facts_about(space)) as store:
        store.write(np.arange(30), np.random.default_rng(99).normal(size=(30, 8)).astype(np.float32))
        stored = store.finish()
    artifacts.write_items(space, np.arange(30), of=stored)
    space.sha256 = stored.sha256
    space.save()


@pytest.mark.parametrize("method", list(Method))
def test_a_map_is_made_by_a_worker_and_keeps_what_it_was_made_from(space, method):
    layout, job = ask(space, method=method, seed=7)
    assert (job.kind, job.queue, job.state) == ("map", Queue.ML, JobState.QUEUED)
    assert run(job).state == JobState.DONE, job.reason
    layout.refresh_from_db()
    opened = artifacts.open_layout(layout)
    assert opened.items.tolist() == list(range(30))
    assert opened.places.shape == (30, 2)
    assert (layout.state, layout.items, layout.seed) == (BuildState.READY, 30, 7)
    assert layout.vectors_sha256 == space.sha256
    assert 0 <= layout.kept <= 1
    [row] = list_layout_rows(now=NOW)
    assert row.title == f"pupil by L2, {method.label}"
    assert "seed 7" in row.parameters
    assert row.job.state == JobState.DONE


def test_the_same_asked_for_twice_is_one_map_and_another_seed_another(space):
    layout = make(space, seed=1)
    before = artifacts.layout_path(layout).read_bytes()
    again, job = ask(space, seed=1)
    assert (again.pk, job) == (layout.pk, None)
    other = make(space, seed=2)
    assert other.pk != layout.pk
    assert artifacts.layout_path(layout).read_bytes() == before
    Layout.objects.all().delete()
    artifacts.layout_path(layout).unlink()
    assert artifacts.open_layout(make(space, seed=1)).places.tobytes() in before, "by the seed alone"


def test_what_cannot_be_is_refused_before_anything_is_queued(space):
    for how, words in (
        ({"perplexity": 10}, "Perplexity is 10; over 30 items it may be from 1 to 9.6"),
        ({"seed": -1}, "The seed is -1"),
        ({"seed": 2**31}, "The seed is"),
        ({"method": Method.UMAP, "neighbours": 1}, "Neighbours is 1"),
    ):
        with pytest.raises(LayoutRefused, match=words):
            ask(space, **how)
    few = make_space(make_catalogue(items=4, slug="few"), "pupil", rows=4, build=False)
    with pytest.raises(LayoutRefused, match="There are 4 items; a map needs at least 5"):
        ask(few)
    space.state = BuildState.BUILDING
    with pytest.raises(LayoutRefused, match="not embedded yet"):
        ask(space)
    assert not Layout.objects.exists()
    assert not Job.objects.filter(kind="map").exists()


def test_vectors_that_are_all_equal_end_the_job_with_the_reason():
    equal = make_space(make_catalogue(items=8), "pupil", vectors=np.ones((8, 4)), build=False)
    _, job = ask(equal)
    done = run(job)
    assert done.state == JobState.FAILED
    assert "All vectors are equal" in done.reason


@pytest.mark.parametrize("part", ["neighbours", "steps of t-SNE"])
def test_a_map_that_is_cancelled_midway_leaves_no_file(space, part):
    layout, job = ask(space)

    def cancel(row):
        if row.message == part:
            cancel_job(job=Job.objects.get(pk=row.pk), now=NOW)

    assert run(job, cancel).state == JobState.CANCELLED
    layout.refresh_from_db()
    assert layout.state == BuildState.BUILDING
    assert files_of(space) == set()
    again, job = ask(space)
    assert again.pk == layout.pk
    assert run(job).state == JobState.DONE


def test_a_map_of_vectors_that_were_replaced_is_outdated_and_gives_way_to_the_next(space):
    layout = make(space)
    replace_vectors(space)
    layout.refresh_from_db()
    assert is_outdated(Layout.objects.select_related("space__catalogue").get())
    assert [row.is_outdated for row in list_layout_rows(now=NOW)] == [True]
    assert repair_layout(layout=layout, now=NOW) is None, "it would be a map of something else"
    newer = make(space)
    assert newer.pk != layout.pk
    assert [row.pk for row in list_layout_rows(now=NOW)] == [newer.pk]
    assert files_of(space) == {artifacts.layout_path(newer).name}


def test_a_map_of_a_catalogue_that_was_imported_again_is_outdated(space):
    make(space)
    space.catalogue.content_hash = "1" * 64
    space.catalogue.save()
    assert [row.is_outdated for row in list_layout_rows(now=NOW)] == [True]
    with pytest.raises(LayoutRefused, match="what the catalogue was before"):
        ask(space)


def test_a_space_that_is_rebuilt_while_its_map_is_made_ends_the_job_and_nothing_is_served(space, monkeypatch):
    made = mapping_run.make_layout

    def rebuilt_meanwhile(*given, **named):
        replace_vectors(space)
        return made(*given, **named)

    monkeypatch.setattr(mapping_run, "make_layout", rebuilt_meanwhile)
    layout, job = ask(space)
    done = run(job)
    assert done.state == JobState.FAILED
    assert "were replaced after this map was asked for" in done.reason
    layout.refresh_from_db()
    assert (layout.state, layout.sha256) == (BuildState.BUILDING, "")


@pytest.mark.parametrize("harm", ["flipped", "cut", "gone", "another's"])
def test_a_damaged_file_is_refused_named_and_made_again(space, harm):
    layout = make(space)
    path = artifacts.layout_path(layout)
    whole = path.read_bytes()
    if harm == "gone":
        path.unlink()
    elif harm == "another's":
        path.write_bytes(artifacts.layout_path(make(space, seed=1)).read_bytes())
    else:
        path.write_bytes(whole[:-5] + (b"" if harm == "cut" else bytes(byte ^ 1 for byte in whole[-5:])))
    with pytest.raises(ArtifactDamaged, match=path.name):
        artifacts.check_layout(layout)
    again, job = ask(space)
    assert again.pk == layout.pk
    assert again.state == BuildState.BUILDING
    assert run(job).state == JobState.DONE
    assert path.read_bytes() == whole, "the same, by the seed"


def test_a_damaged_space_is_named(space):
    _, job = ask(space)
    path = artifacts.vectors_path(space)
    path.write_bytes(path.read_bytes()[:-4])
    artifacts._open_vectors.cache_clear()
    done = run(job)
    assert done.state == JobState.FAILED
    assert "The vectors of pupil are damaged" in done.reason


def call(*words: str) -> str:
    out = io.StringIO()
    call_command("make_map", *words, stdout=out)
    return out.getvalue()


def test_the_command_makes_a_map_and_says_how_much_it_keeps():
    make_space(make_catalogue(items=24), "pupil", rows=24)
    words = ("--catalogue", "demo", "--encoder", "pupil", "--metric", "l1", "--perplexity", "5")
    printed = call(*words)
    layout = Layout.objects.get()
    assert printed.startswith(f"/maps/{layout.pk}/ pupil by L1, t-SNE, perplexity 5, seed 0: 24 items")
    assert call(*words) == printed, "it is there already"
    assert Job.objects.filter(kind="map").count() == 1


def test_the_command_names_what_it_has_not(monkeypatch):
    make_space(make_catalogue(items=24), "pupil", rows=24)
    with pytest.raises(CommandError, match="There is no embedding space “mine” of “demo”; there are: pupil"):
        call("--catalogue", "demo", "--encoder", "mine")
    with pytest.raises(CommandError, match="Perplexity is 30"):
        call("--catalogue", "demo", "--encoder", "pupil", "--perplexity", "30")


def test_the_command_hands_over_to_workers(hints):
    make_space(make_catalogue(items=24), "pupil", rows=24)
    assert "is queued" in call("--catalogue", "demo", "--encoder", "pupil", "--queue")
    assert Job.objects.get(kind="map").state == JobState.QUEUED
