"""Searching with a photo or from an item: what is found, in which order, and what is refused how."""

import uuid
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from search import artifacts
from search.models import (
    BuildState,
    EmbeddingSpace,
    Index,
    Item,
    Job,
)
from search.selectors import searchable
from search.selectors.searches import Area, SearchRefused, Verdict, Wish
from search.services import item_neighbours, searches
from search.services.jobs import run_in_foreground
from search.services.search_plans import make_plan
from tests.factories import NOW, make_catalogue, make_index
from tests.fresh_process import forget_catalogues
from tests.search.searching import (
    answer_now,
    give_colours,
    keep_photo_of,
    make_searchable,
    positions,
    refused,
    search,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def catalogue(monkeypatch):
    return make_searchable(monkeypatch)


def test_the_item_on_a_photo_comes_first_and_distances_grow(catalogue):
    item = Item.objects.get(position=7)
    found = search(photo=keep_photo_of(item), encoder="colour-histogram", metric="l2")
    assert found.candidates[0].item.position == 7
    distances = [candidate.distance for candidate in found.candidates]
    assert distances == sorted(distances)
    assert found.engine.title == "Colour histogram by L2"
    assert found.total == 30 and found.pages == 2 and len(found.candidates) == 24


def test_a_photo_is_judged_once_its_index_is_calibrated_and_only_among_all_items(catalogue):
    give_colours(catalogue)
    wish = {
        "photo": keep_photo_of(Item.objects.get(position=7)),
        "encoder": "colour-histogram",
        "metric": "l2",
    }
    assert search(**wish).verdict.kind == "uncalibrated"
    index = Index.objects.get(space__encoder="colour-histogram", metric="l2")
    job = Job.objects.get(kind="calibrate", arguments__network=index.space.encoder)
    assert run_in_foreground(job=job, report=lambda row: None).state == "done"
    verdict = search(**wish).verdict
    assert verdict.kind == "similar", "too few were asked for anything clear to be promised"
    assert "too few to count on, 15 of the items' own pictures" in verdict.promise
    assert search(**wish, page=2).verdict == verdict, "it is of the search, not of a page"
    assert search(**wish, filters={"colour": ["blue"]}).verdict.words == "Filtered, and so not judged."
    assert search(item=7, encoder="colour-histogram", metric="l2").verdict is None


def test_this_is_it_is_said_of_the_first_shown_alone(catalogue, monkeypatch):
    judged = []

    def judge(known, distances, category, **how):
        judged.append(distances)
        return Verdict("match", "This is it.", "")

    monkeypatch.setattr(searches, "judge_answer", judge)
    plan = make_plan(Wish(catalogue="demo", photo=keep_photo_of(Item.objects.get(position=7))), now=NOW)
    found = searches.find(plan)
    assert searches.describe(plan, found).verdict.kind == "match"
    first, second, *others = found.hits
    for hits in ([second, first, *others], [second, *others]):  # as aspects order them, and cut them off
        assert searches.describe(plan, replace(found, hits=hits)).verdict.kind == "similar"
    assert judged == [[first.distance, second.distance]] * 3, "it is the search that is judged"


def test_an_engine_named_without_a_metric_answers_by_l2(catalogue):
    for metric in ("l1", "hamming"):
        Index.objects.filter(metric=metric).update(ready_at=NOW + timedelta(days=400))
    assert search(item=2, encoder="colour-histogram").engine.metric == "l2"


def test_words_for_distances_never_say_closer_of_what_is_further_away(catalogue):
    from search.engine.closeness import WORDS

    found = search(item=7, encoder="colour-histogram", metric="l1")
    said = [WORDS.index(candidate.closeness) for candidate in found.candidates]
    assert said == sorted(said) and len(set(said)) > 1
    scores = [candidate.score for candidate in found.candidates]
    assert scores == sorted(scores, reverse=True) and all(0 <= score <= 1 for score in scores)


def test_pages_are_parts_of_one_list_and_a_page_beyond_the_last_is_the_last(catalogue):
    first, second = search(item=3), search(item=3, page=2)
    assert not set(positions(first)) & set(positions(second))
    assert sorted([*positions(first), *positions(second)]) == [n for n in range(30) if n != 3]
    assert positions(search(item=3, page=99)) == positions(second)


def test_more_like_an_item_does_not_find_the_item_or_its_near_duplicates(catalogue):
    items = list(Item.objects.order_by("position"))
    Item.objects.filter(position__in=[4, 5]).update(near_duplicate_of=items[3])
    found = search(item=4)
    assert not {3, 4, 5} & set(positions(found))


def test_near_duplicates_are_one_candidate_where_the_nearest_stands(catalogue):
    before = positions(search(item=0))
    nearest, twin = before[1], before[6]
    first, second = sorted((nearest, twin))
    original = Item.objects.get(position=first)
    Item.objects.filter(position=second).update(near_duplicate_of=original)
    forget_catalogues()
    found = search(item=0)
    collapsed = found.candidates[1]
    assert (collapsed.item.position, list(collapsed.duplicates)) == (nearest, [twin])
    assert twin not in positions(found) and found.total == 28


def test_enough_is_found_where_most_items_are_near_duplicates(monkeypatch):
    monkeypatch.setattr(searches, "MOST_CANDIDATES", 4)
    monkeypatch.setattr(searches, "MOST_ASKED", 8)
    catalogue = make_searchable(monkeypatch, items=40)
    items = list(catalogue.items.order_by("position"))
    nearest = positions(search(item=0))
    copies = nearest[:24]
    original = items[min(copies)]
    others = [position for position in copies if position != original.position]
    catalogue.items.filter(position__in=others).update(near_duplicate_of=original)
    forget_catalogues()
    found = search(item=0)
    assert found.total == 4 and set(positions(found)[1:]).isdisjoint(copies)


def test_what_an_import_changed_beside_the_hash_is_seen(catalogue):
    assert not searchable.list_originals(catalogue)
    original = catalogue.items.get(position=0)
    catalogue.items.filter(position=1).update(near_duplicate_of=original)
    catalogue.imported_at = NOW + timedelta(days=1)
    assert searchable.list_originals(catalogue) == {1: 0}


def test_a_catalogue_of_one_item_finds_it_by_photo_and_nothing_next_to_it(monkeypatch):
    make_searchable(monkeypatch, items=1)
    photo = keep_photo_of(Item.objects.get())
    assert positions(search(photo=photo)) == [0]
    alone = search(item=0)
    assert (alone.candidates, alone.total, alone.pages) == ([], 0, 1)


def test_an_area_is_searched_instead_of_the_whole_photo(catalogue):
    photo = keep_photo_of(Item.objects.get(position=7))
    whole = search(photo=photo, encoder="colour-histogram", metric="l2")
    part = search(photo=photo, encoder="colour-histogram", metric="l2", area=Area(0.0, 0.0, 0.5, 0.5))
    assert whole.candidates[0].distance != part.candidates[0].distance


@pytest.mark.parametrize(
    "area",
    [
        Area(0.2, 0.2, 0.0, 0.5),
        Area(0.9, 0.9, 0.5, 0.5),
        Area(0.1, 0.1, 0.01, 0.01),
        Area(float("nan"), 0, 1, 1),
    ],
)
def test_an_area_without_size_or_beyond_the_photo_is_refused(catalogue, area):
    photo = keep_photo_of(Item.objects.get(position=7))
    wrong = refused(photo=photo, area=area)
    assert (wrong.code, wrong.status) == ("bad-area", 422)


def test_what_is_not_there_is_refused_in_words(catalogue):
    assert refused(photo=uuid.uuid4()).code == "no-such-photo"
    assert refused(item=4711).code == "no-such-item"
    assert refused(item=1, encoder="toaster").code == "unknown-engine"
    assert refused(item=1, metric="l9").code == "unknown-engine"
    assert refused(item=1, weights={"colour": 7.0}).code == "bad-weight"
    assert refused().code == refused(item=1, photo=uuid.uuid4()).code == "nothing-asked"
    with pytest.raises(SearchRefused, match="no catalogue"):
        answer_now(Wish(catalogue="elsewhere", item=1), now=NOW)
    make_catalogue(slug="bare", items=2)
    with pytest.raises(SearchRefused, match="cannot be searched yet"):
        answer_now(Wish(catalogue="bare", item=1), now=NOW)


def test_spaces_of_bare_vectors_refuse_photos_and_find_what_is_like_an_item(catalogue):
    space = EmbeddingSpace.objects.get(encoder="colour-histogram")
    EmbeddingSpace.objects.filter(pk=space.pk).update(encoder="brought", family="vectors", title="Brought")
    # The file's facts name the encoder that the row had; what is searched is bound by checksum alone.
    photo = keep_photo_of(Item.objects.get(position=2))
    wrong = refused(photo=photo, encoder="brought")
    assert (wrong.code, wrong.status) == ("refuses-photos", 422) and "vectors alone" in str(wrong)
    assert search(item=2, encoder="brought").candidates
    assert search(photo=photo).engine.encoder == "gradient-histogram"  # the default one for photos


def test_the_default_engine_is_the_one_preferred_outside_then_the_best_learned(catalogue):
    titles = [engine.encoder for engine in searchable.list_engines(catalogue)]
    assert titles[0] == "colour-histogram" or titles[0] == "gradient-histogram"
    trained = make_index(catalogue, encoder="thimble-transfer", family="trained")
    siamese = make_index(catalogue, encoder="thimble-siamese", family="trained")
    make_index(catalogue, encoder="thimble-siamese", family="trained", metric="l1")
    listed = [(engine.encoder, engine.metric) for engine in searchable.list_engines(catalogue)]
    assert listed[:2] == [("thimble-siamese", "l2"), ("thimble-siamese", "l1")]
    assert searchable.list_engines(catalogue)[0].is_default
    prefers = [lambda _: trained.pk]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searchable, "_preferences", prefers)
        assert searchable.list_indexes(catalogue)[0].pk == trained.pk
        patch.setattr(searchable, "_preferences", [lambda _: None])
        assert searchable.list_indexes(catalogue)[0].pk == siamese.pk


