"""Case 28: an import killed at any moment and started again ends like one that nobody disturbed."""

import contextlib
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.catalogues.sources import picture, write

ROOT = Path(__file__).resolve().parents[2]
ITEMS = 420
PATIENCE = 90.0  # seconds

FACTS = """
    SELECT i.position, i.key, i.image_sha256, i.source_sha256, i.details_sha256, i.perceptual_hash, i.width,
           i.split, o.key, a.value
    FROM search_item i LEFT JOIN search_item o ON o.id = i.near_duplicate_of_id
    LEFT JOIN search_attribute a ON a.id = i.category_id ORDER BY i.position
"""
LABELS = """
    SELECT i.position, s.name, a.value, l.source FROM search_label l JOIN search_item i ON i.id = l.item_id
    JOIN search_attribute a ON a.id = l.attribute_id JOIN search_aspect s ON s.id = a.aspect_id
    ORDER BY 1, 2, 3
"""
REST = "SELECT state, content_hash, settled_items FROM search_catalogue"
REJECTED = "SELECT number, key, code, message FROM search_rejectedrow ORDER BY number, id"


def command(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    settings = {"DOPEORNOPE_HOME": str(home), "DOPEORNOPE_DATABASE": "sqlite", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> str:
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    return output


def ask(home: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{home / 'db.sqlite3'}?mode=ro", uri=True, timeout=20) as database:
        return database.execute(query).fetchall()


def images(home: Path) -> dict[str, str]:
    found = (home / "images").glob("*/*.webp")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def everything(home: Path) -> list[object]:
    return [*(ask(home, query) for query in (FACTS, LABELS, REST, REJECTED)), images(home)]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    files: dict[str, bytes | str] = {f"images/{n:04d}.png": picture(n) for n in range(ITEMS)}
    files["images/0200.png"] = b"no picture at all"
    files["images/0333.png"] = files["images/0011.png"]
    lines = [f"{n:04d},{'shirt' if n % 3 else 'boot'},{n % 7}" for n in range(ITEMS)]
    files["t.csv"] = "\n".join(["image,kind,size", *lines, "gone,shirt,1"])
    return write(tmp_path / "source", files)


@pytest.mark.timeout(400)
def test_28_killed_half_way_and_run_again_equals_undisturbed(tmp_path: Path, source: Path) -> None:
    arguments = ("import_catalogue", "table", str(source), "--slug", "shop")
    first, other = tmp_path / "killed", tmp_path / "undisturbed"
    finish(command(first, "migrate", "-v0"))
    shutil.copytree(first, other)
    victim = command(first, *arguments)
    deadline = time.monotonic() + PATIENCE
    while not ITEMS // 4 < ask(first, "SELECT count(*) FROM search_item")[0][0] < ITEMS:  # type: ignore[operator]
        with contextlib.suppress(subprocess.TimeoutExpired):
            victim.wait(timeout=0.05)
        assert victim.poll() is None and time.monotonic() < deadline, "it ended before it could be killed"
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    (stored,) = ask(first, "SELECT count(*) FROM search_item")[0]
    assert ask(first, REST) == [("importing", "", 0)]
    output = finish(command(first, *arguments))
    assert f"{stored} unchanged" in output and "2 rows rejected" in output
    finish(command(other, *arguments))
    assert everything(first) == everything(other)
