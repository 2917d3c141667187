"""Items that come to a catalogue, or are taken out of it, after it was built."""

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from search import artifacts
from search.engine.errors import ArtifactDamaged
from search.models import BuildState, Calibration, EmbeddingSpace, Index, Item, Job, JobState
from search.selectors import searchable
from search.selectors.calibrations import find_calibration
from search.selectors.navigable_spaces import list_ready_spaces
from search.selectors.searches import Wish
from search.services import embedding, item_neighbours
from search.services.open_indexes import open_indexes
from search.services.removing import RemovalRefused, request_removal
from tests.catalogues.sources import picture, write
from tests.factories import NOW
from tests.fresh_process import forget_catalogues
from tests.operators import sign_in
from tests.search.adding import ITEMS, add, find, finish, remove
from tests.search.importing import bring, run
from tests.search.searching import HISTOGRAMS, answer_now, build

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("one_decoder", "quick_encoders"),
]


def files() -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for space in EmbeddingSpace.objects.all()
        for path in artifacts.space_folder(space).iterdir()
    }


def test_new_items_are_found_while_what_was_built_stays_as_it_was(shop, source):
    before, indexes = files(), set(Index.objects.values_list("pk", "sha256", "state"))
    again = add(source, 700, 701, 3)  # the last shows what an item there shows
    assert again.items.count() == ITEMS + 3
    after = files()
    assert {path: after[path] for path in before} == before, "only segments came"
    assert set(Index.objects.values_list("pk", "sha256", "state")) == indexes
    for metric in ("l1", "l2", "hamming"):
        for encoder in HISTOGRAMS:
            wish = {"encoder": encoder, "metric": metric}
            assert {*find(0, **wish)} >= {ITEMS + 1, ITEMS + 2}
            assert {*find(ITEMS + 1, **wish)} >= {0, ITEMS + 2}
    copy = again.items.get(key="a/new-0003.png")
    assert copy.near_duplicate_of.position == again.items.get(key="b/003.png").position


def test_with_additions_a_search_answers_as_a_whole_build_does(shop, source):
    add(source, 700, 701)
    catalogue = add(source, 702)  # a second segment
    assert {len(space.segments) for space in EmbeddingSpace.objects.all()} == {2}
    wishes = [
        {"item": item, "encoder": encoder, "metric": metric}
        for item in (0, 7, ITEMS, ITEMS + 2)
        for encoder in HISTOGRAMS
        for metric in ("l1", "l2")
    ]

    def told():
        forget_catalogues()
        answers = [answer_now(Wish(catalogue="shop", **wish), now=NOW).candidates for wish in wishes]
        return [[(one.item.position, one.distance) for one in answer] for answer in answers]

    def beside():
        ready = sorted(
            searchable.list_indexes(catalogue), key=lambda index: (index.space.encoder, index.metric)
        )
        exact = [index for index in ready if index.metric != "hamming"]  # whose centre is that of all items
        return [
            [(hit.position, hit.distance) for hit in hits]
            for item in (0, 7, ITEMS, ITEMS + 2)
            for _, hits in item_neighbours.find(exact, item, {}, np.empty(0, np.int64))
        ]

    found, near = told(), beside()
    assert any(position >= ITEMS for hits in near for position, _ in hits)
    build(catalogue)
    assert not any(
        space.segments for space in EmbeddingSpace.objects.filter(catalogue_hash=catalogue.content_hash)
    )
    assert (told(), beside()) == (found, near)


def test_only_new_pictures_are_looked_at_also_by_the_build_that_takes_them_in(shop, source, monkeypatch):
    looked: list[int] = []
    real = embedding._load
    monkeypatch.setattr(embedding, "_load", lambda one: looked.append(one.position) or real(one))
    catalogue = add(source, 700, 701)
    assert {*looked} == {ITEMS, ITEMS + 1}
    looked.clear()
    build(catalogue)
    assert looked == [], "vectors that the same encoder made are taken over"
    assert Index.objects.filter(state=BuildState.RETIRED).count() == Index.objects.count() // 2


def test_when_much_has_come_everything_is_built_anew(shop, source):
    old = set(Index.objects.values_list("pk", flat=True))
    catalogue = add(source, *range(700, 707))  # beyond a tenth of 60
    assert set(Index.objects.filter(state=BuildState.READY).values_list("pk", flat=True)).isdisjoint(old)
    assert not any(space.segments for space in EmbeddingSpace.objects.all())
    assert ITEMS + 6 in find(0)
    assert artifacts.read_items(EmbeddingSpace.objects.latest("pk")).tolist() == list(range(ITEMS + 7))
    assert catalogue.items.count() == ITEMS + 7


def test_a_removed_item_is_nowhere_found_and_can_be_put_back(shop):
    key = shop.items.get(position=4).key
    assert 4 in find(0)
    before = (shop.content_hash, find(0))
    removed = remove(shop, key)
    assert removed.content_hash != shop.content_hash
    assert 4 not in find(0) and shop.items.filter(position=4).exists()
    near = item_neighbours.find(searchable.list_indexes(removed), 0, {}, searchable.list_removed(removed))
    assert all(hit.position != 4 for _, hits in near for hit in hits)
    assert 4 not in searchable.show_items(removed, [4])
    assert {space.composition for space in EmbeddingSpace.objects.all()}.isdisjoint(
        {space.sha256 for space in EmbeddingSpace.objects.all()}
    ), "what was counted of the items before is not believed of those now"
    back = remove(removed, key, back=True)
    assert (back.content_hash, find(0)) == before
    assert Index.objects.filter(state=BuildState.READY).count() == Index.objects.count() == 6


