"""An import whose worker is killed at any moment ends like one that nobody disturbed (cases 28 and 31)."""

import os
import signal
from pathlib import Path

import pytest

from search.models import Aspect, Catalogue, CatalogueState, Item, Job, JobState, Label, RejectedRow
from tests.catalogues.sources import picture, write
from tests.faults.house import House

ITEMS = 420

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    files: dict[str, bytes | str] = {f"images/{n:04d}.png": picture(n) for n in range(ITEMS)}
    files["images/0200.png"] = b"no picture at all"
    files["images/0333.png"] = files["images/0011.png"]
    lines = [f"{n:04d},{'shirt' if n % 3 else 'boot'},{n % 7}" for n in range(ITEMS)]
    files["t.csv"] = "\n".join(["image,kind,size", *lines, "gone,shirt,1"])
    return write(tmp_path / "source", files)


def ask(house: House, source: Path, slug: str) -> None:
    house.manage("import_catalogue", "table", source, "--slug", slug, "--queue")


def done(house: House, slug: str) -> Job:
    return house.wait_for(house.all(Job).filter(catalogue__slug=slug, state=JobState.DONE))


def wait_for_half(house: House) -> None:
    house.wait_until(lambda: house.all(Item).count() > ITEMS // 4)
    assert house.all(Item).count() < ITEMS - 2, "it ended before it could be killed"


def everything(house: House, slug: str) -> list[object]:
    """All that an import leaves, but for row numbers of the database."""
    items = house.all(Item).filter(catalogue__slug=slug)
    columns = ("position", "key", "image_sha256", "source_sha256", "details_sha256", "perceptual_hash")
    labels = house.all(Label).filter(item__in=items).order_by("item__position", "attribute__aspect__name")
    catalogue = house.all(Catalogue).filter(slug=slug)
    return [
        *items.values_list(*columns, "width", "split", "near_duplicate_of__key", "category__value"),
        *labels.values_list("item__key", "attribute__aspect__name", "attribute__value", "source"),
        *house.all(Aspect).filter(catalogue__slug=slug).values_list("name", "kind", "position"),
        *house.all(RejectedRow).filter(catalogue__slug=slug).values_list("number", "key", "code", "message"),
        *catalogue.values_list("state", "content_hash", "settled_items"),
    ]


def test_28_an_import_whose_worker_is_killed_half_way_equals_an_undisturbed_one(
    house: House, source: Path
) -> None:
    ask(house, source, "killed")
    worker = house.start_worker("io")
    wait_for_half(house)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    stored = house.all(Item).count()
    catalogue = house.all(Catalogue).get()
    assert (catalogue.state, catalogue.settled_items) == (CatalogueState.IMPORTING, 0)

    house.recover()
    house.start_worker("io")
    assert done(house, "killed").attempt == 2
    report = house.all(Catalogue).get().report
    assert (report["unchanged"], report["added"]) == (stored, ITEMS - 1 - stored)
    pictures = set((house.home / "images").rglob("*"))
    ask(house, source, "undisturbed")
    assert done(house, "undisturbed").attempt == 1
    assert everything(house, "killed") == everything(house, "undisturbed")
    assert set((house.home / "images").rglob("*")) == pictures  # by content, so none is one too many


def test_31_an_import_whose_worker_child_is_killed_goes_on_in_the_next_child(
    house: House, source: Path
) -> None:
    ask(house, source, "killed")
    main = house.start_worker("io", pool="prefork")
    wait_for_half(house)
    mapped = Path(f"/proc/{main.pid}/maps").read_text()
    assert "libtorch" not in mapped and "faiss" not in mapped, "what forks holds no threads that would hang"
    child = int(house.all(Job).get().worker.rpartition(":")[2])
    assert child != main.pid
    os.kill(child, signal.SIGKILL)
    house.wait_until(lambda: not Path(f"/proc/{child}").exists())

    house.recover()
    assert done(house, "killed").attempt == 2
    assert main.poll() is None
    ask(house, source, "undisturbed")
    assert done(house, "undisturbed").attempt == 1
    assert everything(house, "killed") == everything(house, "undisturbed")
