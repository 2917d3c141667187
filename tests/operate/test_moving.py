"""From a real SQLite file into a real PostgreSQL: every row, or none."""

import contextlib
import datetime
import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.db import connection

from evaluation.models import Player, Vote
from search.models import Job
from tests.faults.servers import ROOT

MOVE = [sys.executable, "manage.py", "move_to_postgresql"]


@pytest.fixture
def file(played: None, tmp_path: Path) -> Path:
    """The played game as a SQLite file of its own."""
    if connection.vendor != "sqlite":
        pytest.skip("moves from SQLite, so it runs on SQLite's column only")
    copy = tmp_path / "old" / "db.sqlite3"
    copy.parent.mkdir()
    with contextlib.closing(sqlite3.connect(copy)) as target:
        connection.connection.backup(target)
    return copy


@pytest.fixture
def environment(empty_postgresql: str, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DOPEORNOPE_HOME": str(tmp_path / "new"),
        "DOPEORNOPE_DATABASE": empty_postgresql,
        "PYTHONUNBUFFERED": "1",
    }


def move(file: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MOVE, "--from", str(file)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100
    )


def ask(environment: dict[str, str], question: str) -> list[Any]:
    target = psycopg2.connect(environment["DOPEORNOPE_DATABASE"])
    with contextlib.closing(target), target.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchall()


def test_everything_arrives_as_it_was_and_new_rows_come_after_it(file, environment):
    done = move(file, environment)
    assert done.returncode == 0, done.stderr
    assert f"{Vote.objects.count():>10}  evaluation_vote\n" in done.stdout
    assert "equals a recount" in done.stdout
    job = Job.objects.get()
    [row] = ask(
        environment, "SELECT id, title, arguments::text, created_at, cancel_requested FROM search_job"
    )
    assert (row[0], row[1], json.loads(row[2])) == (str(job.pk), job.title, job.arguments)
    assert row[3] == job.created_at
    assert row[3].utcoffset() == datetime.timedelta(0)
    assert row[4] is False
    keys = {str(key) for key in Player.objects.values_list("key", flat=True)}
    assert {str(key) for (key,) in ask(environment, "SELECT key FROM evaluation_player")} == keys
    [[highest]] = ask(environment, "SELECT max(id) FROM evaluation_player")
    [[following]] = ask(environment, "SELECT nextval(pg_get_serial_sequence('evaluation_player', 'id'))")
    assert following == highest + 1
    recounted = subprocess.run(
        [sys.executable, "manage.py", "recount_leaderboard"], cwd=ROOT, env=environment, capture_output=True
    )
    assert recounted.returncode == 0


def test_killed_midway_nothing_is_there_and_the_next_try_succeeds(file, environment):
    with subprocess.Popen(
        [*MOVE, "--from", str(file)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as moving:
        assert moving.stdout is not None
        assert moving.stdout.readline()  # the first table is copied
        moving.send_signal(signal.SIGKILL)
    assert moving.returncode == -signal.SIGKILL
    assert ask(environment, "SELECT count(*) FROM search_item") == [(0,)]
    done = move(file, environment)
    assert done.returncode == 0, done.stderr
    assert ask(environment, "SELECT count(*) FROM evaluation_vote") == [(Vote.objects.count(),)]


def test_a_target_that_holds_rows_is_refused_by_name_and_left_alone(file, environment):
    assert move(file, environment).returncode == 0
    before = ask(environment, "SELECT count(*) FROM evaluation_vote")
    again = move(file, environment)
    assert again.returncode == 1
    assert f"evaluation_vote ({before[0][0]} rows)" in again.stderr
    assert "Traceback" not in again.stderr
    assert ask(environment, "SELECT count(*) FROM evaluation_vote") == before


def test_a_source_that_lacks_a_migration_is_refused_before_the_target_is_touched(file, environment):
    with contextlib.closing(sqlite3.connect(file)) as source, source:
        source.execute("DELETE FROM django_migrations WHERE app = 'search' AND name LIKE '0001%'")
    done = move(file, environment)
    assert done.returncode == 1
    assert "1 migrations are missing" in done.stderr
    assert "manage.py migrate" in done.stderr
    assert ask(environment, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_a_running_game_is_not_moved(file, environment):
    with (file.parent / "play.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = move(file, environment)
    assert done.returncode == 1
    assert "runs already in" in done.stderr


def test_counts_that_are_wrong_already_stop_the_move_and_leave_nothing(file, environment):
    with contextlib.closing(sqlite3.connect(file)) as source, source:
        source.execute("UPDATE evaluation_player SET judged = judged + 1")
    done = move(file, environment)
    assert done.returncode == 1
    assert "recount_leaderboard --repair" in done.stderr
    assert ask(environment, "SELECT count(*) FROM evaluation_player") == [(0,)]


def test_a_file_that_is_none_of_ours_or_not_there_is_named(environment, tmp_path):
    other = tmp_path / "other.sqlite3"
    other.write_text("no database")
    assert "no database of this game" in move(other, environment).stderr
    assert "There is no file" in move(tmp_path / "nowhere" / "db.sqlite3", environment).stderr
    assert not (tmp_path / "nowhere").exists()
