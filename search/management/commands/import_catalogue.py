"""manage.py import_catalogue: bring a catalogue, here and now or through a worker."""

import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from search.catalogues.registry import detect_format, find_format, list_formats
from search.catalogues.rows import CatalogueUnreadable, ImportOptions
from search.management.progress import JobProgress
from search.models import Catalogue, Job, JobState
from search.selectors.clock import read_clock
from search.services.imports import request_import
from search.services.jobs import run_in_foreground
from search.services.sweeping import free_lost_jobs
from search.tasks import hint_jobs

AUTO = "auto"
SHOWN = 10  # rejected rows


class Command(BaseCommand):
    help = (
        "Import a catalogue: " + "; ".join(f"{known.name}: {known.title}" for known in list_formats()) + "."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("format", metavar="FORMAT", help=f"a format, or {AUTO} to look what PATH is")
        parser.add_argument("path", metavar="PATH", nargs="?", type=Path, help="none for wardrobe")
        parser.add_argument("--slug", required=True, help="short name in addresses")
        parser.add_argument("--title", default="", help="what people see; made from the slug where not given")
        parser.add_argument("--category", default="", metavar="COLUMN", help="what kind of thing an item is")
        parser.add_argument(
            "--group", default="", metavar="COLUMN", help="rows with one value stand on one side of the split"
        )
        parser.add_argument("--items", type=_count, metavar="N", help="at most so many, chosen by the seed")
        parser.add_argument("--seed", type=int, default=0, metavar="K")
        parser.add_argument("--queue", action="store_true", help="hand the work to a worker and return")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["queue"]:
            # What a killed command left running would otherwise be waited for until its lease ends.
            free_lost_jobs(now=read_clock(), own_workers=settings.MODE == "embedded")
        job = self._request(options)
        assert job.catalogue is not None
        if job.state == JobState.DONE:
            count = job.catalogue.settled_items
            self.stdout.write(
                f"Nothing to do: {count:,} items of {job.catalogue.slug} are imported as they are."
            )
        elif options["queue"]:
            hint_jobs([job])
            self.stdout.write(f"Queued as job {job.pk}.")
        else:
            self._run(job)

    def _request(self, options: dict[str, Any]) -> Job:
        names = ("category", "group", "items", "seed")
        try:
            format, path = options["format"], options["path"]
            if format == AUTO:
                format = _detect(path)
            find_format(format)
            return request_import(
                format=format,
                path=path,
                slug=options["slug"],
                title=options["title"],
                options=ImportOptions.from_json({name: options[name] for name in names}),
                now=timezone.now(),
            )
        except CatalogueUnreadable as error:
            raise CommandError(str(error)) from error

    def _run(self, job: Job) -> None:
        try:
            with JobProgress(sys.stderr) as report:
                job = run_in_foreground(job=job, report=report)
        except KeyboardInterrupt as stop:
            raise CommandError("Stopped. The same command goes on from here.", returncode=130) from stop
        assert job.catalogue is not None
        catalogue = Catalogue.objects.get(pk=job.catalogue.pk)
        self._report_rejections(catalogue)
        if job.state != JobState.DONE:
            raise CommandError(job.reason or f"The import was {job.state}.")
        report_of = catalogue.report
        self.stdout.write(
            f"{catalogue.slug}: {report_of['items']:,} items ({report_of['added']:,} added, "
            f"{report_of['updated']:,} updated, {report_of['unchanged']:,} unchanged), "
            f"{sum(report_of['rejected'].values()):,} rows rejected, {report_of['near_duplicates']:,} near "
            f"duplicates, {report_of['evaluation_only']:,} evaluation-only, in {report_of['seconds']} s."
        )

    def _report_rejections(self, catalogue: Catalogue) -> None:
        rejected = catalogue.rejected_rows.all()
        for row in rejected[:SHOWN]:
            self.stderr.write(f"row {row.number} ({row.key or '-'}): {row.message}")
        more = rejected.count() - SHOWN
        if more > 0:
            self.stderr.write(f"and {more:,} more; the operator's page lists them all.")


def _detect(path: Path | None) -> str:
    if path is None:
        raise CatalogueUnreadable(f"{AUTO} needs a path to look at. Give one, or the format wardrobe.")
    return detect_format(path)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)
