"""Commands where the database was never made, or does not answer, say so and what to do."""

import os
import subprocess
import sys
from pathlib import Path

from tests.faults.servers import ROOT


def _run(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "import_catalogue", "wardrobe", "--slug", "few", "--items", "10"]
    settings = {**os.environ, "DOPEORNOPE_HOME": str(home), **environment}
    return subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=60)


def test_a_command_on_a_database_without_tables_names_the_command_that_makes_them(tmp_path: Path) -> None:
    done = _run(tmp_path, DOPEORNOPE_DATABASE="sqlite")
    assert done.returncode == 1
    assert "migrations are missing: run manage.py migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_whose_server_is_away_says_which_does_not_answer(tmp_path: Path) -> None:
    done = _run(tmp_path, DOPEORNOPE_DATABASE="postgresql://postgres@127.0.0.1:1/none")
    assert done.returncode == 1
    assert done.stderr.startswith("The database does not answer: ") and "port 1 failed" in done.stderr
    assert "Traceback" not in done.stderr
