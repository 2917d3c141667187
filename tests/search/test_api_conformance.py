"""`/api/` does what `/api/openapi.json` says, whoever asks and whatever they ask."""

from collections.abc import Iterator

import pytest
import schemathesis
from django.contrib.auth.models import Group, User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection, positive_data_acceptance

from search.models import Item, Job, JobState, Queue, Role
from search.services.photos import keep_photo
from tests.factories import NOW, make_catalogue, make_contenders
from tests.search.searching import make_photo_of, make_searchable

# Which names the board knows is in its rows, not in the description; and our own cookie goes with every
# question, so that one which the checks think forged or missing is real (test_api.py asks those).
NOT_ASKED = [positive_data_acceptance, negative_data_rejection, ignored_auth]
EVERYBODY = ("nobody", "player", Role.ANALYST)


described = schemathesis.openapi.from_wsgi("/api/openapi.json", get_wsgi_application())


@pytest.fixture
def rows(db) -> Iterator[None]:
    """Something of every kind that the API tells of; answers leave the test's own connection open."""
    request_finished.disconnect(close_old_connections)
    request_started.disconnect(close_old_connections)
    catalogue = make_catalogue(items=12, with_images=False)
    make_contenders(catalogue, count=2)
    for number, state in enumerate(JobState):
        Job.objects.create(
            kind="index",
            queue=Queue.IO,
            title=f"Job {number}",
            state=state,
            catalogue=catalogue if number % 2 else None,
            idempotency_key=f"key-{number}",
            created_at=NOW,
        )
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@pytest.fixture(params=EVERYBODY)
def cookies(request, client) -> dict[str, str]:
    if request.param == "nobody":
        return {}
    user = User.objects.create(username=request.param)
    if request.param != "player":
        user.groups.add(Group.objects.get_or_create(name=request.param)[0])
    client.force_login(user)
    return {name: morsel.value for name, morsel in client.cookies.items()}


@described.parametrize()
@hypothesis_settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_described(case, rows, cookies) -> None:
    case.call_and_validate(cookies=cookies, excluded_checks=NOT_ASKED)


def test_a_search_that_finds_something_is_answered_as_described(db, monkeypatch) -> None:
    request_finished.disconnect(close_old_connections)
    request_started.disconnect(close_old_connections)
    try:
        make_searchable(monkeypatch, encoders=("colour-histogram",), items=6)
        source = make_photo_of(Item.objects.get(position=2))
        key = keep_photo(source=source, holder=None, now=timezone.now()).key
        asked = described["/api/search/{slug}/"]["GET"]
        for query in ({"photo": str(key)}, {"item": 3, "filter": ["kind:boot"]}):
            case = asked.Case(path_parameters={"slug": "demo"}, query=query)
            assert case.call_and_validate(excluded_checks=NOT_ASKED).json()["candidates"]
    finally:
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)
