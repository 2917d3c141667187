"""Webhooks: told in the transaction, signed, and retried for a day."""

import base64
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from search.models import Delivery, Job, Queue, Topic, Webhook
from search.services import delivering
from search.services.delivering import GIVEN_UP_AFTER, IN_A_ROW, KEPT_FOR, deliver_due, drop_old
from search.services.jobs import JobContext, JobFailed, JobKind, create_job, register_kind, run_in_foreground
from search.services.posting import NotAnswered
from search.services.webhooks import (
    sign_with,
    tell_secret,
)
from tests.factories import NOW
from tests.search.hooks import Receiver, make_hook, tell, the_delivery, verify
from tests.search.receiving import post_here, receive

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def hook() -> Webhook:
    return make_hook()


def test_it_is_signed_as_the_standard_says() -> None:
    """The example of the reference libraries of standardwebhooks.com."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign_with(
        key, message="msg_p5jXN8AQM9LWM0D4loKWxJek", at=1614265330, body=b'{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_told_arrives_over_tls_and_can_be_verified() -> None:
    def take(request: Any) -> None:
        request.send_response(204)
        request.end_headers()

    with receive(take) as receiver:
        hook = make_hook(receiver.url)
        tell(7)
        assert deliver_due(NOW, send=post_here) == 1
        ((path, headers, body),) = receiver.received
    told = json.loads(body)
    assert told == {"type": "job.failed", "timestamp": NOW.isoformat(), "data": {"n": 7}}
    assert (path, headers["Content-Type"]) == ("/in?from=us", "application/json")
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert headers["webhook-id"] == str(the_delivery().pk)
    assert verify(tell_secret(hook), headers, body)
    assert not verify(tell_secret(hook), headers, body + b" ")
    assert the_delivery().delivered_at == NOW


def test_only_who_asked_for_a_topic_is_told_and_only_of_what_becomes_true(hook: Webhook) -> None:
    make_hook("https://other.example/", Topic.PLAYER_JUDGED)
    tell()
    assert [one.webhook for one in Delivery.objects.all()] == [hook]

    class Undone(Exception):
        pass

    with pytest.raises(Undone), transaction.atomic():
        tell()
        raise Undone
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (0, "did not answer within 4 seconds"),
        (500, "It answered 500."),
        (429, "It answered 429."),
        (302, "It answered 302. Redirects are not followed."),
    ],
)
def test_what_does_not_arrive_is_tried_again_ever_more_seldom_for_a_day(hook, status, problem) -> None:
    tell()
    receiver, now, waits = Receiver(status), NOW, []
    while the_delivery().state == "waiting":
        deliver_due(now, send=receiver)
        hook.refresh_from_db()
        assert deliver_due(hook.rests_until - timedelta(seconds=1), send=receiver) == 0
        waits.append((hook.rests_until - now) / MINUTE)
        now = hook.rests_until
    delivery = the_delivery()
    assert (delivery.state, delivery.attempts) == ("given up", len(receiver.got))
    assert problem in delivery.problem
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1
    assert 25 <= len(waits) <= 40
    assert waits[0] < 0.25 and waits[2] < 4 and 48 <= waits[-1] <= 72
    assert GIVEN_UP_AFTER <= delivery.given_up_at - NOW <= GIVEN_UP_AFTER + 72 * MINUTE


def test_what_is_refused_is_given_up_alone(hook: Webhook) -> None:
    for n in range(3):
        tell(n, at=NOW + n * MINUTE)
    receiver = Receiver()
    with_status = {0: 200, 1: 422, 2: 200}

    def send(url: str, *, body: bytes, **how: Any) -> int:
        receiver(url, body=body, headers={}, within_s=1)
        return with_status[receiver.data[-1]]

    assert deliver_due(NOW + 3 * MINUTE, send=send) == 2
    assert [one.state for one in Delivery.objects.all()] == ["delivered", "given up", "delivered"]
    assert Delivery.objects.get(given_up_at=NOW + 3 * MINUTE).problem == "It answered 422."
    hook.refresh_from_db()
    assert (hook.failures, hook.rests_until) == (0, None)


def test_what_was_never_tried_outlives_the_day_of_what_was(hook: Webhook) -> None:
    tell(1)
    tell(2, at=NOW + MINUTE)
    receiver, later = Receiver(503), NOW + timedelta(days=2)
    deliver_due(later, send=receiver)
    assert [one.state for one in Delivery.objects.all()] == ["given up", "waiting"]
    receiver.status = 200
    assert deliver_due(later + MINUTE, send=receiver) == 1
    assert receiver.data == [1, 2]


def test_who_is_gone_for_good_is_told_nothing_more(hook: Webhook) -> None:
    tell(1)
    tell(2)
    assert deliver_due(NOW, send=Receiver(410)) == 0
    hook.refresh_from_db()
    assert not hook.is_on
    assert {one.state for one in Delivery.objects.all()} == {"given up"}
    assert "It answered 410" in Delivery.objects.get(attempts=1).problem


def test_what_breaks_here_is_told_as_that_and_logged(hook: Webhook, caplog: Any) -> None:
    def send(url: str, **how: Any) -> int:
        raise LookupError("secret detail")

    tell()
    deliver_due(NOW, send=send)
    assert the_delivery().problem == "Something broke here (LookupError); the log says more."
    assert "secret detail" in caplog.text


def test_who_is_cut_short_by_the_end_of_the_round_has_not_failed(hook: Webhook) -> None:
    tell(1)
    tell(2)
    given: list[float] = []

    def send(url: str, *, within_s: float, **how: Any) -> int:
        given.append(within_s)
        if len(given) == 2:
            raise NotAnswered("hooks.example did not answer within 3 seconds.")
        return 200

    assert deliver_due(NOW, send=send, round_s=delivering.POST_S) == 1
    hook.refresh_from_db()
    assert (hook.failures, hook.rests_until) == (0, None)
    assert Delivery.objects.get(delivered_at=None).attempts == 0
    assert given[1] < delivering.POST_S


def test_a_receiver_that_is_back_gets_everything_in_order(hook: Webhook) -> None:
    for n in range(3):
        tell(n, at=NOW + n * MINUTE)
    receiver = Receiver(503)
    assert deliver_due(NOW + 3 * MINUTE, send=receiver) == 0
    assert receiver.data == [0], "the others wait behind the first"
    receiver.status = 200
    assert deliver_due(NOW + 4 * MINUTE, send=receiver) == 3
    assert receiver.data == [0, 0, 1, 2]
    hook.refresh_from_db()
    assert (hook.failures, hook.rests_until) == (0, None)
    assert deliver_due(NOW + 5 * MINUTE, send=receiver) == 0


def test_much_that_waits_is_sent_some_at_a_time(hook: Webhook) -> None:
    for n in range(IN_A_ROW + 1):
        tell(n)
    receiver = Receiver()
    assert deliver_due(NOW, send=receiver) == IN_A_ROW
    assert deliver_due(NOW, send=receiver) == 1
    assert sorted(receiver.data) == list(range(IN_A_ROW + 1))


def test_a_receiver_that_hangs_for_ever_holds_up_neither_the_round_nor_the_others() -> None:
    """Its name is looked up, for which no time limit can be set."""
    hanging, other = make_hook("https://hanging.example/"), make_hook("https://other.example/")
    tell()
    never, receiver = threading.Event(), Receiver()

    def send(url: str, **how: Any) -> int:
        if "hanging" in url:
            never.wait()
        return receiver(url, **how)

    assert deliver_due(NOW, send=send, round_s=0) == 0, "the round is over before anything is sent"
    assert not Webhook.objects.exclude(rests_until=None, failures=0).exists(), "which nobody failed at"
    assert deliver_due(NOW, send=send, round_s=0.5) == 1
    assert [url for url, _, _ in receiver.got] == [other.address]
    hanging.refresh_from_db()
    assert hanging.failures == 1 and hanging.rests_until > NOW
    assert "not looked up in time" in hanging.deliveries.get().problem
    never.set()


def test_of_two_sweepers_at_once_one_delivers(hook: Webhook) -> None:
    """Both have seen it waiting before either takes it."""
    tell()
    seen = [delivering._list_due(NOW) for _ in range(2)]
    taken = [delivering._take(webhook, NOW) for (webhook,) in seen]
    assert taken[0] is not None and taken[1] is None
    assert deliver_due(NOW, send=Receiver()) == 0
    assert deliver_due(NOW + 2 * MINUTE, send=Receiver()) == 1, "one that died with it is not waited for"


def test_what_ended_long_ago_is_forgotten_and_what_waits_is_not(hook: Webhook) -> None:
    tell(1)
    deliver_due(NOW, send=Receiver())
    tell(2)
    assert drop_old(NOW + KEPT_FOR) == 0
    assert drop_old(NOW + KEPT_FOR + MINUTE) == 1
    assert the_delivery().state == "waiting"


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_is_told_of_once(hook: Webhook) -> None:
    def fail(context: JobContext) -> None:
        raise JobFailed("The disk is full.")

    register_kind(JobKind("failing", Queue.IO, fail))
    job = create_job(kind="failing", arguments={}, key="k", title="A job", catalogue=None, now=NOW)
    run_in_foreground(job=job, report=lambda job: None, now=lambda: NOW)
    told = json.loads(the_delivery().body)["data"]
    assert told == {
        **{"job": str(job.pk), "kind": "failing", "title": "A job", "catalogue": None},
        "reason": "The disk is full.",
    }
    assert Job.objects.get().reason == told["reason"]


@pytest.mark.django_db(transaction=True)
def test_what_was_not_written_for_people_stays_in_the_house(hook: Webhook) -> None:
    def fail(context: JobContext) -> None:
        raise ValueError("/var/data/secret.csv")

    register_kind(JobKind("failing", Queue.IO, fail))
    job = create_job(kind="failing", arguments={}, key="k", title="A job", catalogue=None, now=NOW)
    run_in_foreground(job=job, report=lambda job: None, now=lambda: NOW)
    assert json.loads(the_delivery().body)["data"]["reason"] == "It broke off (ValueError)."
    assert Job.objects.get().reason == "ValueError: /var/data/secret.csv"