def test_removed_items_leave_filters_and_the_next_build(shop, source):
    catalogue = remove(shop, *shop.items.filter(key__startswith="a/").values_list("key", flat=True))
    assert [filter.aspect for filter in searchable.list_filters(catalogue)]
    counted = {name for one in searchable.list_filters(catalogue) for name, _ in one.values}
    assert "a" not in counted and "b" in counted
    # Half of them are gone, which is much: they are in no index any more.
    kept = set(catalogue.items.present().values_list("position", flat=True))
    for space in EmbeddingSpace.objects.filter(catalogue_hash=catalogue.content_hash):
        assert set(artifacts.read_items(space).tolist()) == kept
    again = bring("folder", source)
    assert set(again.items.present().values_list("position", flat=True)) == kept, "an import brings none back"
    assert again.content_hash == catalogue.content_hash


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([], "one key a line"),
        (["nothing.png"], "no item “nothing.png”"),
        (["x"] * 2, "“x”"),
        (["x\0"], "a character"),
    ],
)
def test_a_removal_of_what_is_not_there_changes_nothing(shop, keys, said):
    with pytest.raises(RemovalRefused, match=said):
        request_removal(catalogue=shop, keys=[*keys, *[shop.items.first().key] * bool(keys)], now=NOW)
    assert (
        not Item.objects.exclude(removed_at=None).exists() and not Job.objects.filter(kind="remove").exists()
    )


def test_the_last_item_is_not_removed(shop):
    job = run(request_removal(catalogue=shop, keys=list(shop.items.values_list("key", flat=True)), now=NOW))
    assert job.state == JobState.FAILED and "No item would be left" in job.reason
    assert shop.items.present().count() == ITEMS


def test_the_commands_add_and_remove(shop, source, capsys):
    write(source, {"a/new.png": picture(700)})
    bring("folder", source)
    call_command("build_contenders", catalogue="shop", add=True)
    assert ITEMS in find(0) and {len(space.segments) for space in EmbeddingSpace.objects.all()} == {1}
    listed = source.parent / "keys.txt"
    listed.write_text("a/new.png\n\n")
    call_command("remove_items", "b/001.png", catalogue="shop", file=listed)
    assert "2 removed" in capsys.readouterr().out
    assert {ITEMS, shop.items.get(key="b/001.png").position}.isdisjoint(find(0))
    call_command("remove_items", catalogue="shop", file=listed, back=True)
    assert ITEMS in find(0)
    with pytest.raises(CommandError, match="no item “nothing”"):
        call_command("remove_items", "nothing", catalogue="shop")
    with pytest.raises(CommandError, match="one key a line"):
        call_command("remove_items", catalogue="shop", file=source.parent / "nowhere.txt")


def test_the_operator_removes_items_on_the_page(shop, monkeypatch):
    monkeypatch.setattr("search.tasks.hint_jobs", lambda jobs: None)
    client = sign_in("operator")
    assert "Remove items" in client.get("/operations/catalogues/").content.decode()
    for keys, said in (
        ("a\0", "a character that no key has"),
        ("nothing.png", "has no item “nothing.png”"),
        ("a/000.png\r\n", "is on its way"),
    ):
        answer = client.post("/operations/catalogues/shop/items/", {"keys": keys}, follow=True)
        assert said in answer.content.decode()
    finish(run(Job.objects.get(kind="remove")) and Job.objects.get(kind="build", state="queued"))
    assert shop.items.get(key="a/000.png").position not in find(1)


def test_a_damaged_segment_is_refused_and_a_build_takes_its_place(shop, source):
    catalogue = add(source, 700)
    space = EmbeddingSpace.objects.get(encoder="colour-histogram")
    path = artifacts.space_folder(space) / space.segments[0]["file"]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.unlink()
    path.write_bytes(data)
    forget_catalogues()
    with pytest.raises(ArtifactDamaged):
        open_indexes.open(space.indexes.select_related("space").first())
    found = answer_now(Wish(catalogue="shop", item=0), now=NOW)
    chosen = searchable.list_indexes(catalogue)[0].space.encoder
    assert found.candidates and (chosen != "colour-histogram" or "being built again" in found.note)
    build(catalogue)
    assert ITEMS in find(0, encoder="colour-histogram", metric="l2")


def test_games_go_on_with_what_was_embedded(shop, source):
    before = [space.pk for space in list_ready_spaces(shop)]
    assert [space.pk for space in list_ready_spaces(add(source, 700))] == before
    assert before


def test_a_calibration_of_the_items_before_is_void(shop, source):
    index = Index.objects.select_related("space").first()
    Calibration.objects.create(
        index=index,
        index_sha256=index.sha256,
        vectors_sha256=index.space.composition,
        asking="changed",
        limits={},
        alpha=0.05,
        queries=1,
        created_at=NOW,
    )
    row = Calibration.objects.get()
    add(source, 700)
    changed = Index.objects.select_related("space").get(pk=index.pk)
    assert changed.space.composition != row.vectors_sha256 and find_calibration(changed) is None


def test_a_server_of_vectors_answers_the_same_with_what_came_and_went(source, settings, vectors_server):
    settings.VECTORS = vectors_server.arguments
    catalogue = bring("folder", source)
    build(catalogue)
    add(source, 700, 701)
    remove(catalogue, "b/003.png")
    wishes = [
        {"encoder": encoder, "metric": metric} for encoder in HISTOGRAMS for metric in ("l1", "hamming")
    ]
    by_server = [find(item, **wish) for wish in wishes for item in (0, ITEMS + 1)]
    settings.VECTORS = None
    forget_catalogues()
    assert [find(item, **wish) for wish in wishes for item in (0, ITEMS + 1)] == by_server
    assert all(ITEMS in found or ITEMS + 1 in found for found in by_server)
