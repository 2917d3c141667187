"""Every address of the site, filled in with something that is there, and who asks for it."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from evaluation.models import Contender, Player, Retraining
from evaluation.services.invitations import create_invitation
from search.models import Item, Job, Queue, Topic
from search.services.photos import keep_photo
from search.services.webhooks import register_webhook, send_test
from tests.factories import NOW, make_catalogue, make_contenders, make_image
from tests.search.mapped import make_map
from tests.tokens import make_token
from tests.trainings import make_trained, make_training

PEOPLE = ["nobody", "player", "annotator", "analyst", "operator"]
# Whose number an address holds, by a word in its name; otherwise a job's.
OWNERS = (
    "contender",
    "retraining",
    "lineage",
    "training",
    "player",
    "api-token",
    "webhook",
    "delivery",
    "map",
)


def list_addresses() -> dict[str, str]:
    """Every address of the site, by name, each of something that is there."""
    values = _make_values()
    found = {}
    for name, pattern, converters in _patterns(get_resolver()):
        assert name, f"{pattern} has no name"
        owner = next((owner for owner in OWNERS if owner in name), "job")
        given = {"pk": values[owner].pk}
        parts = {part: (values | given)[part] for part in converters}
        resolver = get_resolver()
        namespace, _, local = name.rpartition(":")
        prefix, inner = ("", resolver) if not namespace else resolver.namespace_dict[namespace]
        found[name] = "/" + prefix + inner.reverse(local, **parts).removeprefix("/")
    return found


def _patterns(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, str, list[str]]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, f"{entry.namespace}:" if entry.namespace else space)
        else:
            assert isinstance(entry, URLPattern)
            names = [*entry.pattern.converters, *getattr(entry.pattern.regex, "groupindex", {})]
            yield space + (entry.name or ""), str(entry.pattern), list(dict.fromkeys(names))


def _make_values() -> dict[str, Any]:
    """Something real for every part of an address."""
    catalogue = make_catalogue()
    make_contenders(catalogue, count=1, with_control=False)
    job = Job.objects.create(
        kind="import", queue=Queue.IO, idempotency_key="k", title="t", created_at=NOW, catalogue=catalogue
    )
    webhook = register_webhook(address="https://hooks.example/", topics=list(Topic), made_by="ada", now=NOW)
    send_test(webhook=webhook, now=NOW)
    _, token = create_invitation(role="analyst", note="", created_by=None, now=timezone.now())  # type: ignore[arg-type]
    return {
        "slug": catalogue.slug,
        "sha256": Item.objects.first().image_sha256,
        "key": keep_photo(source=make_image(0), holder=None, now=timezone.now()).key,
        "deal": "0" * 32,
        "round_id": "0" * 32,
        "game_id": "0" * 32,
        "code": "0" * 12,
        "position": 0,
        "token": token,
        "job_id": job.pk,
        "job": job,
        "contender": Contender.objects.get(),
        "player": Player.objects.create(created_at=NOW),
        "api-token": make_token(),
        "webhook": webhook,
        "delivery": webhook.deliveries.get(),
        "training": make_trained(make_training(catalogue)),
        "retraining": (taught := _make_retraining(Contender.objects.get())),
        "lineage": taught,
        "map": make_map(make_catalogue(slug="mapped"), is_searched=False),
    }


def _make_retraining(rival: Contender) -> Retraining:
    return Retraining.objects.create(
        **{"catalogue": rival.catalogue, "rival": rival, "name": "pupil-r1", "learn": "head", "period": "1"},
        **{"votes": 0, "picks": 0, "players": 0, "triplets": 0, "made_at": NOW},
    )


def client_of(person: str) -> Client:
    client = Client()
    if person != "nobody":
        user = User.objects.create(username=f"{person}-{uuid.uuid4().hex[:8]}")
        if person != "player":
            user.groups.add(Group.objects.get_or_create(name=person)[0])
        client.force_login(user)
    return client


def outcome(response: Any) -> Any:
    redirected = response.status_code == 302 and response["Location"].startswith("/accounts/login/")
    return "login" if redirected else response.status_code


def everything_stored() -> dict[str, list[dict[str, Any]]]:
    return {model._meta.label: list(model.objects.order_by("pk").values()) for model in apps.get_models()}
