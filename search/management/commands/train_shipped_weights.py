"""`manage.py train_shipped_weights`: regenerates the encoders under search/engine/weights/."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from search.engine.encoders import trained
from search.management.progress import JobProgress
from search.models import Job, JobState
from search.selectors.clock import read_clock
from search.services.jobs import JobFailed, run_in_foreground
from search.services.shipped_weights import SHIPPED, SLUG, ship
from search.services.sweeping import free_lost_jobs
from search.services.training_wishes import TrainingRefused

NAMES = tuple(one.name for one in SHIPPED)


class Command(BaseCommand):
    help = (
        f"Draw a training wardrobe (catalogue {SLUG} of this site) and train the encoders that the project "
        "ships; goes on where it was stopped. Give it a DOPEORNOPE_HOME of its own, migrated."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: {' '.join(NAMES)}")
        parser.add_argument("--items", type=int, default=12_000, help="items to draw (default %(default)s)")
        parser.add_argument("--steps", type=int, help="training steps of each (default: the kind's)")
        parser.add_argument("--output", type=Path, default=trained.SHIPPED, help="folder to put them in")

    def handle(self, *args: Any, **options: Any) -> None:
        names = tuple(options["names"]) or NAMES
        unknown = set(names) - set(NAMES)
        if unknown:
            raise CommandError(f"Not shipped: {', '.join(sorted(unknown))}. There are: {', '.join(NAMES)}.")
        free_lost_jobs(now=read_clock(), own_workers=settings.MODE == "embedded")
        try:
            with JobProgress(sys.stderr) as report:
                made = ship(
                    target=options["output"],
                    items=options["items"],
                    steps=options["steps"],
                    names=names,
                    run=lambda job: _run(job, report),
                    now=timezone.now,
                )
                for folder in made:
                    self.stdout.write(self.style.SUCCESS(f"Wrote {folder}."))
        except (JobFailed, TrainingRefused) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as stop:
            raise CommandError("Stopped. The same command goes on from here.", returncode=130) from stop


def _run(job: Job, report: JobProgress) -> Job:
    return job if job.state == JobState.DONE else run_in_foreground(job=job, report=report)
