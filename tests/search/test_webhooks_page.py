"""Webhooks as operators see and change them: secrets, switching off, and the page."""

import re
from datetime import timedelta

import pytest

from search.models import Delivery, Webhook
from search.services.delivering import deliver_due
from search.services.webhooks import (
    WebhookRefused,
    replay,
    rotate_secret,
    send_test,
    switch_webhook,
    tell_secret,
)
from tests.factories import NOW
from tests.operators import sign_in
from tests.search.hooks import Receiver, make_hook, tell, the_delivery, verify

pytestmark = pytest.mark.django_db


@pytest.fixture
def hook() -> Webhook:
    return make_hook()


def test_after_a_change_of_secret_both_hold_for_a_day(hook: Webhook) -> None:
    old = tell_secret(hook)
    rotate_secret(webhook=hook, now=NOW)
    new = tell_secret(hook)
    assert new != old
    for later, holding in [(timedelta(hours=23), {old, new}), (timedelta(hours=25), {new})]:
        tell(at=NOW + later)
        receiver = Receiver()
        deliver_due(NOW + later, send=receiver)
        ((_, headers, body),) = receiver.got
        assert {secret for secret in (old, new) if verify(secret, headers, body)} == holding


def test_a_secret_changed_twice_in_a_day_leaves_the_one_in_use(hook: Webhook) -> None:
    in_use = tell_secret(hook)
    for hours in (0, 1):
        rotate_secret(webhook=hook, now=NOW + timedelta(hours=hours))
    tell()
    receiver = Receiver()
    deliver_due(NOW + timedelta(hours=24), send=receiver)
    ((_, headers, body),) = receiver.got
    assert verify(in_use, headers, body) and verify(tell_secret(hook), headers, body)


def test_one_that_is_switched_off_is_told_nothing_until_it_is_on_again(hook: Webhook) -> None:
    tell(1)
    switch_webhook(webhook=hook, on=False, now=NOW)
    assert (the_delivery().state, the_delivery().problem) == ("given up", "The webhook was switched off.")
    tell(2)
    assert Delivery.objects.count() == 1
    hook.refresh_from_db()
    with pytest.raises(WebhookRefused, match="Switch the webhook on first"):
        send_test(webhook=hook, now=NOW)
    switch_webhook(webhook=hook, on=True, now=NOW)
    replay(delivery=the_delivery(), now=NOW)
    receiver = Receiver()
    assert deliver_due(NOW, send=receiver) == 1 and receiver.data == [1]


def test_operators_register_test_and_change_them_on_the_page() -> None:
    operator = sign_in("operator")
    form = {"address": "https://10.0.0.1/", "topics": ["job.failed", "ranking.made"]}
    refused = operator.post("/operations/webhooks/", form)
    assert refused.status_code == 422 and "not a public address" in refused.content.decode()
    good = {**form, "address": "https://hooks.example/in"}
    page = operator.post("/operations/webhooks/", good, follow=True)
    assert page.redirect_chain == [("/operations/webhooks/", 302)]
    (secret,) = re.findall(r"whsec_[\w+/]+=*", page.content.decode())
    hook = Webhook.objects.get()
    assert (secret, hook.topics) == (tell_secret(hook), ["job.failed", "ranking.made"])
    assert secret not in operator.get("/operations/webhooks/").content.decode()
    assert secret not in str(Webhook.objects.values().get())

    again = operator.post("/operations/webhooks/", {**good, "address": "https://HOOKS.example:443/in"})
    assert again.status_code == 422 and "is told already" in again.content.decode()

    change = f"/operations/webhooks/{hook.pk}/"
    operator.post(change, {"do": "test"})
    deliver_due(the_delivery().asked_at, send=Receiver(500))
    page = operator.get("/operations/webhooks/").content.decode()
    assert "webhook.test" in page and "It answered 500." in page and "failing" in page
    page = operator.post(change, {"do": "rotate"}, follow=True).content.decode()
    hook.refresh_from_db()
    assert tell_secret(hook) != secret and tell_secret(hook) in page
    for _ in range(2):
        operator.post(change, {"do": "off"})
    page = operator.post(change, {"do": "test"}, follow=True).content.decode()
    assert "Switch the webhook on first" in page and Delivery.objects.count() == 1
    page = operator.get("/operations/webhooks/").content.decode()
    assert "given up" in page and "Send again" not in page
    operator.post(change, {"do": "on"})
    operator.post(f"/operations/webhooks/deliveries/{the_delivery().pk}/")
    assert the_delivery().state == "waiting"
    operator.post(change, {"do": "delete"})
    assert not Webhook.objects.exists() and not Delivery.objects.exists()
