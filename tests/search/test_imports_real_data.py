"""Real photos and real drawings, a sample of each."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from search.catalogues.rows import ImportOptions
from search.models import Aspect, Catalogue, JobState, Label
from search.selectors.catalogues import image_path
from search.services.imports import request_import
from search.services.jobs import run_in_foreground

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
pytestmark = [pytest.mark.django_db, pytest.mark.data]


def bring(path: Path, slug: str, **options: object) -> Catalogue:
    chosen = ImportOptions(**options)  # type: ignore[arg-type]
    job = request_import(format="table", path=path, slug=slug, options=chosen, now=NOW)
    assert run_in_foreground(job=job, report=lambda _: None).state == JobState.DONE
    return Catalogue.objects.get(slug=slug)


def test_photos_of_clothes_are_split_by_who_sent_them(data_folder: Path) -> None:
    clothing = bring(data_folder / "clothing", "clothing", category="label", group="sender_id", items=120)
    assert clothing.settled_items == 120 and clothing.rejected_rows.count() == 0
    aspects = dict(Aspect.objects.filter(catalogue=clothing).values_list("name", "is_category"))
    assert aspects == {"sender_id": False, "label": True, "kids": False, "colour": False}
    sides: dict[str, set[str]] = {}
    for group, side in clothing.items.values_list("group", "split"):
        sides.setdefault(group, set()).add(side)
    assert len(sides) > 30 and all(len(both) == 1 for both in sides.values())


def test_drawings_with_transparency_stand_on_white(data_folder: Path) -> None:
    emoji = bring(data_folder / "openmoji", "emoji", category="subgroup", items=40)
    assert Aspect.objects.get(catalogue=emoji, is_category=True).name == "subgroup"
    assert set(emoji.items.first().texts) == {"name", "tags"}  # type: ignore[union-attr]
    colours = Label.objects.filter(item__catalogue=emoji, source=Label.Source.COMPUTED)
    assert colours.count() == 40
    corners = []
    for item in emoji.items.all():
        with Image.open(image_path(item.image_sha256)) as stored:
            corners.append(min(stored.convert("RGB").getpixel((0, 0))))  # type: ignore[type-var, arg-type]
    assert sum(corner > 245 for corner in corners) > 35
