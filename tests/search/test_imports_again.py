"""What an import changes that comes after another of the same source."""

import shutil
from pathlib import Path

import pytest

from search.models import Job, JobState, Label
from search.selectors.catalogues import image_path
from tests.catalogues.sources import picture, write
from tests.search.importing import bring, codes, facts, photos, request, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_decoder")]


def test_importing_the_same_again_does_nothing(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", 12)
    before = facts(bring("folder", source))
    job = request("folder", source)
    assert job.state == JobState.DONE
    assert Job.objects.count() == 1 and facts(job.catalogue) == before


def test_files_that_were_only_touched_are_not_decoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = photos(tmp_path / "in", 12)
    catalogue = bring("folder", source)
    before = (facts(catalogue), catalogue.content_hash)
    shutil.copytree(source, tmp_path / "copy")
    shutil.rmtree(source)
    shutil.copytree(tmp_path / "copy", source, copy_function=shutil.copyfile)
    again = bring("folder", source)
    assert again.report["unchanged"] == 12 and again.report["added"] == again.report["updated"] == 0
    assert (facts(again), again.content_hash) == before


def test_a_source_that_grew_adds_rows_and_moves_nothing(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", 20)
    catalogue = bring("folder", source)
    before = {item.key: (item.position, item.split, item.image_sha256) for item in catalogue.items.all()}
    write(source, {"a/000-new.png": picture(500), "b/zzz.png": picture(501)})
    again = bring("folder", source)
    after = {item.key: (item.position, item.split, item.image_sha256) for item in again.items.all()}
    assert {key: after[key] for key in before} == before
    assert sorted(place for place, _, _ in after.values()) == list(range(22))
    assert again.content_hash != catalogue.content_hash and again.report["added"] == 2


def test_pictures_people_voted_on_are_never_swapped_or_taken_away(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", 10)
    before = facts(bring("folder", source))
    (source / "a" / "000.png").write_bytes(picture(77))
    (source / "b" / "001.png").unlink()
    again = bring("folder", source)
    assert facts(again) == before
    assert codes(again) == {"a/000.png": "changed-image", "b/001.png": "gone"}


def test_corrected_labels_are_taken_over(tmp_path: Path) -> None:
    files = {f"{n}.png": picture(n) for n in range(4)}
    table = "image,kind\n0,shirt\n1,shirt\n2,boot\n3,boot\n"
    write(tmp_path, {**files, "t.csv": table})
    before = bring("table", tmp_path)
    sides = list(before.items.values_list("key", "position", "split"))
    write(tmp_path, {"t.csv": table.replace("1,shirt", "1,coat")})
    after = bring("table", tmp_path)
    assert list(after.items.values_list("category__value", flat=True)) == ["shirt", "coat", "boot", "boot"]
    kinds = Label.objects.filter(item__catalogue=after, attribute__aspect__name="kind")
    assert kinds.count() == 4
    assert list(after.items.values_list("key", "position", "split")) == sides
    assert after.content_hash != before.content_hash
    assert (after.report["updated"], after.report["unchanged"]) == (1, 3)


def test_a_row_that_failed_once_takes_its_own_place_when_it_comes(tmp_path: Path) -> None:
    """What an undisturbed import gives, whatever happened on the way, as long as nothing is settled."""
    source = photos(tmp_path / "in", 10)
    job = request("folder", source)
    calls = 0

    def die_in_the_end(context: object, catalogue: object, writer: object, **_: object) -> None:
        nonlocal calls
        calls += 1
        raise MemoryError("killed before the end")

    hidden = source / "a" / "004.png"
    data = hidden.read_bytes()
    hidden.write_bytes(b"not yet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.services.imports.finish_import", die_in_the_end)
        assert run(job).state == JobState.FAILED and calls == 1
    hidden.write_bytes(data)
    catalogue = bring("folder", source)
    other = bring("folder", source, slug="undisturbed")
    assert facts(catalogue) == facts(other) and catalogue.content_hash == other.content_hash


def test_a_source_that_goes_back_and_forth_is_imported_each_time(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "in", {"p.png": picture(1), "q.png": picture(2), "t.csv": "image,kind\np,a\nq,a\n"}
    )
    for kind in ("a", "b", "a", "b", "a"):
        write(folder, {"t.csv": f"image,kind\np,{kind}\nq,{kind}\n"})
        catalogue = bring("table", folder)
        assert {item.category.value for item in catalogue.items.all() if item.category} == {kind}


def test_a_picture_that_was_lost_comes_back_with_the_next_import(tmp_path: Path) -> None:
    folder = photos(tmp_path / "in", 6)
    catalogue = bring("folder", folder)
    before = facts(catalogue)
    lost = image_path(catalogue.items.all()[3].image_sha256)
    lost.unlink()
    again = bring("folder", folder)
    assert lost.is_file()
    assert facts(again) == before
    assert request("folder", folder).state == JobState.DONE


def test_a_text_that_turns_out_to_be_the_category_later_stays_a_text(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {f"{n}.png": picture(n) for n in range(40)})

    def table(count: int, kinds: int) -> str:
        return "image,kind\n" + "".join(f"{n},kind {n % kinds}\n" for n in range(count))

    write(folder, {"t.csv": table(20, 20)})
    assert bring("table", folder).aspects.get(name="kind").kind == "text"
    write(folder, {"t.csv": table(40, 20)})
    catalogue = bring("table", folder)
    assert [item.texts["kind"] for item in catalogue.items.all()] == [f"kind {n % 20}" for n in range(40)]
    assert not catalogue.items.exclude(category=None).exists()
