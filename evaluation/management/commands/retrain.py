"""`manage.py retrain --catalogue C`: teach the encoder in charge what people said, here or by a worker."""

import getpass
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from evaluation.models import Learn, Retraining
from evaluation.services.retrainings import Asked, RetrainingRefused, start_retraining
from search.management.progress import JobProgress
from search.models import JobState
from search.selectors.clock import read_clock
from search.services.builds import find_catalogue, iterate_builds
from search.services.jobs import JobFailed, run_in_foreground
from search.services.sweeping import free_lost_jobs
from search.tasks import hint_jobs


class Command(BaseCommand):
    help = "Teach the encoder in charge of a catalogue what waits, and have the outcome challenge it blind."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--catalogue", required=True, metavar="SLUG")
        parser.add_argument(
            "--parent",
            default="",
            metavar="ENCODER",
            help="what is taught; the one in charge if not given. Where nobody is, it is put in charge",
        )
        parser.add_argument("--learn", choices=Learn.values, default=Learn.HEAD, help="how much of it learns")
        parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default=settings.DEVICE)
        parser.add_argument("--queue", action="store_true", help="hand the work to a worker and return")

    def handle(self, *args: Any, **options: Any) -> None:
        retraining = self._start(options)
        told = (
            f"{retraining.triplets:,} triplets of {retraining.votes:,} votes and {retraining.picks:,} picks"
        )
        if options["queue"]:
            assert retraining.training is not None
            assert retraining.training.job is not None
            hint_jobs([retraining.training.job])
            self.stdout.write(f"{retraining.name} is queued: {told}.")
            return
        self._run(retraining)
        self.stdout.write(
            self.style.SUCCESS(
                f"{retraining.name} learned from {told}, and challenges {retraining.rival.title}."
            )
        )

    def _start(self, options: dict[str, Any]) -> Retraining:
        now = timezone.now()
        if not options["queue"]:
            # What a killed command left running would otherwise be waited for until its lease ends.
            free_lost_jobs(now=read_clock(), own_workers=settings.MODE == "embedded")
        asked = Asked(
            by=f"{getpass.getuser()}, by command",
            period=f"asked {now:%Y-%m-%dT%H:%M:%S.%f}",
            learn=Learn(options["learn"]),
            parent=options["parent"],
            device=options["device"],
        )
        try:
            return start_retraining(find_catalogue(slug=options["catalogue"]), asked, now=now)
        except (RetrainingRefused, JobFailed) as error:
            raise CommandError(str(error)) from error

    def _run(self, retraining: Retraining) -> None:
        """The training and what follows: planning, embedding and indexing."""
        training = retraining.training
        assert training is not None
        assert training.job is not None
        try:
            with JobProgress(sys.stderr) as report:
                for job in (training.job, *training.job.followers.all()):
                    ended = run_in_foreground(job=job, report=report)
                    if ended.state != JobState.DONE:
                        raise CommandError(ended.reason or f"{ended.title}: {ended.state}.")
                for job in iterate_builds(catalogue=retraining.catalogue):
                    run_in_foreground(job=job, report=report)
        except KeyboardInterrupt as stop:
            training.job.refresh_from_db()
            told = (
                f"“{retraining.name}” is trained; "
                f"`manage.py build_contenders --catalogue {retraining.catalogue.slug}` has it compete"
                if training.job.state == JobState.DONE
                else "The same command goes on from here"
            )
            raise CommandError(f"Stopped. {told}.", returncode=130) from stop
