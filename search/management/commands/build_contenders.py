"""`manage.py build_contenders --catalogue S`: every encoder that can run x every metric."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from search.management.progress import JobProgress
from search.models import Catalogue, JobState
from search.selectors.clock import read_clock
from search.selectors.encoders import list_all_encoders
from search.services.builds import find_catalogue, iterate_builds, request_contenders
from search.services.jobs import JobFailed, run_in_foreground
from search.services.sweeping import free_lost_jobs
from search.tasks import hint_jobs


class Command(BaseCommand):
    help = "Embed a catalogue with every encoder that can run and index it under every metric."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--catalogue", required=True, metavar="SLUG")
        parser.add_argument("--queue", action="store_true", help="hand the jobs to the workers and end")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            catalogue = find_catalogue(slug=options["catalogue"])
        except JobFailed as error:
            raise CommandError(str(error)) from error
        jobs = request_contenders(catalogue=catalogue, now=timezone.now())
        self._name_the_skipped()
        if options["queue"]:
            hint_jobs(jobs)
            self.stdout.write(f"{len(jobs)} jobs are queued.")
            return
        self._run(catalogue)

    def _run(self, catalogue: Catalogue) -> None:
        # What a killed command left running would otherwise be waited for until its lease ends.
        free_lost_jobs(now=read_clock(), own_workers=settings.MODE == "embedded")
        with JobProgress(sys.stderr) as progress:
            ended = [
                run_in_foreground(job=job, report=progress) for job in iterate_builds(catalogue=catalogue)
            ]
        failed = [job for job in ended if job.state != JobState.DONE]
        if failed:
            raise CommandError("\n".join(f"{job.title}: {job.state}. {job.reason}" for job in failed))
        self.stdout.write(self.style.SUCCESS(f"All contenders of “{catalogue.title}” are ready."))

    def _name_the_skipped(self) -> None:
        for info in list_all_encoders():
            if info.availability != "ready":
                self.stdout.write(f"Skipped {info.title} ({info.availability}): {info.remedy}")
