"""A webhook, what it is told, and whoever takes that."""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from search.models import Delivery, Topic, Webhook
from search.services.posting import NotPosted
from search.services.webhooks import (
    announce,
    register_webhook,
)
from tests.factories import NOW


class Receiver:
    """Takes what is sent, and answers with the status it is told to."""

    def __init__(self, status: int = 204) -> None:
        self.status = status
        self.got: list[tuple[str, dict[str, str], bytes]] = []

    def __call__(self, url: str, *, headers: Any, body: bytes, within_s: float) -> int:
        self.got.append((url, dict(headers), body))
        if self.status == 0:
            raise NotPosted("hooks.example did not answer within 4 seconds.")
        return self.status

    @property
    def data(self) -> list[Any]:
        return [json.loads(body)["data"]["n"] for _, _, body in self.got]


def make_hook(address: str = "https://hooks.example/in", *topics: Topic) -> Webhook:
    return register_webhook(address=address, topics=topics or [Topic.JOB_FAILED], made_by="ada", now=NOW)


def tell(n: int = 1, *, at: datetime = NOW) -> None:
    announce(Topic.JOB_FAILED, {"n": n}, now=at)


def the_delivery() -> Delivery:
    return Delivery.objects.get()


def verify(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As a receiver does."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{mac}" in headers["webhook-signature"].split(" ")
