"""`/health/ready`: whether this process can serve, and what around it does not answer, each by name.

Not ready is only who cannot answer players: a broker or a sweeper that is gone stops no vote, and a balancer
that took every web process out for it would. Reasons are fixed phrases, since strangers read them too.
"""

import asyncio
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import connection

from dopeornope.bounded import BoundedQuestion, NoAnswer
from dopeornope.migrating import find_missing_migrations
from dopeornope.monitoring import Answer
from dopeornope.observation import Scope
from dopeornope.servers import ask_broker, ask_channel_layer, ask_database
from search.announcements import find_layer
from search.selectors.clock import read_clock
from search.selectors.monitoring import list_sightings
from search.services.sightings import SWEEPER
from search.services.vectors_server import ask_server, is_used

WITHIN_S = 3.0
KEPT_S = 2.0
LEAST_FREE_BYTES = 100 * 2**20
# Four rounds of the slower sweeper, that of the service mode.
SWEEPER_SEEN_WITHIN = timedelta(seconds=120)
CONNECT_S = 2


class NotReady(Exception):
    """What is wrong, in words for everybody."""


@dataclass(frozen=True)
class Check:
    """One thing to look at; ``is_needed``: without it this process serves nobody."""

    name: str
    look: Callable[[], None]
    is_needed: bool


class Readiness:
    """Runs all checks at once, each for so long at most, and tells what came of them."""

    def __init__(self, checks: "list[Check]", *, within_s: float = WITHIN_S, keep_s: float = KEPT_S) -> None:
        self._checks = {check: BoundedQuestion(check.look, keep_s=keep_s) for check in checks}
        self._within_s = within_s

    async def __call__(self, scope: Scope) -> Answer:
        reasons = await asyncio.gather(*map(self._find_reason, self._checks.values()))
        told: dict[str, dict[str, Any]] = {}
        ready = True
        for check, reason in zip(self._checks, reasons, strict=True):
            told[check.name] = {"ok": not reason, "needed": check.is_needed} | (
                {"why": reason} if reason else {}
            )
            ready = ready and (not reason or not check.is_needed)
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return Answer(status, json.dumps({"ready": ready, "checks": told}) + "\n", "application/json")

    async def _find_reason(self, question: BoundedQuestion[None]) -> str:
        try:
            await question.answer(within_s=self._within_s)
        except NotReady as reason:
            return str(reason)
        except NoAnswer:
            return "does not answer in time"
        except Exception:
            return "does not answer"
        return ""


def list_checks() -> list[Check]:
    """What matters in the mode that the settings name."""
    alone = settings.MODE == "embedded"
    return [
        Check("database", ask_database, is_needed=True),
        Check("migrations", compare_migrations, is_needed=True),
        Check("disk", measure_disk, is_needed=alone),
        Check("broker", look_at_broker, is_needed=False),
        Check("channel layer", look_at_channel_layer, is_needed=False),
        Check("sweeper", look_for_sweeper, is_needed=False),
        *([Check("vectors", ask_server, is_needed=False)] if is_used() else []),
    ]


def compare_migrations() -> None:
    try:
        missing = find_missing_migrations()
    finally:
        connection.close()
    if missing:
        raise NotReady(missing)


def measure_disk() -> None:
    free = shutil.disk_usage(settings.HOME).free
    if free < LEAST_FREE_BYTES:
        raise NotReady(f"less than {LEAST_FREE_BYTES // 2**20} MiB are free")


def look_at_broker() -> None:
    if not settings.CELERY_BROKER_URL.startswith("filesystem:"):
        ask_broker(within_s=CONNECT_S)
        return
    settings.BROKER_FOLDER.mkdir(parents=True, exist_ok=True)
    if not os.access(settings.BROKER_FOLDER, os.W_OK | os.X_OK):
        raise NotReady("its folder cannot be written to")


def look_at_channel_layer() -> None:
    if find_layer() is not None:
        ask_channel_layer(within_s=CONNECT_S)


def look_for_sweeper() -> None:
    try:
        seen_at, now = list_sightings().get(SWEEPER), read_clock()
    finally:
        connection.close()
    if seen_at is None:
        raise NotReady("has not been seen yet")
    if now - seen_at > SWEEPER_SEEN_WITHIN:
        raise NotReady(f"has not been seen for {SWEEPER_SEEN_WITHIN.seconds} s")
