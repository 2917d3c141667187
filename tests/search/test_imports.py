"""Imports as a person sees them: what comes in, what is reported, and what goes wrong."""

import errno
import hashlib
import itertools
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from evaluation import urls
from search.catalogues.files import FolderTree
from search.catalogues.rows import CatalogueUnreadable
from search.models import Catalogue, CatalogueState, Item, Job, JobState, Label, Revision, Split
from search.selectors.catalogues import hash_content, image_path
from search.services import image_store, item_writer
from search.services.imports import SlugTaken
from search.services.jobs import cancel_job, run_in_foreground
from tests.catalogues.sources import photo, picture, write, zipped
from tests.engine.pictures import encode, plain
from tests.search.importing import NOW, bring, codes, facts, photos, request, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_decoder")]


def test_a_folder_becomes_a_catalogue(tmp_path: Path) -> None:
    catalogue = bring("folder", photos(tmp_path / "in", 30))
    items = list(catalogue.items.select_related("category"))
    assert (catalogue.state, catalogue.settled_items, catalogue.title) == (CatalogueState.READY, 30, "Shop")
    assert [item.position for item in items] == list(range(30))
    assert {item.category.value for item in items if item.category} == {"a", "b"}
    for item in items:
        stored = image_path(item.image_sha256).read_bytes()
        assert hashlib.sha256(stored).hexdigest() == item.image_sha256
    assert catalogue.content_hash == hash_content(catalogue) != ""
    assert Revision.objects.get(topic="catalogues").number >= 2
    assert 0 < catalogue.report["evaluation_only"] < 30


def test_a_colour_is_computed_only_where_none_is_given(tmp_path: Path) -> None:
    files = {
        f"{name}.png": encode(plain(colour)) for name, colour in (("r", (200, 10, 10)), ("b", (30, 110, 220)))
    }
    computed = bring("folder", write(tmp_path / "f", files), slug="computed")
    assert list(Label.objects.filter(item__catalogue=computed).values_list("attribute__value", "source")) == [
        ("blue", "computed"),
        ("red", "computed"),
    ]
    write(tmp_path / "f", {"t.csv": "image,Colour\nr,Crimson\nb,Navy\n"})
    given = bring("table", tmp_path / "f", slug="given")
    values = Label.objects.filter(item__catalogue=given).values_list("attribute__value", "source")
    assert sorted(values) == [("Crimson", "given"), ("Navy", "given")]


def test_a_box_is_cut_out_before_anything_is_computed(tmp_path: Path) -> None:
    both = plain("red", (100, 50))
    both.paste("blue", (50, 0, 100, 50))
    write(tmp_path, {"p.png": encode(both), "t.csv": "image,x1,y1,x2,y2\np,50,0,100,50\np,0,0,40,50\n"})
    left, right = sorted(bring("table", tmp_path).items.all(), key=lambda item: item.width)
    assert (left.width, right.width) == (40, 50)
    with Image.open(image_path(right.image_sha256)) as stored:
        red, _, blue = stored.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert blue > 200 > 60 > red
    assert left.group == right.group == "p" and left.split == right.split


def test_20_names_in_an_archive_never_become_paths(tmp_path: Path, home: Path) -> None:
    names = ["../../escaped.png", "a\u202egnp.exe.png", "x" * 300 + ".png", "ok.png", "sub/../../e.png"]
    before = {path for path in tmp_path.rglob("*") if home not in path.parents}
    catalogue = bring("zip", zipped(tmp_path / "z.zip", {name: picture(n) for n, name in enumerate(names)}))
    assert {item.key for item in catalogue.items.all()} == {names[1], names[2], "ok.png"}
    after = {path for path in tmp_path.rglob("*") if home not in path.parents}
    assert after - before == {tmp_path / "z.zip"}
    stored = [path for path in home.rglob("*") if path.is_file()]
    assert all(path.parent.parent == home / "images" and len(path.name) == 69 for path in stored)


