"""Votes 1 and 10 of the list of faults against a real web process: many at once, and killed between (P1)."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from evaluation.models import Player, RaterTally, Retraction, Vote
from evaluation.services.recount import find_differences
from search.models import Revision
from tests.factories import make_catalogue, make_contenders
from tests.faults.servers import Browser, Server

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT_S = 30


@pytest.fixture(scope="module")
def static_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=folder):
        call_command("collectstatic", interactive=False, verbosity=0)
    return folder


@pytest.fixture
def server(tmp_path: Path, static_files: Path) -> Iterator[Server]:
    make_contenders(make_catalogue(items=120, with_images=False))
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "static").symlink_to(static_files)
    running = Server(folder)
    running.start()
    yield running
    running.stop()


def _vote(deal: str, answer: str = "dope") -> dict:
    return {"deal": deal, "answer": answer, "dwell_ms": 800, "modality": "drag"}


def _wait_for_votes(count: int) -> None:
    deadline = time.monotonic() + LIMIT_S
    while Vote.objects.count() < count:
        assert time.monotonic() < deadline, "the vote never arrived"


def test_01_fifty_identical_votes_at_once_over_http(server: Server) -> None:
    browser = Browser(server)
    [deal] = browser.deal(1)
    gate = threading.Barrier(50)

    def vote(_: int) -> tuple:
        gate.wait(LIMIT_S)
        return browser.post(f"/play/votes/{deal['id']}/", _vote(deal["id"]))

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(vote, range(50)))
    assert answers == [answers[0]] * 50
    assert answers[0][0] == 200
    assert Vote.objects.count() == 1
    assert Player.objects.get().judged == 1
    assert all(tally.dopes == 1 for tally in RaterTally.objects.all())
    assert find_differences() == []


def test_10_killed_after_the_commit_a_retry_yields_one_vote(server: Server) -> None:
    """The client sends, the row appears, the process dies, and the client, who read nothing, asks again."""
    browser = Browser(server)
    deals = browser.deal(2)
    for turn, deal in enumerate(deals, start=1):
        path, body = f"/play/votes/{deal['id']}/", _vote(deal["id"])
        with socket.create_connection(("127.0.0.1", server.port)) as careless:
            careless.sendall(browser.raw_post(path, body))
            _wait_for_votes(turn)
            server.kill()
        server.start()
        status, answer = browser.post(path, body)
        assert (status, answer["answer"], answer["judged"], answer["streak"]) == (200, "dope", turn, turn)
        assert browser.post(path, _vote(deal["id"], "nope"))[0] == 409
        assert Vote.objects.count() == turn
        assert find_differences() == []


def test_10_killed_under_load_every_acknowledged_vote_is_stored_once(server: Server) -> None:
    """Eight players vote on; the process is killed in full flight; they resend what was not answered."""
    browsers = [Browser(server) for _ in range(8)]
    dealt = [[deal["id"] for deal in browser.deal(10)] for browser in browsers]
    acknowledged: list[set[str]] = [set() for _ in browsers]
    flying = threading.Event()

    def play(number: int) -> None:
        for deal in dealt[number]:
            try:
                status, _ = browsers[number].post("/play/votes/", {"votes": [_vote(deal)]})
            except (OSError, http.client.HTTPException, ValueError):
                return
            assert status == 200
            acknowledged[number].add(deal)
            if sum(map(len, acknowledged)) >= 12:
                flying.set()

    players = [threading.Thread(target=play, args=(number,)) for number in range(8)]
    for player in players:
        player.start()
    assert flying.wait(LIMIT_S)
    server.kill()
    for player in players:
        player.join(LIMIT_S)
    stored = set(Vote.objects.values_list("pk", flat=True))
    assert set().union(*acknowledged) <= stored
    assert find_differences() == [], "a vote and its counts are stored together or not at all"

    server.start()
    for browser, deals in zip(browsers, dealt, strict=True):
        _, answer = browser.post("/play/votes/", {"votes": [_vote(deal) for deal in deals]})
        assert {result["status"] for result in answer["results"]} == {200}
        assert answer["streak"] == len(deals)
    assert Vote.objects.count() == sum(map(len, dealt))
    assert not Retraction.objects.exists()
    assert find_differences() == []


def test_sixty_four_players_at_once_need_few_connections_and_get_no_error(server: Server) -> None:
    """No request opens a database connection of its own, and votes that meet share a commit."""
    with ThreadPoolExecutor(64) as pool:
        browsers = list(pool.map(lambda _: Browser(server), range(64)))
        dealt = list(pool.map(lambda browser: browser.deal(4), browsers))
        before = Revision.objects.get(topic="leaderboard").number

        def play(turn: int) -> list[int]:
            return [
                browsers[turn].post(f"/play/votes/{deal['id']}/", _vote(deal["id"]))[0]
                for deal in dealt[turn]
            ]

        statuses = [status for answers in pool.map(play, range(64)) for status in answers]
    assert statuses == [200] * 256
    assert Vote.objects.count() == 256
    assert find_differences() == []
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [connection.settings_dict["NAME"]]
            )
            assert cursor.fetchone()[0] <= 5
    assert Revision.objects.get(topic="leaderboard").number - before < 256, "commits are shared"
