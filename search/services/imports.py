"""Imports: asked for once, run as a job that resumes, ended with a report.

An import may be killed at any moment and run again: what stands is recognised by the hash of its source and
left alone, so the end is that of an import nobody disturbed. Once an import is finished its items are
settled: people vote on them, so a later import of the same source adds rows and corrects labels, but never
swaps a picture, moves an item or changes its side of the split.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from search import events
from search.catalogues.registry import open_importer
from search.catalogues.rows import CatalogueUnreadable, Importer, ImportOptions
from search.models import Catalogue, CatalogueState, Job, JobState
from search.selectors.catalogues import has_all_pictures
from search.services.image_store import remove_stale_parts
from search.services.import_finish import finish_import
from search.services.import_run import import_rows
from search.services.jobs import JobContext, JobFailed, create_job

KIND = "import"
_SLUG = Catalogue._meta.get_field("slug")
_reserved_slugs: set[str] = set()


class SlugTaken(CatalogueUnreadable):
    """Another source was imported under this slug, or an address needs it for something else."""


def reserve_slugs(slugs: Iterable[str]) -> None:
    """Words that stand in addresses where a catalogue's slug stands: no catalogue can be called so."""
    _reserved_slugs.update(slugs)


def request_import(
    *, format: str, path: Path | None, slug: str, options: ImportOptions, now: datetime, title: str = ""
) -> Job:
    """The job that imports this source under this slug: made, found unfinished, or found done.

    The source is opened and looked through, but no picture is read. A done job is returned where the source
    is as it was when it was imported and every picture is in its place: there is nothing to do. Raises
    CatalogueUnreadable where nothing could be imported, SlugTaken where the slug belongs to something else.
    """
    _check_slug(slug)
    source = str(path.resolve()) if path is not None else ""
    if format == "folder" and settings.HOME.is_relative_to(Path(source)):
        raise CatalogueUnreadable(
            f"{path} holds this site's own files ({settings.HOME}), which would be imported too, again and "
            "again. Give a folder beside them."
        )
    importer = open_importer(format, Path(source) if source else None, options)
    try:
        fingerprint, identity = importer.fingerprint(), _identity(importer, options)
    finally:
        importer.close()
    with transaction.atomic():
        catalogue, made = _claim_slug(slug, format, source, identity, title or _title(slug), now)
        # The source may go back to what it was: the job is of this step, not only of this source.
        step = f"{fingerprint[:24]}:{catalogue.source_fingerprint[:24]}"
        if catalogue.source_fingerprint == fingerprint and has_all_pictures(catalogue):
            done = Job.objects.filter(catalogue=catalogue, kind=KIND, state=JobState.DONE)
            newest = done.order_by("-finished_at").first()
            if newest is not None:
                return newest
        job = create_job(
            kind=KIND,
            arguments={"format": format, "source": source, "options": asdict(options)},
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


def _identity(importer: Importer, options: ImportOptions) -> dict[str, Any]:
    """What may not change under one slug. The number of items may grow."""
    return {
        "category": options.category,
        "group": options.group,
        "seed": options.seed,
        "generator": importer.generator,
    }


def _claim_slug(
    slug: str, format: str, source: str, identity: dict[str, Any], title: str, now: datetime
) -> tuple[Catalogue, bool]:
    """The catalogue of this slug, and whether it was made now. Raises SlugTaken."""
    settings_of = {"format": format, "source": source, "options": identity}
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
