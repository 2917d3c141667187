"""`manage.py simulate_navigation --catalogue C --space S`: policies play the same games, in a table."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from search.engine.errors import EngineError
from search.engine.files import write_file
from search.engine.navigation.episodes import CAP
from search.engine.navigation.policies.registry import POLICIES
from search.management.building import build_what_is_missing
from search.management.progress import StepProgress
from search.services.builds import find_catalogue
from search.services.jobs import JobFailed
from search.services.navigation_terrain import NoSuchSpace
from search.services.simulating import BadUser, NavigationTable, Question, simulate


class Command(BaseCommand):
    help = (
        "Simulate navigation games: policies look for the same targets from the same starts, same user. "
        f"The slate that shows the target counts; a game that does not find it in {CAP} slates counts {CAP}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--catalogue", required=True, metavar="SLUG")
        parser.add_argument("--space", required=True, help="an encoder, or ENCODER/ASPECT for one mask")
        parser.add_argument(
            "--policies", default=",".join(POLICIES), help="names with commas (default: %(default)s)"
        )
        parser.add_argument(
            "--user", default="exact", help="exact, noisy:AGREEMENT, other:SPACE or other:weights"
        )
        parser.add_argument(
            "--slate", type=int, default=4, help="items shown at a time (default %(default)s)"
        )
        parser.add_argument("--episodes", type=int, default=1000, help="games (default %(default)s)")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--keep", action="store_true", help="the current pick may be kept")
        parser.add_argument(
            "--unsure",
            type=float,
            default=0.0,
            metavar="MARGIN",
            help="the user cannot tell where the second nearest is less than so many times as far",
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["slate"] < 2 or options["episodes"] < 1:
            raise CommandError("At least two items on a slate and one episode are needed.")
        try:
            catalogue = find_catalogue(slug=options["catalogue"])
            for job in build_what_is_missing(catalogue, sys.stderr):
                self.stderr.write(f"Left out: {job.title}: {job.state}. {job.reason}")
            asked = Question(
                catalogue=catalogue,
                space=options["space"],
                policies=tuple(name for name in options["policies"].split(",") if name),
                user=options["user"],
                slate=options["slate"],
                episodes=options["episodes"],
                seed=options["seed"],
                keeps=options["keep"],
                unsure=options["unsure"],
            )
            with StepProgress(sys.stderr) as progress:
                table = simulate(asked, say=progress)
        except (JobFailed, NoSuchSpace, BadUser, EngineError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            write_file(options["json"], json.dumps(table.as_json(), indent=2).encode() + b"\n")
        console = Console(file=sys.stdout)
        console.print(_draw_rows(table))
        if table.ratios:
            console.print(_draw_ratios(table))


def _draw_rows(table: NavigationTable) -> Table:
    asked = table.question
    of = f"{asked.catalogue.title}, {asked.space}: {table.n} items, slates of {asked.slate}"
    bound = f"no policy can do with fewer than {table.bound:.2f}"
    drawn = Table(
        title=f"{of}, {asked.user} user",
        caption=f"{asked.episodes} games, seed {asked.seed}; {bound}",
    )
    drawn.add_column("policy")
    for name in ("slates", "interval", "of the bound", "median", "90 %", "found", "ms", "ms 95 %"):
        drawn.add_column(name, justify="right")
    for policy, row in table.rows:
        drawn.add_row(
            policy,
            f"{row.mean:.2f}",
            f"{row.low:.2f} to {row.high:.2f}",
            f"{row.mean / table.bound:.2f}",
            f"{row.median:g}",
            f"{row.p90:g}",
            f"{row.found:.1%}",
            f"{row.ms_p50:.1f}",
            f"{row.ms_p95:.1f}",
        )
    return drawn


def _draw_ratios(table: NavigationTable) -> Table:
    drawn = Table(title="Slates of one over slates of the other, on the same games")
    for name in ("policy", "against"):
        drawn.add_column(name)
    for name in ("ratio", "interval"):
        drawn.add_column(name, justify="right")
    for policy, against, ratio in table.ratios:
        drawn.add_row(policy, against, f"{ratio.ratio:.3f}", f"{ratio.low:.3f} to {ratio.high:.3f}")
    return drawn
