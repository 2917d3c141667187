"""Backups of a game that goes on, and what comes back from them: on SQLite and on PostgreSQL."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from dopeornope import database_copies
from dopeornope.backups import MANIFEST, BackupRefused, back_up, check_files, read_backup
from evaluation.models import Vote
from evaluation.services.recount import find_differences
from search.models import Item
from tests.faults.players import Browser
from tests.faults.servers import ROOT, make_environment
from tests.operate.web import Web
from tests.waiting import wait_until

NOW = timezone.now()


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The variables of a HOME and a database in which nothing is."""
    alone = connection.vendor == "sqlite"
    database = "sqlite" if alone else request.getfixturevalue("empty_postgresql")
    variables = {"DOPEORNOPE_HOME": str(tmp_path / "restored"), "DOPEORNOPE_DATABASE": database}
    return {**os.environ, **variables, "DOPEORNOPE_SECRET_KEY": ""}


def restore(folder: Path, place: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "restore_backup", str(folder)]
    return subprocess.run(command, cwd=ROOT, env=place, capture_output=True, text=True, timeout=100)


def test_made_while_votes_are_cast_it_comes_back_with_equal_counts_and_pictures(
    played, start_web, static_files, tmp_path, place
):
    web = start_web()
    stop, cast = threading.Event(), threading.Event()

    def vote_on() -> None:
        while not stop.is_set():
            browser = Browser(web)
            for deal in browser.deal(10):
                assert browser.vote(deal["id"])[0] == 200
                cast.set()

    with ThreadPoolExecutor(3) as pool:
        players = [pool.submit(vote_on) for _ in range(3)]
        try:
            wait_until(cast.is_set)
            before = Vote.objects.count()
            backup = back_up(tmp_path / "kept", now=NOW)
            after = Vote.objects.count()
        finally:
            stop.set()
        for player in players:
            player.result()
    assert find_differences() == []

    done = restore(backup.folder, place)
    assert done.returncode == 0, done.stderr
    counted = int(done.stdout.rpartition("All counts equal the ")[2].split()[0])
    assert before - 1 <= counted <= after  # one was undone
    key = Path(place["DOPEORNOPE_HOME"]) / "secret-key"
    assert key.read_text() == settings.SECRET_KEY
    assert key.stat().st_mode & 0o777 == 0o600

    home = Path(place["DOPEORNOPE_HOME"])
    (home / "static").symlink_to(static_files)
    (tmp_path / "logs").mkdir()
    named = {name: place[name] for name in ("DOPEORNOPE_HOME", "DOPEORNOPE_DATABASE")}
    again = Web(tmp_path / "logs", environment=named)
    again.start()
    try:
        sha256 = Item.objects.values_list("image_sha256", flat=True)[0]
        picture = Browser(again).get(f"/images/{sha256}.webp")
        assert hashlib.sha256(picture).hexdigest() == sha256
    finally:
        again.stop()


def test_the_second_backup_copies_only_what_is_new(played, tmp_path):
    first = back_up(tmp_path / "kept", now=NOW)
    new = settings.IMAGES_FOLDER / "ff" / "new.webp"
    new.parent.mkdir(parents=True, exist_ok=True)
    new.write_bytes(b"new")
    (settings.IMAGES_FOLDER / "ff" / ".x.partial").write_bytes(b"half")
    second = back_up(tmp_path / "kept", now=NOW + timedelta(days=1))
    assert set(second.files) - set(first.files) == {"images/ff/new.webp"}
    pictures = [name for name in first.files if name.startswith("images/")]
    assert pictures
    for name in pictures:
        assert (first.folder / name).samefile(second.folder / name)
        assert not (first.folder / name).samefile(settings.HOME / name)
    shutil.rmtree(first.folder)
    check_files(second)


def test_what_exists_is_not_restored_over(played, tmp_path, place):
    backup = back_up(tmp_path / "kept", now=NOW)
    assert restore(backup.folder, place).returncode == 0
    done = restore(backup.folder, place)
    assert done.returncode == 1
    assert "DOPEORNOPE_HOME" in done.stderr or "dropdb" in done.stderr
    assert "Traceback" not in done.stderr


def test_pictures_of_somebody_else_are_not_mixed_with_those_of_the_backup(played, tmp_path, place):
    backup = back_up(tmp_path / "kept", now=NOW)
    other = Path(place["DOPEORNOPE_HOME"]) / "images" / "00" / "other.webp"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"somebody's")
    done = restore(backup.folder, place)
    assert done.returncode == 1
    assert f"{other} exists" in done.stderr


