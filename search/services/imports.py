"""Imports: asked for once, run as a job that resumes, ended with a report.

An import may be killed at any moment and run again: what stands is recognised by the hash of its source and
left alone, so the end is that of an import nobody disturbed. Once an import is finished its items are
settled: people vote on them, so a later import of the same source adds rows and corrects labels, but never
swaps a picture, moves an item or changes its side of the split.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from search import events
from search.catalogues.registry import open_importer
from search.catalogues.rows import CatalogueUnreadable, ImportOptions
from search.models import Catalogue, CatalogueState, Job, JobState
from search.selectors.catalogues import has_all_pictures
from search.services.image_store import remove_stale_parts
from search.services.import_finish import finish_import
from search.services.import_run import import_rows
from search.services.jobs import JobContext, JobFailed, create_job

KIND = "import"
_SLUG = Catalogue._meta.get_field("slug")
_reserved_slugs: set[str] = set()


@dataclass(frozen=True)
class Source:
    """A source that was opened and looked through: something in it can be imported."""

    format: str
    path: str  # "" where it is drawn
    options: ImportOptions
    fingerprint: str
    generator: str


class SlugTaken(CatalogueUnreadable):
    """Another source was imported under this slug, or an address needs it for something else."""


def reserve_slugs(slugs: Iterable[str]) -> None:
    """Words that stand in addresses where a catalogue's slug stands: no catalogue can be called so."""
    _reserved_slugs.update(slugs)


def request_import(
    *, format: str, path: Path | None, slug: str, options: ImportOptions, now: datetime, title: str = ""
) -> Job:
    """`open_source` and `request_import_of` in one, for who may wait. Raises what they raise."""
    _check_slug(slug)
    source = open_source(format=format, path=path, options=options)
    return request_import_of(source=source, slug=slug, title=title, now=now)


def open_source(*, format: str, path: Path | None, options: ImportOptions) -> Source:
    """Look through a source; no picture is read, and the database is not asked.

    Takes as long as the disk does, for a large table or archive seconds. Raises CatalogueUnreadable where
    nothing could be imported.
    """
    real = path.resolve() if path is not None else None
    if format == "folder" and real is not None and settings.HOME.is_relative_to(real):
        raise CatalogueUnreadable(
            f"{path} holds this site's own files ({settings.HOME}), which would be imported too, again and "
            "again. Give a folder beside them."
        )
    importer = open_importer(format, real, options)
    try:
        return Source(format, str(real or ""), options, importer.fingerprint(), importer.generator)
    finally:
        importer.close()


def request_import_of(*, source: Source, slug: str, now: datetime, title: str = "") -> Job:
    """The job that imports this source under this slug: made, found unfinished, or found done.

    A done job is returned where the source is as it was when it was imported and every picture is in its
    place: there is nothing to do. Raises SlugTaken where the slug belongs to something else,
    CatalogueUnreadable where it cannot be one.
    """
    _check_slug(slug)
    with transaction.atomic():
        catalogue, made = _claim_slug(slug, source, title or _title(slug), now)
        # The source may go back to what it was: the job is of this step, not only of this source.
        step = f"{source.fingerprint[:24]}:{catalogue.source_fingerprint[:24]}"
        if catalogue.source_fingerprint == source.fingerprint and has_all_pictures(catalogue):
            done = Job.objects.filter(catalogue=catalogue, kind=KIND, state=JobState.DONE)
            newest = done.order_by("-finished_at").first()
            if newest is not None:
                return newest
        job = create_job(
            kind=KIND,
            arguments={"format": source.format, "source": source.path, "options": asdict(source.options)},
            key=f"{KIND}:{catalogue.pk}:{step}",
            title=f"Import {catalogue.title}",
            catalogue=catalogue,
            now=now,
            again=True,
        )
        if made:
            # After the jobs' revision, as everywhere: two transactions that take both never wait in a circle.
            events.bump("catalogues")
        return job


def run_import(context: JobContext) -> None:
    """The handler of import jobs."""
    catalogue = context.job.catalogue
    assert catalogue is not None
    arguments: dict[str, Any] = context.job.arguments
    options = ImportOptions.from_json(arguments["options"])
    path = Path(arguments["source"]) if arguments["source"] else None
    began = context.now()
    remove_stale_parts(settings.IMAGES_FOLDER, now=began)
    try:
        importer = open_importer(arguments["format"], path, options)
    except CatalogueUnreadable as error:
        _mark_failed(context, catalogue)
        raise JobFailed(str(error)) from error
    try:
        with context.publish():
            stale = Catalogue.objects.filter(pk=catalogue.pk, state=CatalogueState.FAILED)
            stale.update(state=CatalogueState.IMPORTING)
        catalogue.refresh_from_db()
        fingerprint = importer.fingerprint()
        writer = import_rows(context, catalogue, importer)
        if not writer.order and not catalogue.settled_items:
            _mark_failed(context, catalogue)
            raise JobFailed(_why_nothing(catalogue))
        finish_import(context, catalogue, writer, fingerprint=fingerprint, began=began)
    finally:
        importer.close()


def _check_slug(slug: str) -> None:
    """Raises CatalogueUnreadable for a slug that no catalogue can have, SlugTaken for a reserved one."""
    try:
        _SLUG.clean(slug, None)
    except ValidationError as error:
        raise CatalogueUnreadable(
            f"{slug!r} cannot stand in an address. Use letters, digits, - and _ for the slug, at most "
            f"{_SLUG.max_length} of them."
        ) from error
    if slug in _reserved_slugs:
        raise SlugTaken(
            f"The slug {slug} is taken: in addresses the word means something else. Choose another slug."
        )


def _identity(source: Source) -> dict[str, Any]:
    """What may not change under one slug. The number of items may grow."""
    return {
        "category": source.options.category,
        "group": source.options.group,
        "seed": source.options.seed,
        "generator": source.generator,
    }


def _claim_slug(slug: str, source: Source, title: str, now: datetime) -> tuple[Catalogue, bool]:
    """The catalogue of this slug, and whether it was made now. Raises SlugTaken."""
    settings_of = {"format": source.format, "source": source.path, "options": _identity(source)}
    catalogue, made = Catalogue.objects.get_or_create(
        slug=slug, defaults={"title": title, "created_at": now, **settings_of}
    )
    if made or all(getattr(catalogue, name) == value for name, value in settings_of.items()):
        return catalogue, made
    if catalogue.items.exists() or catalogue.jobs.filter(kind=KIND).unfinished().exists():
        known = {name: value for name, value in catalogue.options.items() if value not in ("", None)}
        raise SlugTaken(
            f"The slug {slug} is taken: it was imported as {catalogue.format} from "
            f"{catalogue.source or 'no file'} with {known}. Choose another slug, or give the same source and "
            "options again."
        )
    for name, value in {**settings_of, "title": title, "state": CatalogueState.IMPORTING}.items():
        setattr(catalogue, name, value)
    catalogue.save()
    return catalogue, made


def _title(slug: str) -> str:
    return slug.replace("-", " ").replace("_", " ").capitalize()


def _mark_failed(context: JobContext, catalogue: Catalogue) -> None:
    with context.publish():
        if not catalogue.settled_items:
            Catalogue.objects.filter(pk=catalogue.pk).update(state=CatalogueState.FAILED)
        events.bump("catalogues")


def _why_nothing(catalogue: Catalogue) -> str:
    first = [row.message for row in catalogue.rejected_rows.all()[:3]]
    return f"Not one row could be imported. The first said: {' / '.join(first)}"
