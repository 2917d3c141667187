"""`manage.py simulate_votes`: what the leaderboard's statistics are worth, told with simulated people."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from evaluation.services.simulating_votes import SimulatedVotes, simulate_votes
from evaluation.stats.simulated.registry import STUDIES
from search.engine.files import write_file
from search.management.progress import StepProgress


class Command(BaseCommand):
    help = "Simulate votes, and print how far the leaderboard's statistics hold; resumes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--repetitions", type=int, default=300, metavar="N", help="default %(default)s")
        parser.add_argument(
            "--studies",
            default=",".join(STUDIES),
            help="names with commas (default: all: %(default)s)",
        )
        parser.add_argument(
            "--processes", type=int, default=os.cpu_count() or 1, help="at once (default: one per core)"
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")

    def handle(self, *args: Any, **options: Any) -> None:
        names = [name for name in options["studies"].split(",") if name]
        _check(names, options)
        for name in dict.fromkeys(names):
            if missing := STUDIES[name].missing():
                self.stderr.write(f"Left out: {name}: {missing}.")
        with StepProgress(sys.stderr) as progress:
            try:
                found = simulate_votes(
                    [STUDIES[name] for name in dict.fromkeys(names)],
                    seed=options["seed"],
                    repetitions=options["repetitions"],
                    processes=options["processes"],
                    say=progress,
                )
            except KeyboardInterrupt as stop:
                raise CommandError("Stopped. The same command goes on from here.", returncode=130) from stop
        if options["json"]:
            write_file(options["json"], json.dumps(found.as_json(), indent=2).encode() + b"\n")
        Console(file=sys.stdout).print(_draw(found))


def _check(names: list[str], options: dict[str, Any]) -> None:
    """Raises CommandError where an option cannot be."""
    unknown = [name for name in names if name not in STUDIES]
    if unknown or not names:
        raise CommandError(f"There is no study '{', '.join(unknown)}'. There are: {', '.join(STUDIES)}.")
    if options["repetitions"] < 2 or options["processes"] < 1:
        raise CommandError("At least two repetitions and one process are needed.")
    if options["seed"] < 0:
        raise CommandError("The seed is a whole number from 0.")


def _draw(found: SimulatedVotes) -> Table:
    drawn = Table(
        title="Simulated votes", caption=f"seed {found.seed}, {found.repetitions:,} repetitions asked for"
    )
    drawn.add_column("figure")
    drawn.add_column("value", justify="right")
    drawn.add_column("standard error", justify="right")
    flat = dict(_flatten(found.figures))
    for name, value in flat.items():
        if not name.endswith("_se"):
            error = flat.get(f"{name}_se")
            drawn.add_row(name, f"{value:.4g}", "" if error is None else f"{error:.2g}")
    return drawn


def _flatten(figures: Any, name: str = "") -> list[tuple[str, float]]:
    """Figures by the path of keys to them; rows of a list by their words, else their first value."""
    if isinstance(figures, dict):
        return [one for key, value in figures.items() for one in _flatten(value, f"{name} {key}".strip())]
    if isinstance(figures, list):
        rows = []
        for row in figures:
            named = [key for key, value in row.items() if isinstance(value, str)] or [*row][:1]
            words = " ".join(str(row[key]) for key in named)
            numbers = {key: value for key, value in row.items() if key not in named}
            rows += _flatten(numbers, f"{name} {words}".strip())
        return rows
    return [(name, float(figures))]
