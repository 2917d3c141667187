"""`manage.py serve` where something is missing: all of it is named at once, and nothing starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = "127.0.0.1:1"  # a port on which nothing listens
SILENT = {
    "DOPEORNOPE_MODE": "service",
    "DOPEORNOPE_SECRET_KEY": "a key that is long enough to be taken",
    "DOPEORNOPE_DATABASE": f"postgresql://me:hunter2@{NOBODY}/game",
    "DOPEORNOPE_BROKER": f"amqp://me:hunter2@{NOBODY}/game",
    "DOPEORNOPE_CHANNEL_LAYER": f"redis://:hunter2@{NOBODY}/1",
}


def serve(home: Path, *arguments: str, **variables: str) -> str:
    """What a `serve` says that must not start."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DOPEORNOPE_")}
    ended = subprocess.run(
        [sys.executable, "manage.py", "serve", *arguments],
        cwd=ROOT,
        env={**clean, "DOPEORNOPE_HOME": str(home), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_without_any_variable_all_that_it_needs_is_shown_with_examples(tmp_path):
    said = serve(tmp_path)
    for example in ("MODE=service", "DATABASE=postgresql://", "BROKER=amqp://", "CHANNEL_LAYER=redis://"):
        assert f"DOPEORNOPE_{example}" in said
    assert "make play" in said


def test_what_is_missing_is_named_and_what_is_there_is_not(tmp_path):
    said = serve(tmp_path, **{**SILENT, "DOPEORNOPE_BROKER": ""})
    assert "needs DOPEORNOPE_BROKER:" in said
    assert "DOPEORNOPE_DATABASE" not in said


def test_every_server_that_does_not_answer_is_named_without_its_password(tmp_path):
    said = serve(tmp_path, **SILENT)
    for name, scheme in (("DATABASE", "postgresql"), ("BROKER", "amqp"), ("CHANNEL_LAYER", "redis")):
        assert f"does not answer at {scheme}://{NOBODY}/" in said
        assert f"DOPEORNOPE_{name}=" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("count", ["-1", "65"])
def test_a_number_of_processes_that_cannot_be_is_named(tmp_path, count):
    assert "--web must be a whole number from 0 to 64" in serve(tmp_path, "--web", count, **SILENT)
