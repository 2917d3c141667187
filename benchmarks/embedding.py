"""Embedding: the shipped network against eager PyTorch, and from stored file to stored vector.

The work is done in a process and a house of its own (`embedding_house.py`), with a SQLite database that is
thrown away. The pictures are the photos below DOPEORNOPE_DATA where there are any, else drawn ones.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rows import Row


def measure() -> Sequence[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-embedding-") as home:
        report = Path(home) / "rows.json"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DOPEORNOPE_")}
        data = {name: os.environ[name] for name in ("DOPEORNOPE_DATA",) if name in os.environ}
        environment = {**kept, **data, "DOPEORNOPE_HOME": home, "DOPEORNOPE_DEVICE": "cpu"}
        subprocess.run(
            [sys.executable, "-m", "benchmarks.embedding_house", str(report)],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return [Row(**row) for row in json.loads(report.read_text())]
