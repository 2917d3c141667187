"""manage.py import_catalogue: what it prints, hands over and refuses."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from search.models import Catalogue, CatalogueState, Job, JobState
from tests.catalogues.sources import photo, write, zipped

pytestmark = pytest.mark.django_db


def call(*arguments: object) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("import_catalogue", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_it_imports_here_and_now_and_reports_what_it_left_out(tmp_path: Path) -> None:
    source = write(tmp_path / "in", {"a/1.png": photo(1), "b/2.png": photo(2), "b/3.png": b"no picture"})
    out, err = call("folder", source, "--slug", "shop", "--title", "My shop")
    assert "shop: 2 items (2 added" in out and "1 rows rejected" in out
    assert "row 3 (b/3.png): The file is not a picture" in err
    assert Catalogue.objects.get(slug="shop").title == "My shop"
    assert "Nothing to do: 2 items" in call("folder", source, "--slug", "shop")[0]


def test_auto_looks_what_the_path_is(tmp_path: Path) -> None:
    files = {"one/1.png": photo(1), "two/2.png": photo(2)}
    call("auto", write(tmp_path / "f", dict(files)), "--slug", "folder")
    call("auto", zipped(tmp_path / "z.zip", files), "--slug", "zip")
    table = write(tmp_path / "t", {"t.csv": "image,kind\n1,x\n", "images/1.png": photo(1)})
    call("auto", table, "--slug", "table", "--category", "kind")
    formats = dict(Catalogue.objects.values_list("slug", "format"))
    assert formats == {"folder": "folder", "zip": "zip", "table": "table"}


def test_queue_hands_the_work_to_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hinted: list[Job] = []
    monkeypatch.setattr("search.management.commands.import_catalogue.hint_jobs", hinted.extend)
    source = write(tmp_path / "in", {"1.png": photo(1)})
    out, _ = call("folder", source, "--slug", "shop", "--queue")
    job = Job.objects.get()
    assert job.state == JobState.QUEUED and hinted == [job] and str(job.pk) in out
    assert Catalogue.objects.get().state == CatalogueState.IMPORTING


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tarball", "x", "--slug", "s"], "no format 'tarball'.*folder.*table.*zip.*wardrobe"),
        (["folder", "/nowhere", "--slug", "s"], "/nowhere was not found"),
        (["folder", "--slug", "s"], "Give its path"),
        (["auto", "--slug", "s"], "needs a path"),
        (["wardrobe", "x", "--slug", "s"], "Leave the path out"),
        (["wardrobe", "--slug", "s", "--group", "kind"], "Leave the group out"),
        (["wardrobe", "--slug", "s", "--items", "0"], "at least 1"),
        (["wardrobe", "--slug", "a slug"], "letters, digits"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call(*arguments)
    assert Job.objects.count() == Catalogue.objects.count() == 0


def test_an_import_that_brings_nothing_fails_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Not one row could be imported"):
        call("folder", write(tmp_path / "in", {"1.png": b"no picture"}), "--slug", "shop")
