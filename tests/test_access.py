"""Every address of the site, asked for by everybody: deny by default, and no address forgotten here."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from evaluation.models import Contender
from evaluation.services.invitations import create_invitation
from search.models import Item, Job, JobState, Queue
from tests.factories import NOW, make_catalogue, make_contenders

PEOPLE = ["nobody", "player", "annotator", "analyst", "operator"]
PUBLIC = {"nobody": 200, "player": 200, "annotator": 200, "analyst": 200, "operator": 200}
SIGNED_IN = {**PUBLIC, "nobody": "login"}
READERS = {"nobody": "login", "player": 403, "annotator": 403, "analyst": 200, "operator": 200}
OPERATORS = {**READERS, "analyst": 403}
NOT_BY_READING = dict.fromkeys(PEOPLE, 405)
MISSING = dict.fromkeys(PEOPLE, 404)

# By name: what a plain GET is answered. "login" is the redirect to the sign-in page.
READING: dict[str, dict[str, Any]] = {
    "service-worker": PUBLIC,
    "manifest": PUBLIC,
    "favicon": dict.fromkeys(PEOPLE, 302),
    "offline": PUBLIC,
    "about": PUBLIC,
    "home": PUBLIC,
    "catalogues": PUBLIC,
    "privacy": PUBLIC,
    "play": PUBLIC,
    "play-catalogue": PUBLIC,
    "play-deals": NOT_BY_READING,
    "play-votes": NOT_BY_READING,
    "play-vote": NOT_BY_READING,
    "play-undo": NOT_BY_READING,
    "play-forget": NOT_BY_READING,
    "play-round": MISSING,  # somebody else's
    "image": PUBLIC,
    "leaderboard": PUBLIC,
    "leaderboard-board": PUBLIC,
    "leaderboard-csv": PUBLIC,
    "leaderboard-json": PUBLIC,
    "login": {**dict.fromkeys(PEOPLE, 302), "nobody": 200},
    "register": {**dict.fromkeys(PEOPLE, 302), "nobody": 200},
    "logout": NOT_BY_READING,
    "account": SIGNED_IN,
    "account-delete": NOT_BY_READING,
    "my-data": {**PUBLIC, "nobody": 404},
    "invitations": OPERATORS,
    "invitation": PUBLIC,
    "operations": READERS,
    "operations-catalogues": READERS,
    "operations-encoders": READERS,
    "operations-contenders": READERS,
    "operations-jobs": READERS,
    "operations-import": OPERATORS,
    "job-report": READERS,
    "job-cancel": NOT_BY_READING,
    "job-retry": NOT_BY_READING,
    "catalogue-build": NOT_BY_READING,
    "contender-retire": NOT_BY_READING,
    "api-page": PUBLIC,
    "api:openapi-json": PUBLIC,
    "api:api-root": PUBLIC,
    "api:get_leaderboard": PUBLIC,
    "api:list_contenders": PUBLIC,
    "api:list_catalogues": PUBLIC,
    "api:get_catalogue": PUBLIC,
    "api:list_jobs": {**READERS, "nobody": 401},
    "api:get_job": {**READERS, "nobody": 401},
}
# What changes something: only operators may, and by POST alone.
CHANGING = [
    "job-cancel",
    "job-retry",
    "catalogue-build",
    "contender-retire",
    "operations-import",
    "invitations",
]

pytestmark = pytest.mark.django_db


@pytest.fixture
def values() -> dict[str, Any]:
    """Something real for every part of an address."""
    catalogue = make_catalogue()
    make_contenders(catalogue, count=1, with_control=False)
    job = Job.objects.create(
        kind="import", queue=Queue.IO, idempotency_key="k", title="t", created_at=NOW, catalogue=catalogue
    )
    _, token = create_invitation(role="analyst", note="", created_by=None, now=timezone.now())  # type: ignore[arg-type]
    return {
        "slug": catalogue.slug,
        "sha256": Item.objects.first().image_sha256,
        "deal": "0" * 32,
        "round_id": "0" * 32,
        "token": token,
        "job_id": job.pk,
        "job": job,
        "contender": Contender.objects.get(),
    }


def addresses(values: dict[str, Any]) -> dict[str, str]:
    """Every address of the site, by name."""
    found = {}
    for name, pattern, converters in _patterns(get_resolver()):
        assert name, f"{pattern} has no name"
        given = {"pk": values["contender"].pk if "contender" in name else values["job"].pk}
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


def test_every_address_is_decided_on(values):
    assert set(addresses(values)) == set(READING)


@pytest.mark.parametrize("person", PEOPLE)
def test_what_watches_the_site_is_asked_in_front_of_django_and_of_roles(person):
    """Who may read `/metrics` is decided by token or network alone: tests/operate/test_metrics_page.py."""
    for address in ("/health/live", "/health/ready", "/metrics"):
        assert client_of(person).get(address).status_code == 404


@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_read_what(person, values):
    client = client_of(person)
    answers = {name: outcome(client.get(address)) for name, address in addresses(values).items()}
    assert answers == {name: rule[person] for name, rule in READING.items()}


@pytest.mark.parametrize("person", [person for person in PEOPLE if person != "operator"])
def test_who_may_change_nothing(person, values):
    client = client_of(person)
    for name in CHANGING:
        assert outcome(client.post(addresses(values)[name])) == ("login" if person == "nobody" else 403), name
    values["job"].refresh_from_db()
    values["contender"].refresh_from_db()
    assert values["job"].state == JobState.QUEUED
    assert values["contender"].retired_at is None


def test_an_operator_without_the_forms_token_changes_nothing(values):
    client = Client(enforce_csrf_checks=True)
    operator = User.objects.create(username="op")
    operator.groups.add(Group.objects.get_or_create(name="operator")[0])
    client.force_login(operator)
    for name in CHANGING:
        assert client.post(addresses(values)[name]).status_code == 403, name


def test_pages_for_some_are_kept_by_no_cache(values):
    client = client_of("operator")
    for name, rule in READING.items():
        if rule in (READERS, OPERATORS, SIGNED_IN):
            assert "no-store" in client.get(addresses(values)[name])["Cache-Control"], name


@pytest.mark.parametrize("number", [10**30, 0, 2**63])
def test_numbers_of_nothing_are_not_found(number):
    assert client_of("operator").post(f"/operations/contenders/{number}/retire/").status_code == 404
