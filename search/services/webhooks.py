"""Webhooks: who is told what, in rows that are made in the transaction of what they tell of.

Sending is `search/services/delivering.py`; the format is that of https://www.standardwebhooks.com, version 1.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from search.models import Delivery, Topic, Webhook
from search.services.posting import NotPosted, check_address

MOST: Final = 20
TEST: Final = "webhook.test"
BOTH_FOR: Final = timedelta(days=1)  # after a change of secret everything is signed with both for so long


class WebhookRefused(Exception):
    """There cannot be such a webhook; the text says why."""


def register_webhook(*, address: str, topics: Collection[Topic], made_by: str, now: datetime) -> Webhook:
    """Have this address told of these topics from now on. Raises WebhookRefused."""
    try:
        checked = check_address(address)
    except NotPosted as refused:
        raise WebhookRefused(str(refused)) from refused
    if Webhook.objects.filter(address=checked).exists():
        raise WebhookRefused(f"{checked} is told already. Delete its webhook first to change the topics.")
    if Webhook.objects.count() >= MOST:
        raise WebhookRefused(f"There are {MOST} webhooks already. Delete one that nobody needs.")
    return Webhook.objects.create(
        address=checked, topics=sorted(topics), salt=_draw(), made_by=made_by, created_at=now
    )


def rotate_secret(*, webhook: Webhook, now: datetime) -> None:
    """Give it another secret. For a day everything is signed with both, so that receivers can change.

    Changed again within the day, the secret before stays the one that receivers had when the day began: the
    one between may never have reached them.
    """
    if not _holds_former(webhook, now):
        webhook.former_salt = webhook.salt
    webhook.salt, webhook.rotated_at = _draw(), now
    webhook.save(update_fields=["former_salt", "salt", "rotated_at"])


@transaction.atomic
def switch_webhook(*, webhook: Webhook, on: bool, now: datetime) -> None:
    """Off: nothing is told any more, and what waited is given up, to be asked for again by hand."""
    Webhook.objects.filter(pk=webhook.pk).update(is_on=on, failures=0, rests_until=None)
    if not on:
        list_waiting(webhook).update(given_up_at=now, problem="The webhook was switched off.")


def forget_maker(name: str) -> None:
    """The webhooks that this user added go on; whose they were is told no more."""
    Webhook.objects.filter(made_by=name).update(made_by="")


def tell_secret(webhook: Webhook) -> str:
    """The secret as receivers take it."""
    return "whsec_" + base64.b64encode(_make_key(webhook.salt)).decode()


def announce(topic: Topic, data: Mapping[str, Any], *, now: datetime) -> None:
    """Have all who asked for it told. Call it in the transaction that makes it true."""
    told = [hook for hook in Webhook.objects.filter(is_on=True) if topic in hook.topics]
    Delivery.objects.bulk_create(_write(hook, topic, data, now) for hook in told)


def send_test(*, webhook: Webhook, now: datetime) -> None:
    """Something to try the receiver with, whatever its topics. Raises WebhookRefused where it is off."""
    if not webhook.is_on:
        raise WebhookRefused("Switch the webhook on first.")
    _write(webhook, TEST, {"message": "This is a test."}, now).save(force_insert=True)
    Webhook.objects.filter(pk=webhook.pk).update(rests_until=None)


@transaction.atomic
def replay(*, delivery: Delivery, now: datetime) -> None:
    """Deliver it again, or after all, under the same id, with another day to succeed in.

    Raises WebhookRefused where its webhook is off.
    """
    if not delivery.webhook.is_on:
        raise WebhookRefused("Switch the webhook on first.")
    Delivery.objects.filter(pk=delivery.pk).update(
        asked_at=now, delivered_at=None, given_up_at=None, attempts=0, problem=""
    )
    Webhook.objects.filter(pk=delivery.webhook_id).update(rests_until=None)


def list_waiting(webhook: Webhook) -> QuerySet[Delivery]:
    """What it was not told yet, the oldest first."""
    return Delivery.objects.filter(webhook=webhook, delivered_at=None, given_up_at=None)


def sign(webhook: Webhook, *, message: UUID, body: bytes, now: datetime) -> dict[str, str]:
    """The headers by which a receiver knows that this is ours, whole, and not an old one sent again."""
    salts = [webhook.salt]
    if _holds_former(webhook, now):
        salts.append(webhook.former_salt)
    at = int(now.timestamp())
    signatures = [sign_with(_make_key(salt), message=str(message), at=at, body=body) for salt in salts]
    return {
        "webhook-id": str(message),
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signatures),
    }


def sign_with(key: bytes, *, message: str, at: int, body: bytes) -> str:
    """A signature of version 1: HMAC-SHA256 of id, time in seconds and body, with dots between them."""
    mac = hmac.digest(key, f"{message}.{at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(mac).decode()}"


def _holds_former(webhook: Webhook, now: datetime) -> bool:
    return webhook.rotated_at is not None and now < webhook.rotated_at + BOTH_FOR


def _write(webhook: Webhook, topic: str, data: Mapping[str, Any], now: datetime) -> Delivery:
    told = {"type": topic, "timestamp": now.isoformat(), "data": data}
    body = json.dumps(told, ensure_ascii=False)
    return Delivery(webhook=webhook, topic=topic, body=body, created_at=now, asked_at=now)


def _draw() -> str:
    return secrets.token_hex(16)


def _make_key(salt: str) -> bytes:
    return salted_hmac("search.webhooks", salt, algorithm="sha256").digest()
