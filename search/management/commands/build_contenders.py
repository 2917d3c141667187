"""`manage.py build_contenders --catalogue S [--add]`: every encoder that can run x every metric."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from search.management.building import build_what_is_missing
from search.selectors.encoders import list_all_encoders
from search.services.builds import find_catalogue, request_additions, request_contenders
from search.services.jobs import JobFailed
from search.tasks import hint_jobs


class Command(BaseCommand):
    help = "Embed a catalogue with every encoder that can run and index it under every metric."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--catalogue", required=True, metavar="SLUG")
        parser.add_argument(
            "--add",
            action="store_true",
            help="add new items to the indexes there are, where they are few; contenders are asked about "
            "them from the next build on",
        )
        parser.add_argument("--queue", action="store_true", help="hand the jobs to the workers and end")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            catalogue = find_catalogue(slug=options["catalogue"])
        except JobFailed as error:
            raise CommandError(str(error)) from error
        self._name_the_skipped()
        if options["queue"]:
            added = request_additions(catalogue=catalogue, now=timezone.now()) if options["add"] else None
            jobs = request_contenders(catalogue=catalogue, now=timezone.now()) if added is None else added
            hint_jobs(jobs)
            self.stdout.write(f"{len(jobs)} jobs are queued.")
            return
        if failed := build_what_is_missing(catalogue, sys.stderr, adds=options["add"]):
            raise CommandError("\n".join(f"{job.title}: {job.state}. {job.reason}" for job in failed))
        self.stdout.write(self.style.SUCCESS(f"All contenders of “{catalogue.title}” are ready."))

    def _name_the_skipped(self) -> None:
        for info in list_all_encoders():
            if info.availability != "ready":
                self.stdout.write(f"Skipped {info.title} ({info.availability}): {info.remedy}")
