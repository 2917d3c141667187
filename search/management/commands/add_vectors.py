"""`manage.py add_vectors NAME FILE --catalogue S`: bring your own vectors as an encoder of a catalogue."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from search.engine.errors import EngineError
from search.management.progress import JobProgress
from search.models import JobState
from search.services.builds import find_catalogue
from search.services.given_vectors import add_vectors
from search.services.jobs import JobFailed, run_in_foreground
from search.tasks import hint_jobs

SHOWN = 10  # problems


class Command(BaseCommand):
    help = "Add vectors computed elsewhere, and index them under every metric."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the encoder is called on the leaderboard")
        parser.add_argument("file", type=Path, help=".npy with a file of keys beside it, or .parquet")
        parser.add_argument("--catalogue", required=True, metavar="SLUG")
        parser.add_argument(
            "--keys", type=Path, help="one item key per line (default: the .npy's name with .txt)"
        )
        parser.add_argument("--queue", action="store_true", help="hand the indexing to the workers and end")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            jobs, problems = add_vectors(
                catalogue=find_catalogue(slug=options["catalogue"]),
                name=options["name"],
                path=options["file"],
                keys=options["keys"],
                now=timezone.now(),
            )
        except (EngineError, JobFailed) as error:
            raise CommandError(str(error)) from error
        for problem in problems[:SHOWN]:
            self.stderr.write(problem)
        if len(problems) > SHOWN:
            self.stderr.write(f"… and {len(problems) - SHOWN} more.")
        if options["queue"]:
            hint_jobs(jobs)
            self.stdout.write(f"{len(jobs)} jobs are queued.")
            return
        with JobProgress(sys.stderr) as progress:
            ended = [run_in_foreground(job=job, report=progress) for job in jobs]
        failed = [job for job in ended if job.state != JobState.DONE]
        if failed:
            raise CommandError("\n".join(f"{job.title}: {job.state}. {job.reason}" for job in failed))
        self.stdout.write(self.style.SUCCESS(f"“{options['name']}” is ready under every metric."))