@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_a_damaged_backup_is_refused_by_file_before_anything_is_written(played, tmp_path, place, harm):
    backup = back_up(tmp_path / "kept", now=NOW)
    name = next(name for name in backup.files if name.startswith("images/"))
    if harm == "changed":
        (backup.folder / name).write_bytes(b"x" * backup.files[name]["size"])
    else:
        (backup.folder / name).unlink()
    done = restore(backup.folder, place)
    assert done.returncode == 1
    assert name in done.stderr
    assert not (Path(place["DOPEORNOPE_HOME"]) / "images").exists()


def test_a_backup_that_was_killed_is_taken_for_none_and_tidied_up(played, tmp_path):
    target = tmp_path / "kept"
    command = [sys.executable, "manage.py", "back_up", str(target)]
    # Larger than what can be copied before it is killed.
    with (settings.IMAGES_FOLDER / "00.webp").open("wb") as large:
        large.truncate(8 * 2**30)
    home = {"DOPEORNOPE_HOME": str(settings.HOME)}
    with subprocess.Popen(command, cwd=ROOT, env=make_environment(settings.HOME) | home) as making:
        while not list(target.glob(".*.partial/images")):
            assert making.poll() is None
        making.send_signal(signal.SIGKILL)
    (settings.IMAGES_FOLDER / "00.webp").unlink()
    [left] = target.iterdir()
    with pytest.raises(BackupRefused, match="no finished backup"):
        read_backup(left)
    made = back_up(target, now=NOW)
    assert list(target.iterdir()) == [made.folder]


@pytest.mark.parametrize("text", ['{"name": "a site"}', "[]", "{", '{"database": "sqlite", "files": 1}'])
def test_other_folders_beside_the_backups_stop_none(played, tmp_path, text):
    other = tmp_path / "kept" / "website"
    other.mkdir(parents=True)
    (other / MANIFEST).write_text(text)
    first = back_up(tmp_path / "kept", now=NOW)
    second = back_up(tmp_path / "kept", now=NOW + timedelta(days=1))
    name = next(name for name in first.files if name.startswith("images/"))
    assert (first.folder / name).samefile(second.folder / name)


def test_a_place_where_no_backup_can_be_is_named_with_the_remedy(played, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupRefused, match=f"{tmp_path}/file/kept cannot be .* name another folder"):
        back_up(tmp_path / "file" / "kept", now=NOW)


def test_a_log_without_its_database_is_not_played_into_the_one_that_comes_back(played, tmp_path, place):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps its log to itself")
    backup = back_up(tmp_path / "kept", now=NOW)
    left = Path(place["DOPEORNOPE_HOME"]) / "db.sqlite3-wal"
    left.parent.mkdir()
    left.write_bytes(b"x")
    done = restore(backup.folder, place)
    assert done.returncode == 1
    assert f"{left} exists" in done.stderr


def test_a_home_without_a_database_is_named(played, tmp_path, place):
    if connection.vendor != "sqlite":
        pytest.skip("on PostgreSQL the server says so")
    command = [sys.executable, "manage.py", "back_up", str(tmp_path / "kept")]
    done = subprocess.run(command, cwd=ROOT, env=place, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1
    assert f"{place['DOPEORNOPE_HOME']}/db.sqlite3 was not copied" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_inside_home_is_refused(played, home):
    with pytest.raises(BackupRefused, match="would be lost with it"):
        back_up(home / "backups", now=NOW)


def test_a_list_that_names_files_elsewhere_is_refused(tmp_path):
    described: dict[str, Any] = {"database": "sqlite", "files": {"images/../../x": {}}}
    (tmp_path / MANIFEST).write_text(json.dumps(described))
    with pytest.raises(BackupRefused, match="outside of itself"):
        read_backup(tmp_path)


def test_missing_client_programs_are_named_with_the_remedy(played, tmp_path, monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite needs no programs")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupRefused, match="apt install postgresql-client"):
        back_up(tmp_path / "kept", now=NOW)
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_key_other_than_the_backups_is_told(played, tmp_path, place):
    backup = back_up(tmp_path / "kept", now=NOW)
    done = restore(backup.folder, {**place, "DOPEORNOPE_SECRET_KEY": "another key, long enough to sign with"})
    assert done.returncode == 0, done.stderr
    assert "into DOPEORNOPE_SECRET_KEY" in done.stdout


def test_a_backup_of_the_other_database_names_the_way(played, tmp_path, place):
    backup = back_up(tmp_path / "kept", now=NOW)
    manifest = backup.folder / MANIFEST
    other = next(vendor for vendor in database_copies.FILES if vendor != connection.vendor)
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "database": other}))
    done = restore(backup.folder, place)
    assert done.returncode == 1
    assert f"holds a {other} database" in done.stderr
