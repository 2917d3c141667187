"""What every address holds against: forms and sittings of others, other sites, caches, numbers of nothing."""

import uuid

import pytest
from django.test import Client

from evaluation.views.player_cookie import COOKIE, sign_cookie, sign_sitting
from tests.access_rules import BY_SITTINGS, CHANGING, OPERATORS, READERS, READING, SIGNED_IN
from tests.every_address import PEOPLE, client_of, everything_stored, list_addresses

# What programs send: it takes nobody's session into account, so no token of a form is needed.
BY_PROGRAMS = {"api:search_with_photo", "api:search_again"}
PROTECTING = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def addresses() -> dict[str, str]:
    return list_addresses()


@pytest.mark.parametrize("person", PEOPLE)
def test_what_watches_the_site_is_asked_in_front_of_django_and_of_roles(person):
    """Who may read `/metrics` is decided by token or network alone: tests/operate/test_metrics_page.py."""
    for address in ("/health/live", "/health/ready", "/metrics"):
        assert client_of(person).get(address).status_code == 404


@pytest.mark.parametrize("person", PEOPLE)
def test_without_the_forms_token_or_a_sitting_nothing_changes(person, addresses):
    client = client_of(person)
    client.handler.enforce_csrf_checks = True
    before = everything_stored()
    for name in CHANGING.keys() - BY_PROGRAMS:
        assert client.post(addresses[name]).status_code == 403, name
    assert everything_stored() == before


@pytest.mark.parametrize(
    "forged",
    [
        {"X-Sitting": "forged"},
        {"X-Sitting": sign_sitting(uuid.uuid4()), "Cookie": f"{COOKIE}={sign_cookie(uuid.uuid4())}"},
        {"X-Sitting": sign_sitting(uuid.uuid4()), "Origin": "https://elsewhere.example"},
    ],
    ids=["forged sitting", "sitting of another player", "another site"],
)
def test_the_game_refuses_sittings_and_sites_that_are_not_its_own(forged, addresses):
    before = everything_stored()
    for name in [name for name, rule in CHANGING.items() if rule is BY_SITTINGS]:
        headers = {**forged, "Accept": "application/json"}
        answer = Client().post(addresses[name], "{}", "application/json", headers=headers)
        assert answer.status_code == 403, name
    assert everything_stored() == before


def test_every_answer_carries_the_headers_that_protect_it(addresses):
    client = client_of("operator")
    for name, address in addresses.items():
        answer = client.get(address)
        assert {header: answer.get(header) for header in PROTECTING} == PROTECTING, name
        policy = answer["Content-Security-Policy"]
        assert "unsafe-" not in policy, name
        assert "default-src 'self'" in policy, name
        assert "base-uri 'none'" in policy, name


def test_pages_for_some_are_kept_by_no_cache(addresses):
    client = client_of("operator")
    for name, rule in READING.items():
        if rule in (READERS, OPERATORS, SIGNED_IN):
            assert "no-store" in client.get(addresses[name])["Cache-Control"], name


@pytest.mark.parametrize("number", [10**30, 0, 2**63])
def test_numbers_of_nothing_are_not_found(number):
    assert client_of("operator").post(f"/operations/contenders/{number}/retire/").status_code == 404