def test_27_a_file_that_changes_between_listing_and_reading_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = photos(tmp_path / "in", 6)
    victim = source / "a" / "004.png"
    reads, read = 0, FolderTree.read

    def read_and_meddle(tree: FolderTree, *args: object, **options: object) -> bytes:
        nonlocal reads
        reads += 1
        if reads == 1:
            victim.write_bytes(picture(99) + b"!")
        return read(tree, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(FolderTree, "read", read_and_meddle)
    catalogue = bring("folder", source)
    assert codes(catalogue) == {"a/004.png": "changed"}
    assert catalogue.items.count() == 5


def test_near_duplicates_are_noted_and_stand_on_one_side(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {f"{n:02d}.png": photo(n) for n in range(20)}
    with Image.open(write(tmp_path / "in", files) / "07.png") as original:
        files["copy.jpg"] = encode(original.resize((120, 120)), "JPEG", quality=70)
    files["twin.png"] = files["03.png"]
    catalogue = bring("folder", write(tmp_path / "in", files))
    noted = dict(catalogue.items.exclude(near_duplicate_of=None).values_list("key", "near_duplicate_of__key"))
    assert noted == {"copy.jpg": "07.png", "twin.png": "03.png"}
    sides = dict(catalogue.items.values_list("key", "split"))
    assert sides["copy.jpg"] == sides["07.png"] and sides["twin.png"] == sides["03.png"]


def test_groups_stand_on_one_side(tmp_path: Path) -> None:
    lines = [f"{n},{n % 9}" for n in range(36)]
    write(tmp_path, {f"images/{n}.png": picture(n) for n in range(36)})
    write(tmp_path, {"t.csv": "\n".join(["image,sender", *lines])})
    catalogue = bring("table", tmp_path, group="sender")
    sides: dict[str, set[str]] = {}
    for group, side in catalogue.items.values_list("group", "split"):
        sides.setdefault(group, set()).add(side)
    assert len(sides) == 9 and all(len(side) == 1 for side in sides.values())
    assert {next(iter(side)) for side in sides.values()} == {Split.EVALUATION, Split.TRAINABLE}


def test_the_wardrobe_is_drawn_with_both_views_and_grows(tmp_path: Path) -> None:
    small = bring("wardrobe", None, slug="w", items=6, seed=4)
    assert small.options["generator"].startswith("wardrobe ")
    before = list(small.items.values_list("key", "image_sha256", "lifestyle_sha256", "split", "group"))
    assert all(image_path(row[1]).is_file() and image_path(row[2]).is_file() for row in before)
    large = bring("wardrobe", None, slug="w", items=9, seed=4)
    after = list(large.items.values_list("key", "image_sha256", "lifestyle_sha256", "split", "group"))
    assert after[:6] == before and len(after) == 9 and large.report["unchanged"] == 6


def test_a_slug_belongs_to_one_source(tmp_path: Path) -> None:
    bring("folder", photos(tmp_path / "in", 4))
    with pytest.raises(SlugTaken, match="Choose another slug"):
        request("folder", photos(tmp_path / "other", 4))
    with pytest.raises(SlugTaken):
        request("wardrobe", None, items=3)
    with pytest.raises(CatalogueUnreadable, match="letters, digits"):
        request("folder", tmp_path / "in", slug="a b")


def test_the_folder_of_the_site_itself_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a.png": photo(1)})
    with pytest.raises(CatalogueUnreadable, match="own files"):
        request("folder", tmp_path)


def test_a_slug_whose_import_brought_nothing_is_free_again(tmp_path: Path) -> None:
    write(tmp_path / "bad", {"a.png": b"no picture"})
    job = run(request("folder", tmp_path / "bad"))
    assert job.state == JobState.FAILED and "Not one row" in job.reason
    assert Catalogue.objects.get(slug="shop").state == CatalogueState.FAILED
    assert bring("folder", photos(tmp_path / "good", 4)).settled_items == 4


def test_a_source_that_went_away_fails_with_the_reason(tmp_path: Path) -> None:
    job = request("folder", photos(tmp_path / "in", 4))
    shutil.rmtree(tmp_path / "in")
    job = run(job)
    assert job.state == JobState.FAILED and "was not found" in job.reason


def test_a_full_disk_fails_the_job_leaves_no_part_and_a_restart_goes_on(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = photos(tmp_path / "in", 45)
    free, write_bytes = 30, Path.write_bytes

    def write_some(path: Path, data: bytes) -> int:
        nonlocal free
        if home in path.parents:
            free -= 1
            if free < 0:
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write_bytes(path, data)

    monkeypatch.setattr(item_writer, "CHUNK", 20)
    monkeypatch.setattr(Path, "write_bytes", write_some)
    job = run(request("folder", source))
    assert job.state == JobState.FAILED and "disk is full" in job.reason and "Free some space" in job.reason
    assert Item.objects.count() == 20 and list(home.rglob("*.partial")) == []
    free = 10_000
    catalogue = bring("folder", source)
    monkeypatch.undo()
    assert catalogue.settled_items == 45 and catalogue.report["unchanged"] == 20
    other = bring("folder", source, slug="undisturbed")
    assert facts(catalogue) == facts(other) and catalogue.content_hash == other.content_hash


def test_a_cancelled_import_stops_and_can_be_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_writer, "CHUNK", 10)
    source = photos(tmp_path / "in", 45)
    seconds = itertools.count()

    def cancel(seen: Job) -> None:
        if seen.done >= 20 and not seen.is_finished:
            cancel_job(job=Job.objects.get(pk=seen.pk), now=NOW)

    # A clock on which every word is due to be written.
    ended = run_in_foreground(
        job=request("folder", source), report=cancel, now=lambda: NOW + timedelta(seconds=next(seconds))
    )
    assert ended.state == JobState.CANCELLED and Item.objects.count() == 20
    catalogue = bring("folder", source)
    assert [item.position for item in catalogue.items.all()] == list(range(45))


def test_stale_parts_are_cleared_and_fresh_ones_left(home: Path) -> None:
    folder = home / "images" / "ab"
    folder.mkdir(parents=True)
    (folder / ".x.webp.1.partial").write_bytes(b"1")
    written = (folder / ".x.webp.1.partial").stat().st_mtime
    at = datetime.fromtimestamp(written, tz=UTC)
    assert image_store.remove_stale_parts(home / "images", now=at) == 0
    assert image_store.remove_stale_parts(home / "images", now=at.replace(year=at.year + 1)) == 1
    assert list(folder.iterdir()) == []


def test_no_catalogue_takes_an_address_of_the_game(tmp_path: Path) -> None:
    words = {str(each.pattern).split("/")[1] for each in urls.urlpatterns if str(each.pattern)[:5] == "play/"}
    taken = words - {"", "<slug:slug>"}
    assert {"deals", "rounds"} <= taken
    for word in taken:
        with pytest.raises(SlugTaken, match="Choose another slug"):
            request("folder", photos(tmp_path, 1), word)
    assert not Catalogue.objects.exists()


@pytest.mark.parametrize("slug", ["", "two words", "a/b", "s" * 51])
def test_a_slug_that_no_address_takes_is_refused_with_what_is_allowed(tmp_path: Path, slug: str) -> None:
    with pytest.raises(CatalogueUnreadable, match="at most 50"):
        request("folder", photos(tmp_path, 1), slug)
    assert not Catalogue.objects.exists()