def test_a_damaged_index_is_rebuilt_and_another_answers_meanwhile(catalogue):
    chosen = searchable.list_indexes(catalogue)[0]
    path = artifacts.index_path(chosen)
    path.write_bytes(path.read_bytes()[:-9])
    artifacts._open_index.cache_clear()
    forget_catalogues()
    found = search(item=2)
    assert found.candidates
    assert (found.engine.encoder, found.engine.metric) != (chosen.space.encoder, chosen.metric)
    assert "being built again" in found.note
    job = Job.objects.get(kind="build", state="queued")
    Job.objects.filter(pk=job.pk).update(state="done", finished_at=NOW)
    search(item=2)
    assert Job.objects.get(pk=job.pk).state == "done", "what was just built is not built again at once"
    answer_now(Wish(catalogue="demo", item=2), now=NOW + timedelta(seconds=31))
    assert Job.objects.get(pk=job.pk).state == "queued"
    named = refused(item=2, encoder=chosen.space.encoder, metric=chosen.metric)
    assert (named.code, named.status) == ("damaged", 503) and named.retry_after_s
    Index.objects.filter(pk=chosen.pk).update(state=BuildState.BUILDING)  # as the build finds it
    assert refused(item=2, encoder=chosen.space.encoder, metric=chosen.metric).code == "being-built"


