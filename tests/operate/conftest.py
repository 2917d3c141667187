import contextlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils import timezone

from evaluation.models import Answer
from evaluation.services.retractions import undo_vote
from search.models import Job, Queue
from tests import requirements
from tests.evaluation.decks import cast, deal_to
from tests.factories import make_catalogue, make_contenders
from tests.faults.conftest import static_files, web_home
from tests.operate.web import Web

__all__ = ["static_files", "web_home"]


@pytest.fixture
def start_web(web_home: Path) -> Iterator[Callable[..., Web]]:
    """Starts web processes in the test's HOME and stops them at its end."""
    started: list[Web] = []

    def start(*, processes: int = 1, module: str = "dopeornope.web", **variables: str) -> Web:
        web = Web(web_home, processes=processes, module=module, environment=variables)
        started.append(web)
        web.start()
        return web

    yield start
    for web in started:
        web.stop()


@pytest.fixture
def empty_postgresql() -> Iterator[str]:
    """The address of a new PostgreSQL database without a table, dropped at the test's end."""
    server = requirements.postgresql()
    name = f"dn_operate_{uuid.uuid4().hex[:8]}"
    with contextlib.closing(psycopg2.connect(server)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
            yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def played(transactional_db: None) -> None:
    """A game with accounts, votes, an undone one and a job, committed."""
    make_contenders(make_catalogue(items=60))
    now = timezone.now()
    for player in range(5):
        key = uuid.uuid4()
        hand = deal_to(key, now=now, count=10, seed=player)
        answers = [Answer.DOPE, Answer.NOPE, Answer.SKIP]
        cast(key, {deal.pk: answers[turn % 3] for turn, deal in enumerate(hand.deals[:8])}, now=now)
    with transaction.atomic():
        undo_vote(key=key, deal_id=hand.deals[7].pk, now=now)
    User.objects.create_user("max", password="a long password").groups.add(
        Group.objects.create(name="analyst")
    )
    Job.objects.create(
        kind="import",
        queue=Queue.IO,
        idempotency_key="k",
        title="tab\there, line\nthere, back\\slash, “ümlaut”",
        arguments={"path": "C:\\photos", "nothing": None, "deep": [1, {"x": "\t"}]},
        created_at=now,
    )
