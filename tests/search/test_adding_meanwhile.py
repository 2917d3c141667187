"""What happens to a catalogue while new items are added to what is built of it."""

import pytest

from search import artifacts
from search.models import BuildState, Catalogue, EmbeddingSpace, Index, Item, JobState
from search.services import extending, jobs
from search.services.removing import request_removal
from tests.factories import NOW
from tests.search.adding import ITEMS, add, ask_to_add, find
from tests.search.importing import bring, run
from tests.search.searching import build

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("one_decoder", "quick_encoders"),
]


def test_what_is_removed_while_new_items_are_looked_at_stays_removed_and_is_served(shop, source, monkeypatch):
    looking = extending._encode

    def look(*asked):
        monkeypatch.setattr(extending, "_encode", looking)
        assert run(request_removal(catalogue=shop, keys=["b/003.png"], now=NOW)).state == JobState.DONE
        return looking(*asked)

    for job in ask_to_add(source, 700):
        monkeypatch.setattr(extending, "_encode", look)
        jobs.run_job(job_id=str(job.pk), worker="elsewhere:1")
        job.refresh_from_db()
        assert job.state == JobState.QUEUED, "what it saw was not the catalogue any more"
        jobs.run_job(job_id=str(job.pk), worker="elsewhere:1")
        job.refresh_from_db()
        assert job.state == JobState.DONE
        run(request_removal(catalogue=shop, keys=["b/003.png"], now=NOW, back=True))
    now = Catalogue.objects.get().content_hash
    assert EmbeddingSpace.objects.of_content(now).count() == EmbeddingSpace.objects.count()
    assert ITEMS in find(0)


def test_what_is_put_back_in_the_middle_is_not_added_at_the_end(source):
    catalogue = bring("folder", source)
    run(request_removal(catalogue=catalogue, keys=["b/003.png"], now=NOW))
    build(Catalogue.objects.get())
    waiting = ask_to_add(source, 700)
    run(request_removal(catalogue=catalogue, keys=["b/003.png"], now=NOW, back=True))
    for job in waiting:
        ended = run(job)
        assert ended.state == JobState.FAILED and "build the contenders again" in ended.reason
    assert not any(space.segments for space in EmbeddingSpace.objects.all())


def test_an_index_that_is_missing_is_built_and_not_passed_over(shop, source):
    Index.objects.filter(space__encoder="colour-histogram", metric="l1").update(state=BuildState.BUILDING)
    add(source, 700)
    assert Index.objects.filter(state=BuildState.READY).count() == 6
    assert ITEMS in find(0, encoder="colour-histogram", metric="l1")


def begin_a_row(position: int) -> None:
    """As an import writes it that has not ended."""
    row = Item.objects.get(position=0)
    row.pk, row.key, row.position = None, "a/half.png", position
    row.save()


def test_a_whole_build_leaves_out_rows_of_an_import_that_goes_on(source):
    catalogue = bring("folder", source)
    begin_a_row(ITEMS)
    build(catalogue)
    for space in EmbeddingSpace.objects.all():
        assert artifacts.read_items(space).tolist() == list(range(ITEMS))


def test_rows_of_an_import_that_goes_on_are_not_added(shop, source):
    for turn, job in enumerate(ask_to_add(source, 700)):
        if turn == 0:
            begin_a_row(ITEMS + 1)
        assert run(job).state == JobState.DONE
    for space in EmbeddingSpace.objects.all():
        assert [segment["items"] for segment in space.segments] == [1]
