"""Every address of the site, asked for by everybody: deny by default, and no address forgotten here."""

import pytest

from tests.access_rules import CHANGING, NOT_BY_READING, READING
from tests.every_address import PEOPLE, client_of, everything_stored, list_addresses, outcome

# A description of the API, read with whatever method.
READ_BY_ALL_METHODS = {"api:openapi-json"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def addresses() -> dict[str, str]:
    return list_addresses()


def test_every_address_is_decided_on(addresses):
    assert set(addresses) == set(READING)


@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_read_what(person, addresses):
    client = client_of(person)
    answers = {name: outcome(client.get(address)) for name, address in addresses.items()}
    assert answers == {name: rule[person] for name, rule in READING.items()}


@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_change_what(person, addresses):
    wanted = {name: CHANGING.get(name, NOT_BY_READING)[person] for name in READING}
    wanted |= dict.fromkeys(READ_BY_ALL_METHODS, 200)
    answers = {name: outcome(client_of(person).post(address)) for name, address in addresses.items()}
    assert answers == wanted


@pytest.mark.parametrize("person", [person for person in PEOPLE if person != "operator"])
def test_who_may_change_nothing_changes_nothing(person, addresses):
    client = client_of(person)
    before = everything_stored()
    for name, rule in CHANGING.items():
        if rule[person] in ("login", 403):
            client.post(addresses[name])
    assert everything_stored() == before
