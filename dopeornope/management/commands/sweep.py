"""`manage.py sweep`: keeps jobs moving and tables tidy; runs beside the workers."""

import logging
import os
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.db import close_old_connections

from dopeornope.duty import find_duty
from dopeornope.file_broker import remove_leftovers
from dopeornope.supervisor import catch_stop
from search.selectors.clock import read_clock
from search.services.sweeping import sweep_everything
from search.tasks import hint_due_jobs

SECONDS_BETWEEN_ROUNDS = {"embedded": 2.0, "service": 30.0}
# How soon a sweeper that stands by, or that finds no database, looks again.
SECONDS_BETWEEN_TRIES = 2.0
LEFTOVERS_AFTER_SECONDS = 3600.0

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Free the jobs of dead workers, re-send lost hints, delete what has expired; for ever, or --once. "
        "Start two: one works, the other stands by."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            mended = sweep()
            self.stdout.write(", ".join(f"{name}: {count}" for name, count in mended.items()))
            return
        stopped, duty, pause = catch_stop(), find_duty(settings.HOME), 0.0
        on_duty: bool | None = None
        while not stopped.wait(pause):
            pause = SECONDS_BETWEEN_TRIES
            try:
                # After the server was restarted, the connection that it knew before gives way to a new one.
                close_old_connections()
                was_on_duty, on_duty = on_duty, duty.is_ours()
                if on_duty != was_on_duty:
                    log.info("sweeper %d %s", os.getpid(), "is on duty" if on_duty else "stands by")
                if on_duty:
                    sweep()
                    pause = SECONDS_BETWEEN_ROUNDS[settings.MODE]
            except DatabaseError as error:
                log.warning("the database does not answer, the sweeper keeps trying: %s", error)
            except Exception:
                log.exception("a round of the sweeper failed; the next one follows")


def sweep() -> dict[str, int]:
    """One round: mend the rows, then tell the workers, then clean the embedded broker's folder."""
    mended = sweep_everything(now=read_clock(), own_workers=settings.MODE == "embedded")
    hint_due_jobs(now=read_clock())
    mended["broker leftovers"] = remove_leftovers(
        settings.BROKER_FOLDER, older_than=time.time() - LEFTOVERS_AFTER_SECONDS
    )
    return mended
