"""Slates of navigation games, chosen by `ml` workers for web processes that wait a moment for them."""

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from functools import cache
from typing import cast

import redis
from celery import shared_task
from django.conf import settings

from evaluation.services.game_grounds import Choice
from evaluation.services.slate_requests import Words, choose_all
from search.engine.navigation.reckoning import Reckoner, WhereItIsFastest
from search.models import Queue

# Longer than anybody waits; then Redis forgets what was not fetched.
KEPT_S = 10
_SHORTEST_S = 0.01  # Redis takes shorter ones for none, and waits for ever


@shared_task(name="evaluation.tasks.choose_slates", acks_late=False)
def choose_slates(asked: Sequence[Words], answers: str, within_s: float) -> None:
    """Choose what is asked for as long as anybody waits, and put it into the list ``answers``.

    Acknowledged before it is begun: what a dying worker did not answer is not worth a second try.
    """
    begun = time.monotonic()
    for place, choice in choose_all(asked, _find_reckoner()):
        found = None if choice is None else [choice.items, choice.bits]
        with _connect(within_s).pipeline() as pipe:
            pipe.rpush(answers, json.dumps([place, found]))
            pipe.expire(answers, KEPT_S)
            pipe.execute()
        if time.monotonic() - begun > within_s:
            return


def ask_workers(asked: Sequence[Words], within_s: float) -> Iterator[tuple[int, Choice | None]]:
    """What workers answer within so many seconds, as it comes; None where one cannot choose a slate.

    Raises what Celery and Redis raise where the message or the answers do not get through.
    """
    answers, deadline = f"dopeornope:slates:{uuid.uuid4().hex}", time.monotonic() + within_s
    words = (asked, answers, within_s)
    choose_slates.apply_async(args=words, queue=Queue.ML, expires=within_s, retry=False)
    missing = set(range(len(asked)))
    while missing and (left := deadline - time.monotonic()) > 0:
        come = _connect(within_s).blpop([answers], timeout=max(left, _SHORTEST_S))
        if come is None:
            return
        place, found = json.loads(cast(tuple[bytes, bytes], come)[1])
        missing.discard(place)
        yield place, None if found is None else Choice(*found)


@cache
def _find_reckoner() -> Reckoner:
    return WhereItIsFastest(settings.DEVICE)


@cache
def _connect(within_s: float) -> "redis.Redis":
    """A client that waits little longer for a Redis that hangs than anybody does for a slate."""
    patience = within_s + 1
    return redis.Redis.from_url(settings.SLATES_REDIS, socket_timeout=patience, socket_connect_timeout=1)
