"""Every benchmark: ours against the best alternative of the same run, beside the floor it must reach.

    python -m benchmarks [NAME ...] [--json FILE] [--afresh]

A suite that has been measured is kept in FILE and not measured again until the code, the versions or the
machine change, so an interrupted run goes on where it stopped; ``--afresh`` forgets what was kept.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.rows import Row

ROOT = Path(__file__).resolve().parent.parent
# Which module measures which rows; each has a function `measure` that returns them.
SUITES = {
    "embedding": ("embed-forward", "embed-pipeline"),
    "neighbours": (
        "neighbours-l2",
        "neighbours-hamming",
        "neighbours-l1",
        "neighbours-single",
    ),
    "pgvector": ("pgvector-l1", "pgvector-l2", "pgvector-hamming"),
    "index": ("index-recall", "index-latency", "index-l2", "index-signs"),
    "votes": ("vote-sqlite", "vote-postgres"),
    "sockets": ("sockets",),
    "leaderboard": ("leaderboard-1m", "leaderboard-10m"),
    "training": ("training-steps", "training-memory"),
    "maps": ("map-open",),
    "navigation": ("navigation-5k", "navigation-100k", "navigation-1m"),
}
PACKAGES = ("django", "faiss-cpu", "numba", "numpy", "onnxruntime", "torch", "usearch", "uvicorn")
LINE = "{:22} {:>12} {:>12} {:>7} {:>7}  {}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SUITES)}")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench.json", metavar="FILE")
    parser.add_argument("--afresh", action="store_true", help="measure again what FILE holds")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(SUITES))
    if unknown:
        parser.error(f"there is no suite {unknown[0]!r}; there are {', '.join(SUITES)}")
    report = _resume(options.json, afresh=options.afresh)
    print(LINE.format("name", "ours", "best other", "ratio", "floor", "unit; against"), flush=True)
    for suite in options.names or SUITES:
        if not all(name in report["rows"] for name in SUITES[suite]):
            measure: Callable[[], Sequence[Row]] = import_module(f"benchmarks.{suite}").measure
            report["rows"] |= {row.name: asdict(row) for row in measure()}
            _write(options.json, report)
        for name in SUITES[suite]:
            _print(report["rows"][name])
    print(f"Written to {options.json}")
    missed = [name for name, row in report["rows"].items() if row["ratio"] < row["floor"]]
    if missed:
        sys.exit(f"Below the floor: {', '.join(missed)}")


def _resume(file: Path, *, afresh: bool) -> dict[str, Any]:
    """The report to go on with: that of FILE where it was measured on the same code and machine."""
    identity = {
        "code": _git("rev-parse", "HEAD") + ("+changes" if _git("status", "--porcelain") else ""),
        "machine": f"{platform.node()}, {len(os.sched_getaffinity(0))} cores",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }
    if file.exists() and not afresh:
        kept = json.loads(file.read_text())
        if {name: kept.get(name) for name in identity} == identity:
            return {**kept, "rows": {row["name"]: row for row in kept["rows"]}}
    return {**identity, "begun_at": datetime.now(UTC).isoformat(timespec="seconds"), "rows": {}}


def _write(file: Path, report: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".partial")
    draft.write_text(json.dumps({**report, "rows": list(report["rows"].values())}, indent=1) + "\n")
    draft.replace(file)


def _print(row: dict[str, Any]) -> None:
    numbers = (f"{row['ours']:,.1f}", f"{row['best']:,.1f}", f"{row['ratio']:.2f}", f"{row['floor']:.2f}")
    against = row["notes"].get("against", "")
    print(LINE.format(row["name"], *numbers, f"{row['unit']}; {against}"), flush=True)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
