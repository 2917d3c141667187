"""Imports in the foreground, and what came of them."""

from datetime import UTC, datetime
from pathlib import Path

from search.catalogues.rows import ImportOptions
from search.models import Catalogue, Job, JobState, Label, RejectedRow
from search.services.imports import request_import
from search.services.jobs import run_in_foreground
from tests.catalogues.sources import picture, write

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def request(format: str, path: Path | None, slug: str = "shop", title: str = "", **options: object) -> Job:
    chosen = ImportOptions(**options)  # type: ignore[arg-type]
    return request_import(format=format, path=path, slug=slug, options=chosen, now=NOW, title=title)


def run(job: Job) -> Job:
    return run_in_foreground(job=job, report=lambda _: None)


def bring(format: str, path: Path | None, slug: str = "shop", **options: object) -> Catalogue:
    job = run(request(format, path, slug, **options))
    assert job.state == JobState.DONE, job.reason
    return Catalogue.objects.get(slug=slug)


def facts(catalogue: Catalogue) -> list[tuple[object, ...]]:
    """Everything an item is, but for row numbers of the database."""
    columns = ("position", "key", "image_sha256", "perceptual_hash", "group", "split", "category__value")
    labels = Label.objects.filter(item__catalogue=catalogue).order_by("item__position", "attribute__value")
    said = [
        *labels.values_list("item__key", "attribute__aspect__name", "attribute__value", "source"),
    ]
    return [*catalogue.items.values_list(*columns, "texts", "near_duplicate_of__key"), *said]


def codes(catalogue: Catalogue) -> dict[str, str]:
    return dict(RejectedRow.objects.filter(catalogue=catalogue).values_list("key", "code"))


def photos(folder: Path, count: int) -> Path:
    return write(folder, {f"{'ab'[n % 2]}/{n:03d}.png": picture(n) for n in range(count)})
