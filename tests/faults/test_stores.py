"""Case 39 of docs/reliability.md: databases and Redis that are killed, restarted, flushed or locked."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

import pytest
import redis
from django.core.management import call_command
from django.db import connection
from websockets.sync.client import ClientConnection

from search.models import Revision
from tests.factories import make_catalogue, make_contenders
from tests.faults.house import is_service
from tests.faults.players import Browser, Crowd
from tests.faults.servers import Server
from tests.faults.stores import PostgreSQL, Redis
from tests.waiting import PATIENCE_S

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

on_postgresql = pytest.mark.skipif(not is_service(), reason="belongs to the run on PostgreSQL")
on_sqlite = pytest.mark.skipif(is_service(), reason="belongs to the run on SQLite")


@pytest.fixture
def postgresql(transactional_db: None) -> Iterator[PostgreSQL]:
    """A PostgreSQL that only this test uses, with the tables of the site and as the test's own database."""
    usual = dict(connection.settings_dict)
    with PostgreSQL() as store:
        connection.close()
        connection.settings_dict.update(
            {
                "HOST": "127.0.0.1",
                "PORT": str(store.port),
                "NAME": "postgres",
                "USER": "postgres",
                "PASSWORD": "",
            }
        )
        try:
            call_command("migrate", verbosity=0)
            yield store
        finally:
            connection.close()
            connection.settings_dict.update(usual)


@on_postgresql
def test_39_postgresql_killed_and_restarted_under_load(postgresql: PostgreSQL, web_home: Path) -> None:
    """Votes are refused meanwhile, none that was acknowledged is lost, and nobody restarts a web process."""
    make_contenders(make_catalogue(items=120))
    with Server(web_home, processes=2) as server:
        crowd, visitor = Crowd(server), Browser(server)
        with visitor.watch("leaderboard") as frames:
            with crowd.playing():
                for enough in (10, 40):
                    crowd.wait_for_votes(enough)
                    postgresql.kill()
                    crowd.wait_for_refusals(crowd.refused.total() + 8)
                    assert visitor.status_of("/play/demo/") == HTTPStatus.SERVICE_UNAVAILABLE
                    check_api_is_away(visitor)
                    postgresql.start()
                    connection.close()
                    crowd.check_stored()
            crowd.check_end()
            for path in ("/leaderboard/", "/play/demo/", "/api/leaderboard/"):
                assert visitor.status_of(path) == HTTPStatus.OK
            read_until(frames, Revision.objects.get(topic="leaderboard").number)


def check_api_is_away(visitor: Browser) -> None:
    """Programs are told so in JSON, also where their session has to be looked up first."""
    for path in ("/api/leaderboard/", "/api/contenders/", "/api/jobs/"):
        status, headers, body = visitor.ask(path, Cookie="sessionid=0123456789abcdefghijklmnopqrstuv")
        assert (status, set(json.loads(body))) == (HTTPStatus.SERVICE_UNAVAILABLE, {"detail"})
        assert int(headers["Retry-After"]) > 0


@on_sqlite
def test_39_sqlite_locked_for_ten_seconds_and_longer(server: Server) -> None:
    """Readers do not notice. Who writes waits, and is asked to come again after twenty seconds."""
    crowd = Crowd(server)
    visitor = Browser(server)
    file = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    with closing(file), crowd.playing():
        crowd.wait_for_votes(10)
        file.execute("BEGIN IMMEDIATE")
        assert visitor.status_of("/leaderboard/") == visitor.status_of("/play/demo/") == HTTPStatus.OK
        crowd.wait_for_refusals(1)
        file.execute("ROLLBACK")
    crowd.check_end()


def test_39_redis_flushed_killed_and_restarted_pages_hear_of_the_newest(game: None, web_home: Path) -> None:
    """Votes need no Redis; open pages are told where the board stands once it is back."""
    with Redis() as store:
        environment = {"DOPEORNOPE_CHANNEL_LAYER": store.address}
        with Server(web_home, processes=2, environment=environment) as server:
            browser = Browser(server)
            first, flushed, away, back = (deal["id"] for deal in browser.deal(4))
            with browser.watch("leaderboard") as frames:
                assert browser.vote(first)[0] == HTTPStatus.OK
                read_until(frames, Revision.objects.get(topic="leaderboard").number)
                redis.Redis.from_url(store.address).flushall()
                assert browser.vote(flushed)[0] == HTTPStatus.OK
                read_until(frames, Revision.objects.get(topic="leaderboard").number)
                store.kill()
                assert browser.vote(away)[0] == HTTPStatus.OK
                read_until(frames, Revision.objects.get(topic="leaderboard").number)
                store.start()
                assert browser.vote(back)[0] == HTTPStatus.OK
                read_until(frames, Revision.objects.get(topic="leaderboard").number)


def read_until(frames: ClientConnection, revision: int) -> None:
    """Read what the page is told, up to this revision."""
    while json.loads(frames.recv(PATIENCE_S))["revision"] < revision:
        continue
