"""`manage.py sweep`: keeps jobs moving and tables tidy; runs beside the workers."""

import logging
import signal
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from dopeornope.broker import remove_leftovers
from search.services.sweeping import sweep_everything
from search.tasks import hint_due_jobs

SECONDS_BETWEEN_ROUNDS = {"embedded": 2.0, "service": 30.0}
LEFTOVERS_AFTER_SECONDS = 3600.0

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Free the jobs of dead workers, re-send lost hints, delete what has expired; for ever, or --once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            mended = sweep()
            self.stdout.write(", ".join(f"{name}: {count}" for name, count in mended.items()))
            return
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        while not stopped.wait(SECONDS_BETWEEN_ROUNDS[settings.MODE]):
            try:
                sweep()
            except Exception:
                log.exception("a round of the sweeper failed; the next one follows")


def sweep() -> dict[str, int]:
    """One round: mend the rows, then tell the workers, then clean the embedded broker's folder."""
    mended = sweep_everything(now=timezone.now(), own_workers=settings.MODE == "embedded")
    hint_due_jobs(now=timezone.now())
    mended["broker leftovers"] = remove_leftovers(
        settings.BROKER_FOLDER, older_than=time.time() - LEFTOVERS_AFTER_SECONDS
    )
    return mended
