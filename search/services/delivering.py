"""Delivering what webhooks are told: by the sweeper, so that neither a page nor a job waits for a receiver.

A round takes some seconds at most, whatever receivers do: each of a few is posted to in a thread of its own,
and one that fails rests, longer each time, with all that waits for it. Two sweepers at once share the work;
what a sweeper had sent when it died is sent again, under the same id.
"""

import logging
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from http import HTTPStatus
from typing import Final, Protocol

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from search.models import Delivery, Webhook
from search.services.posting import NotAnswered, NotPosted, post
from search.services.webhooks import list_waiting, sign, switch_webhook

ROUND_S: Final = 5.0
POST_S: Final = 4.0
LEAST: Final = 0.2  # of a round: no post begins with less time than this
AT_ONCE: Final = 8  # receivers in a round
IN_A_ROW: Final = 20  # deliveries to one of them
TAKEN_FOR: Final = timedelta(minutes=1)  # then the sweeper that took a receiver is given up as dead
FIRST_REST: Final = timedelta(seconds=10)
LONGEST_REST: Final = timedelta(hours=1)
GIVEN_UP_AFTER: Final = timedelta(days=1)
KEPT_FOR: Final = timedelta(days=30)
HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "dope-or-nope-webhooks"}

log = logging.getLogger(__name__)


class Post(Protocol):
    """What `posting.post` does: the status, or NotPosted."""

    def __call__(self, url: str, *, headers: Mapping[str, str], body: bytes, within_s: float) -> int: ...


class _Fate(Enum):
    DELIVERED = auto()
    REFUSED = auto()  # this message, whatever becomes of others
    FAILED = auto()
    UNWANTED = auto()  # this message and all that follow


@dataclass(frozen=True)
class _Outcome:
    fate: _Fate
    problem: str = ""


@dataclass
class _Run:
    """One receiver's part of a round: what is to be sent, whether that began, and what became of each."""

    webhook: Webhook
    waiting: Sequence[Delivery]
    begun: bool = False
    outcomes: list[_Outcome] = field(default_factory=list)


@dataclass(frozen=True)
class _Round:
    """When it began, when it is over (monotonic seconds), and what is too little time for a post."""

    now: datetime
    until: float
    least_s: float

    def left_s(self) -> float:
        """For one post; 0.0 where it is too late for one."""
        left = min(POST_S, self.until - time.monotonic())
        return left if left > self.least_s else 0.0


def deliver_due(now: datetime, *, send: Post = post, round_s: float = ROUND_S) -> int:
    """One round; how many were delivered. ``send`` keeps to its time, except while it looks up a name."""
    runs = [run for webhook in _list_due(now) if (run := _take(webhook, now))]
    round_ = _Round(now, time.monotonic() + round_s, round_s * LEAST)
    threads = [threading.Thread(target=_send, args=(run, send, round_), daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, round_.until + 1 - time.monotonic()))
    return sum(_record(run, now) for run in runs)


def drop_old(now: datetime) -> int:
    """Forget what was delivered or given up long ago."""
    ended = ~Q(delivered_at=None, given_up_at=None)
    gone, _ = Delivery.objects.filter(ended, asked_at__lt=now - KEPT_FOR).delete()
    return gone


def _list_due(now: datetime) -> Sequence[Webhook]:
    waiting = Delivery.objects.filter(webhook=OuterRef("pk"), delivered_at=None, given_up_at=None)
    rested = Q(rests_until=None) | Q(rests_until__lte=now)
    due = Webhook.objects.filter(rested, Exists(waiting), is_on=True)
    return list(due.order_by("rests_until", "pk")[:AT_ONCE])


def _take(webhook: Webhook, now: datetime) -> _Run | None:
    """Its part of the round, unless another sweeper was quicker."""
    unchanged = Webhook.objects.filter(pk=webhook.pk, rests_until=webhook.rests_until, is_on=True)
    if not unchanged.update(rests_until=now + TAKEN_FOR):
        return None
    return _Run(webhook, list(list_waiting(webhook)[:IN_A_ROW]))


