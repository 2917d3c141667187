"""manage.py remove_items: take items out of a catalogue, or put them back, without building it anew."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from search.management.progress import JobProgress
from search.models import JobState
from search.selectors.clock import read_clock
from search.services.builds import find_catalogue, request_build
from search.services.jobs import JobFailed, run_in_foreground
from search.services.removing import RemovalRefused, request_removal
from search.services.sweeping import free_lost_jobs
from search.tasks import hint_jobs


class Command(BaseCommand):
    help = "Take items out of what is found and dealt, or put them back; votes on them stay and count."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("keys", nargs="*", metavar="KEY", help="as in the source it was imported from")
        parser.add_argument("--catalogue", required=True, metavar="SLUG")
        parser.add_argument("--file", type=Path, metavar="FILE", help="more keys, one a line")
        parser.add_argument("--back", action="store_true", help="put them back instead")
        parser.add_argument("--queue", action="store_true", help="hand the jobs to the workers and end")

    def handle(self, *args: Any, **options: Any) -> None:
        keys = [*options["keys"], *_read_keys(options["file"])]
        try:
            catalogue = find_catalogue(slug=options["catalogue"])
            job = request_removal(catalogue=catalogue, keys=keys, now=timezone.now(), back=options["back"])
        except (JobFailed, RemovalRefused) as error:
            raise CommandError(str(error)) from error
        if options["queue"]:
            hint_jobs([job, request_build(catalogue=catalogue, now=timezone.now(), after=job)])
            self.stdout.write(f"Queued as job {job.pk}.")
            return
        free_lost_jobs(now=read_clock(), own_workers=settings.MODE == "embedded")
        with JobProgress(sys.stderr) as report:
            ended = run_in_foreground(job=job, report=report)
            if ended.state != JobState.DONE:
                raise CommandError(ended.reason or f"The removal was {ended.state}.")
            build = request_build(catalogue=catalogue, now=timezone.now(), after=ended)
            run_in_foreground(job=build, report=report)
        self.stdout.write(self.style.SUCCESS(f"{ended.title}: {ended.message}."))


def _read_keys(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            f"{path} cannot be read: {error}. Give a text file with one key a line."
        ) from error
    return [line for line in lines if line.strip()]
