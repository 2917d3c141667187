"""Noting that a process is at work, so that its absence can be noticed."""

import logging
import threading
from datetime import datetime

from django.db import Error as DatabaseError
from django.db import connection

from search.models import Sighting
from search.selectors.clock import read_clock

SWEEPER = "sweeper"
SECONDS_BETWEEN_SIGHTINGS = 15.0

log = logging.getLogger(__name__)


def note_sighting(*, who: str, now: datetime) -> None:
    Sighting.objects.update_or_create(who=who, defaults={"seen_at": now})


class Sightings:
    """Notes every now and then that this process lives, from a thread: what it works at may take hours."""

    def __init__(self, seconds_between: float = SECONDS_BETWEEN_SIGHTINGS) -> None:
        self._seconds = seconds_between
        self._ended = threading.Event()

    def begin(self, who: str) -> None:
        threading.Thread(target=self._note, args=(who,), name="sightings", daemon=True).start()

    def end(self) -> None:
        self._ended.set()

    def _note(self, who: str) -> None:
        while not self._ended.is_set():
            try:
                note_sighting(who=who, now=read_clock())
            except DatabaseError as error:
                log.warning("%s could not be noted as seen (%s); it tries again", who, error)
            finally:
                connection.close()
            self._ended.wait(self._seconds)
