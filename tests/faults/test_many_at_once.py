"""64 players at once on real web processes: no error, and no request opens a connection of its own."""

import os
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from django.db import connection

from evaluation.models import Vote
from evaluation.services.recount import find_differences
from search.models import Revision
from tests.faults.players import Browser
from tests.faults.servers import Server

pytestmark = pytest.mark.django_db(transaction=True)

PLAYERS = 64
VOTES_EACH = 6
# The ballot box, the thread of synchronous code, and the one that looks for open pages.
THREADS_WITH_A_CONNECTION = 3


def test_sixty_four_players_at_once_get_no_error_and_need_no_connections_of_their_own(server: Server) -> None:
    """Deals, votes, pages, boards and pictures, all at once; the connections are counted meanwhile."""
    with ThreadPoolExecutor(PLAYERS) as pool:
        browsers = list(pool.map(lambda _: Browser(server), range(PLAYERS)))
        before = Revision.objects.get(topic="leaderboard").number
        most_connections = 0
        playing = [pool.submit(_play, browser) for browser in browsers]
        while wait(playing, timeout=0.05).not_done:
            most_connections = max(most_connections, _count_connections(server))
        statuses = [status for player in playing for status in player.result()]
    assert statuses == [200] * (PLAYERS * VOTES_EACH)
    assert Vote.objects.count() == PLAYERS * VOTES_EACH
    assert find_differences() == []
    assert 0 < most_connections <= THREADS_WITH_A_CONNECTION * len(server.pids)
    written = Revision.objects.get(topic="leaderboard").number - before
    assert written < PLAYERS * VOTES_EACH, "votes that meet share a commit"


def _play(browser: Browser) -> list[int]:
    """The statuses of the votes; every other answer must be 200."""
    statuses = []
    with browser.watch("leaderboard"):
        for deal in browser.deal(VOTES_EACH):
            browser.get(deal["question"]["image"])
            browser.get(deal["candidate"]["image"])
            statuses.append(browser.vote(deal["id"])[0])
        for page in ("/", "/play/demo/", "/leaderboard/"):
            browser.get(page)
    return statuses


def _count_connections(server: Server) -> int:
    """What the web processes have open now: sessions on PostgreSQL, file handles on SQLite."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        file = os.path.realpath(name)
        return sum(
            _read_link(link) == file for pid in server.pids for link in Path(f"/proc/{pid}/fd").iterdir()
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = %s AND application_name = 'dopeornope web' AND pid <> pg_backend_pid()",
            [name],
        )
        count: int = cursor.fetchone()[0]
        return count


def _read_link(link: Path) -> str:
    """Where a handle leads; nowhere if it was closed meanwhile."""
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""