def _send(run: _Run, send: Post, round_: _Round) -> None:
    """Oldest first, as far as it gets. Knows no database: it may outlive the round."""
    for one in run.waiting:
        left = round_.left_s()
        if not left:
            return
        run.begun = True
        try:
            outcome = _judge(_post(run.webhook, one, send, within_s=left, now=round_.now))
        except NotAnswered as error:
            if run.outcomes and left < POST_S:
                return  # it answered before, and had only what was left of the round
            outcome = _Outcome(_Fate.FAILED, str(error))
        except NotPosted as error:
            outcome = _Outcome(_Fate.FAILED, str(error))
        except Exception as error:
            log.exception("delivery %s of webhook %d broke off", one.pk, run.webhook.pk)
            problem = f"Something broke here ({type(error).__name__}); the log says more."
            outcome = _Outcome(_Fate.FAILED, problem)
        run.outcomes.append(outcome)
        if outcome.fate in (_Fate.FAILED, _Fate.UNWANTED):
            return


def _post(webhook: Webhook, one: Delivery, send: Post, *, within_s: float, now: datetime) -> int:
    body = one.body.encode()
    headers = {**HEADERS, **sign(webhook, message=one.pk, body=body, now=now)}
    return send(webhook.address, headers=headers, body=body, within_s=within_s)


def _judge(status: int) -> _Outcome:
    """What a status says: an error of ours (4xx) stays one however often it is tried, save those of time."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return _Outcome(_Fate.DELIVERED)
    if status == HTTPStatus.GONE:
        return _Outcome(_Fate.UNWANTED, "It answered 410: it wants no more, so the webhook is off.")
    ours = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if ours and status not in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS):
        return _Outcome(_Fate.REFUSED, f"It answered {status}.")
    redirected = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    return _Outcome(
        _Fate.FAILED, f"It answered {status}." + (" Redirects are not followed." if redirected else "")
    )


@transaction.atomic
def _record(run: _Run, now: datetime) -> int:
    """What became of the run; how many were delivered."""
    webhook = Webhook.objects.filter(pk=run.webhook.pk)
    if not run.begun:
        webhook.update(rests_until=run.webhook.rests_until)
        return 0
    outcomes = list(run.outcomes) or [_Outcome(_Fate.FAILED, "Its name was not looked up in time.")]
    delivered = 0
    for one, outcome in zip(run.waiting, outcomes, strict=False):
        delivered += outcome.fate is _Fate.DELIVERED
        Delivery.objects.filter(pk=one.pk).update(
            attempts=F("attempts") + 1,
            problem=outcome.problem[:300],
            delivered_at=now if outcome.fate is _Fate.DELIVERED else None,
            given_up_at=now if outcome.fate in (_Fate.REFUSED, _Fate.UNWANTED) else None,
        )
    match outcomes[-1].fate:
        case _Fate.UNWANTED:
            switch_webhook(webhook=run.webhook, on=False, now=now)
        case _Fate.FAILED:
            failures = run.webhook.failures + 1 if len(outcomes) == 1 else 1
            webhook.update(failures=failures, rests_until=now + _rest(run.webhook, failures))
            late = list_waiting(run.webhook).filter(asked_at__lte=now - GIVEN_UP_AFTER)
            late.filter(attempts__gt=0).update(given_up_at=now)
        case _:
            webhook.update(failures=0, rests_until=None)
    return delivered


def _rest(webhook: Webhook, failures: int) -> timedelta:
    """Four times as long after each failure, more or less, so that receivers do not rest in step."""
    rest = min(FIRST_REST * 2.0 ** (2 * min(failures - 1, 10)), LONGEST_REST)
    return rest * random.Random(f"{webhook.pk} {failures}").uniform(0.8, 1.2)
