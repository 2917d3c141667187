"""`/health/live` and `/health/ready`: each server by name, within a bounded time, and nothing secret."""

import asyncio
import json
import re
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from dopeornope import readiness
from dopeornope.env import Environment
from dopeornope.permissions_policy import POLICY
from dopeornope.readiness import Check, NotReady, Readiness, list_checks
from search.selectors.clock import read_clock
from search.services.sightings import SWEEPER, note_sighting
from tests import requirements

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT_S = 20


def ask(checks: list[Check], within_s: float = LIMIT_S) -> tuple[int, dict[str, Any]]:
    answer = asyncio.run(Readiness(checks, within_s=within_s)({}))
    return answer.status, json.loads(answer.text)


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def channel_layer(address: str) -> dict[str, Any]:
    """Django's setting, as an operator's variable makes it."""
    return {"default": Environment({"DOPEORNOPE_LAYER": address}).channel_layer("LAYER")}


def refuse() -> None:
    raise NotReady("is not here")


def test_a_process_answers_over_http_and_says_what_it_needs(start_web):
    note_sighting(who=SWEEPER, now=timezone.now())
    web = start_web()
    status, headers, text = web.ask("/health/live", headers={"Host": "10.0.0.7"})
    assert (status, text, headers["cache-control"]) == (200, "alive\n", "no-store")
    status, _, text = web.ask("/health/ready")
    assert status == 200
    answer = json.loads(text)
    assert answer["ready"]
    assert set(answer["checks"]) == {
        "database",
        "migrations",
        "disk",
        "broker",
        "channel layer",
        "sweeper",
    }
    assert all(check["ok"] for check in answer["checks"].values()), text
    assert web.ask("/health/live", method="POST")[0] == 405
    assert web.ask("/health/live", method="HEAD")[::2] == (200, "")


def test_what_is_answered_before_any_view_protects_itself_like_a_page(start_web):
    web = start_web(DOPEORNOPE_PLAYERS_PER_NETWORK="1")
    style = re.search(r"/static/css/base[^\"]*", web.ask("/about/")[2])
    assert style
    answers = {
        200: [web.ask(path) for path in (style[0], "/about/", "/health/live", "/health/ready", "/metrics")],
        404: [web.ask("/nowhere/")],
        413: [web.ask("/about/", method="POST", headers={"Content-Length": str(2**30)})],
        429: [[web.ask("/api/catalogues/") for _ in range(4)][-1]],
    }
    for expected, some in answers.items():
        for status, headers, _ in some:
            assert status == expected
            assert headers["permissions-policy"] == POLICY
            assert headers["x-content-type-options"] == "nosniff"


def test_what_is_needed_and_missing_makes_it_unready_what_is_not_needed_is_only_told():
    fine = Check("fine", lambda: None, is_needed=True)
    status, answer = ask([fine, Check("spare", refuse, is_needed=False)])
    assert (status, answer["ready"]) == (200, True)
    assert answer["checks"]["spare"] == {"ok": False, "needed": False, "why": "is not here"}
    status, answer = ask([fine, Check("core", refuse, is_needed=True)])
    assert (status, answer["ready"]) == (503, False)
    assert answer["checks"]["fine"]["ok"]


def test_a_server_that_hangs_is_waited_for_so_long_and_asked_once():
    release, asked = threading.Event(), []

    def hang() -> None:
        asked.append(1)
        release.wait(LIMIT_S)

    probe = Readiness([Check("stuck", hang, is_needed=True)], within_s=0.1)
    for _ in range(3):
        answer = asyncio.run(probe({}))
        assert answer.status == 503
        assert "does not answer in time" in answer.text
    assert len(asked) == 1
    release.set()


def test_an_exception_says_nothing_of_its_text():
    def fail() -> None:
        raise OSError("could not connect to postgresql://me:hunter2@db")

    _, answer = ask([Check("database", fail, is_needed=True)])
    assert answer["checks"]["database"]["why"] == "does not answer"
    assert "hunter2" not in json.dumps(answer)


def test_many_who_ask_at_once_share_one_look():
    looks: list[int] = []
    probe = Readiness([Check("one", lambda: looks.append(1), is_needed=True)], keep_s=LIMIT_S)

    async def crowd() -> None:
        await asyncio.gather(*(probe({}) for _ in range(20)))

    asyncio.run(crowd())
    assert len(looks) == 1


def test_a_missing_migration_is_not_ready():
    assert ask(list_checks())[1]["checks"]["migrations"]["ok"]
    recorder = MigrationRecorder.Migration.objects.filter(app="search").order_by("-id")
    row = recorder.values("app", "name", "applied").first()
    recorder.filter(name=row["name"]).delete()
    try:
        status, answer = ask(list_checks())
    finally:
        MigrationRecorder.Migration.objects.create(**row)
    assert status == 503
    assert "1 migrations are missing" in answer["checks"]["migrations"]["why"]


def test_a_sweeper_that_was_not_seen_lately_is_told(settings):
    assert ask(list_checks())[1]["checks"]["sweeper"]["why"] == "has not been seen yet"
    note_sighting(who=SWEEPER, now=timezone.now() - timedelta(hours=1))
    status, answer = ask(list_checks())
    assert (status, answer["checks"]["sweeper"]["ok"]) == (200, False)
    note_sighting(who=SWEEPER, now=timezone.now())
    assert ask(list_checks())[1]["checks"]["sweeper"]["ok"]


def test_servers_that_never_say_a_word_are_given_up_on(settings, silent_server):
    settings.CHANNEL_LAYERS = channel_layer(f"redis://127.0.0.1:{silent_server}/0")
    _, answer = ask(list_checks(), within_s=0.5)
    assert answer["checks"]["channel layer"]["why"].startswith("does not answer")


def test_servers_that_answer_are_told_as_such(settings):
    settings.CHANNEL_LAYERS = channel_layer(requirements.redis())
    settings.CELERY_BROKER_URL = requirements.redis()
    checks = ask(list_checks())[1]["checks"]
    assert (checks["channel layer"]["ok"], checks["broker"]["ok"]) == (True, True), checks


def test_a_web_process_whose_clock_is_off_still_sees_a_sweeper_of_the_databases_time(monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("on SQLite all processes share the clock of their host")
    note_sighting(who=SWEEPER, now=read_clock())
    hour_off = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: hour_off)
    assert ask(list_checks())[1]["checks"]["sweeper"]["ok"]


def test_a_full_disk_stops_the_mode_that_keeps_its_votes_there(monkeypatch, settings):
    monkeypatch.setattr(readiness, "LEAST_FREE_BYTES", 2**80)
    settings.MODE = "embedded"
    assert ask(list_checks())[0] == 503
    settings.MODE = "service"
    assert ask(list_checks())[0] == 200
