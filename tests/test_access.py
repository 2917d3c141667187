"""Every address of the site, asked for by everybody: deny by default, and no address forgotten here."""

from typing import Any

import pytest

from search.selectors.table_files import FORMATS
from tests.every_address import PEOPLE, client_of, everything_stored, list_addresses, outcome

PUBLIC = {"nobody": 200, "player": 200, "annotator": 200, "analyst": 200, "operator": 200}
SIGNED_IN = {**PUBLIC, "nobody": "login"}
READERS = {"nobody": "login", "player": 403, "annotator": 403, "analyst": 200, "operator": 200}
OPERATORS = {**READERS, "analyst": 403}
ANALYSTS = {**READERS, "operator": 403}
ANNOTATORS = {**READERS, "annotator": 200, "analyst": 403}
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
    "taste": PUBLIC,
    "taste-learn": NOT_BY_READING,
    "taste-delete": NOT_BY_READING,
    "find": PUBLIC,
    "find-begin": NOT_BY_READING,
    "find-daily": dict.fromkeys(PEOPLE, 409),  # nothing to look for
    "find-daily-begin": NOT_BY_READING,
    "find-game": MISSING,  # somebody else's
    "find-move": NOT_BY_READING,
    "find-races": PUBLIC,
    "find-race-open": NOT_BY_READING,
    "find-race": MISSING,  # there is none of that code
    "find-race-standing": MISSING,
    "find-race-join": NOT_BY_READING,
    "find-race-start": NOT_BY_READING,
    "find-race-leave": NOT_BY_READING,
    "find-race-rematch": NOT_BY_READING,
    "find-leaderboard": PUBLIC,
    "find-leaderboard-csv": PUBLIC,
    "find-leaderboard-jsonl": PUBLIC,
    "find-leaderboard-parquet": PUBLIC,
    "find-leaderboard-json": PUBLIC,
    "search": PUBLIC,
    "search-catalogue": PUBLIC,
    "search-photos": NOT_BY_READING,
    "search-photo": PUBLIC,  # who has the key
    "search-photo-delete": NOT_BY_READING,
    "search-photo-keep": NOT_BY_READING,
    "search-item": PUBLIC,
    "search-item-neighbours": READERS,
    "annotate": {**READERS, "annotator": 200},
    "annotate-project": {**ANNOTATORS, "annotator": 404, "operator": 404},  # there is none of that name
    "annotate-answer": NOT_BY_READING,
    "annotate-undo": NOT_BY_READING,
    "annotate-close": NOT_BY_READING,
    "annotate-reopen": NOT_BY_READING,
    "annotate-csv": {**READERS, "analyst": 404, "operator": 404},
    "annotate-jsonl": {**READERS, "analyst": 404, "operator": 404},
    "annotate-parquet": {**READERS, "analyst": 404, "operator": 404},
    "annotate-slates-parquet": {**READERS, "analyst": 404, "operator": 404},
    "annotate-slates-csv": {**READERS, "analyst": 404, "operator": 404},
    "annotate-slates-jsonl": {**READERS, "analyst": 404, "operator": 404},
    "annotate-agreement": {**READERS, "analyst": 404, "operator": 404},
    "image": PUBLIC,
    "leaderboard": PUBLIC,
    "leaderboard-board": PUBLIC,
    "leaderboard-csv": PUBLIC,
    "leaderboard-jsonl": PUBLIC,
    "leaderboard-parquet": PUBLIC,
    "leaderboard-json": PUBLIC,
    "leaderboard-slices-csv": PUBLIC,
    "leaderboard-slices-jsonl": PUBLIC,
    "leaderboard-slices-parquet": PUBLIC,
    "changes": PUBLIC,
    "changes-log": PUBLIC,
    "changes-feed": PUBLIC,
    "changes-json": PUBLIC,
    "contender": PUBLIC,
    "contender-standing": PUBLIC,
    "contender-pairs": READERS,
    "head-to-head": PUBLIC,
    "head-to-head-figures": dict.fromkeys(PEOPLE, 400),  # of which two, nobody said
    "head-to-head-pairs": {**READERS, "analyst": 400, "operator": 400},
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
    "trainings": READERS,
    "trainings-list": READERS,
    "training-new": OPERATORS,
    "training": READERS,
    "training-standing": READERS,
    "training-card": READERS,
    "maps": READERS,
    "maps-rows": READERS,
    "map": READERS,
    "map-points": READERS,
    "map-colours": {**READERS, "analyst": 400, "operator": 400},  # of which aspect, nobody said
    "map-items": READERS,
    "map-list": READERS,
    **{f"map-list-{suffix}": READERS for suffix in FORMATS},
    "job-report": READERS,
    "job-cancel": NOT_BY_READING,
    "job-retry": NOT_BY_READING,
    "catalogue-build": NOT_BY_READING,
    "catalogue-items": NOT_BY_READING,
    "contender-retire": NOT_BY_READING,
    "exports": READERS,
    "api-tokens": READERS,
    "api-token-revoke": NOT_BY_READING,
    "webhooks": OPERATORS,
    "webhook-change": NOT_BY_READING,
    "delivery-replay": NOT_BY_READING,
    **{f"export-votes-{suffix}": ANALYSTS for suffix in FORMATS},
    **{f"export-players-{suffix}": READERS for suffix in FORMATS},
    **{f"export-games-{suffix}": READERS for suffix in FORMATS},
    "players": READERS,
    "exposure": READERS,
    "exposure-figures": READERS,
    "exclusions": READERS,
    "exclusions-figures": READERS,
    "player-verdict": NOT_BY_READING,
    "retrainings": READERS,
    "retraining-start": NOT_BY_READING,
    "retraining-compare": NOT_BY_READING,
    "retraining-promote": NOT_BY_READING,
    "encoder-appoint": NOT_BY_READING,
    "encoder-roll-back": NOT_BY_READING,
    "taught": READERS,
    "lineage": READERS,
    **{f"lineage-{suffix}": READERS for suffix in FORMATS},
    "api-page": PUBLIC,
    "api:openapi-json": PUBLIC,
    "api:api-root": PUBLIC,
    "api:get_leaderboard": PUBLIC,
    "api:list_contenders": PUBLIC,
    "api:list_catalogues": PUBLIC,
    "api:get_catalogue": PUBLIC,
    "api:list_jobs": {**READERS, "nobody": 401},
    "api:get_job": {**READERS, "nobody": 401},
    **dict.fromkeys(("api:search_with_photo", "api:search_again"), dict.fromkeys(PEOPLE, 422)),  # nothing
    "api:get_filters": PUBLIC,
    **dict.fromkeys(("api:get_photo", "api:put_photo", "api:delete_photo"), PUBLIC),  # by the photo's key
}
BY_OPERATORS = {"nobody": "login", "player": 403, "annotator": 403, "analyst": 403}
# The game takes a sitting's token in place of a role, and none of these requests has one.
BY_SITTINGS = dict.fromkeys(PEOPLE, 403)
BY_NEWCOMERS = {**dict.fromkeys(PEOPLE, 302), "nobody": 422}
# By name: what an empty POST is answered. Every other address takes none.
CHANGING: dict[str, dict[str, Any]] = {
    "play-deals": BY_SITTINGS,
    "play-votes": BY_SITTINGS,
    "play-vote": BY_SITTINGS,
    "play-undo": BY_SITTINGS,
    "play-forget": BY_SITTINGS,
    "taste-learn": BY_SITTINGS,
    "taste-delete": BY_SITTINGS,
    "find-begin": BY_SITTINGS,
    "find-daily-begin": BY_SITTINGS,
    "find-move": BY_SITTINGS,
    "search-photos": BY_SITTINGS,
    "search-photo-delete": BY_SITTINGS,
    "search-photo-keep": BY_SITTINGS,
    "find-race-open": BY_SITTINGS,
    "find-race-join": BY_SITTINGS,
    "find-race-start": BY_SITTINGS,
    "find-race-leave": BY_SITTINGS,
    "find-race-rematch": BY_SITTINGS,
    "annotate-answer": {**ANNOTATORS, "annotator": 404, "operator": 404},
    "annotate-undo": {**ANNOTATORS, "annotator": 404, "operator": 404},
    "annotate-close": {**BY_OPERATORS, "operator": 404},
    "annotate-reopen": {**BY_OPERATORS, "operator": 404},
    "login": BY_NEWCOMERS,
    "register": BY_NEWCOMERS,
    "logout": dict.fromkeys(PEOPLE, 302),
    "account-delete": {**dict.fromkeys(PEOPLE, 302), "nobody": "login"},
    "invitation": {**dict.fromkeys(PEOPLE, 302), "nobody": 200},
    "invitations": {**BY_OPERATORS, "operator": 422},
    "operations-import": {**BY_OPERATORS, "operator": 422},
    "training-new": {**BY_OPERATORS, "operator": 422},
    "maps": {**BY_OPERATORS, "operator": 422},
    "job-cancel": {**BY_OPERATORS, "operator": 302},
    "job-retry": {**BY_OPERATORS, "operator": 302},
    "catalogue-build": {**BY_OPERATORS, "operator": 302},
    "catalogue-items": {**BY_OPERATORS, "operator": 302},
    "contender-retire": {**BY_OPERATORS, "operator": 302},
    "api-tokens": {**BY_OPERATORS, "analyst": 422, "operator": 422},
    "api-token-revoke": {**BY_OPERATORS, "analyst": 404, "operator": 302},  # somebody else's
    "webhooks": {**BY_OPERATORS, "operator": 422},
    "webhook-change": {**BY_OPERATORS, "operator": 302},
    "delivery-replay": {**BY_OPERATORS, "operator": 302},
    "player-verdict": {**BY_OPERATORS, "analyst": 302, "operator": 302},
    "retraining-start": {**BY_OPERATORS, "operator": 302},
    "retraining-compare": {**BY_OPERATORS, "operator": 302},
    "retraining-promote": {**BY_OPERATORS, "operator": 302},
    "encoder-appoint": {**BY_OPERATORS, "operator": 302},
    "encoder-roll-back": {**BY_OPERATORS, "operator": 302},
    **dict.fromkeys(("api:search_with_photo", "api:search_again"), dict.fromkeys(PEOPLE, 422)),  # no photo
}
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