def test_the_older_index_of_the_same_encoder_serves_while_the_newer_is_damaged(catalogue):
    newer = Index.objects.get(space__encoder="colour-histogram", metric="l2")
    old_space = EmbeddingSpace.objects.get(pk=newer.space_id)
    old_space.pk, old_space.catalogue_hash = None, "0" * 64
    old_space.save()
    artifacts.space_folder(old_space).mkdir(parents=True)
    for file in artifacts.space_folder(newer.space).iterdir():
        (artifacts.space_folder(old_space) / file.name).write_bytes(file.read_bytes())
    older = Index.objects.create(
        space=old_space,
        metric="l2",
        state=BuildState.RETIRED,
        sha256=newer.sha256,
        created_at=NOW,
        ready_at=NOW,
    )
    path = artifacts.index_path(newer)
    path.write_bytes(b"damaged")
    artifacts._open_index.cache_clear()
    forget_catalogues()
    wish = Wish(catalogue="demo", item=2, encoder="colour-histogram", metric="l2")
    found = answer_now(wish, now=NOW)
    assert found.candidates and "older version" in found.note
    Index.objects.filter(pk=older.pk).delete()
    with pytest.raises(SearchRefused):
        answer_now(replace(wish), now=NOW)


def test_a_photo_is_seen_by_the_version_of_the_encoder_that_made_the_vectors(catalogue):
    EmbeddingSpace.objects.filter(encoder="colour-histogram").update(encoder_version="0")
    wrong = refused(photo=keep_photo_of(Item.objects.get(position=2)), encoder="colour-histogram")
    assert wrong.code == "refuses-photos" and "older version" in str(wrong)


def test_neighbours_by_engine_leave_the_item_out(catalogue):
    originals = searchable.list_originals(catalogue)
    removed = searchable.list_removed(catalogue)
    found = item_neighbours.find(searchable.list_indexes(catalogue), 5, originals, removed)
    shown = item_neighbours.describe(catalogue, found)
    assert len(shown) == 6 and shown[0].engine.is_default
    for one in shown:
        near = [candidate.item.position for candidate in one.candidates]
        assert len(near) == 6 and 5 not in near
        distances = np.array([candidate.distance for candidate in one.candidates])
        assert (np.diff(distances) >= 0).all()
