"""`manage.py simulate_navigation --catalogue C --space S`: policies play the same games, in a table."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.box import SIMPLE
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
from search.services.rankers import NoRanker
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
            "--policies",
            default=",".join(POLICIES),
            help="names with commas, once trained also dqn, dqn-belief, dqn:NAME (default: %(default)s)",
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
            help="the user cannot tell where the second nearest is at most so many times as far; from 1",
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")

    def handle(self, *args: Any, **options: Any) -> None:
        policies = _check(options)
        try:
            catalogue = find_catalogue(slug=options["catalogue"])
            for job in build_what_is_missing(catalogue, sys.stderr):
                self.stderr.write(f"Left out: {job.title}: {job.state}. {job.reason}")
            asked = Question(
                catalogue=catalogue,
                space=options["space"],
                policies=policies,
                user=options["user"],
                slate=options["slate"],
                episodes=options["episodes"],
                seed=options["seed"],
                keeps=options["keep"],
                unsure=options["unsure"],
            )
            with StepProgress(sys.stderr) as progress:
                table = simulate(asked, say=progress)
        except (JobFailed, NoSuchSpace, NoRanker, BadUser, EngineError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            write_file(options["json"], json.dumps(table.as_json(), indent=2).encode() + b"\n")
        console = Console(file=sys.stdout)
        console.print(_draw_rows(table))
        if table.ratios:
            console.print(_draw_ratios(table))


def _check(options: dict[str, Any]) -> tuple[str, ...]:
    """The policies asked for, each once. Raises CommandError where an option cannot be."""
    if options["slate"] < 2 or options["episodes"] < 1:
        raise CommandError("At least two items on a slate and one episode are needed.")
    if options["seed"] < 0:
        raise CommandError("The seed is a whole number from 0.")
    if options["unsure"] and not 1 <= options["unsure"] <= 1000:
        raise CommandError(f"--unsure is a margin from 1 to 1000, not {options['unsure']:g}.")
    policies = tuple(dict.fromkeys(name for name in options["policies"].split(",") if name))
    if not policies:
        raise CommandError(f"Name at least one policy. There are: {', '.join(POLICIES)}.")
    return policies


def _draw_rows(table: NavigationTable) -> Table:
    asked = table.question
    of = f"{asked.catalogue.title}, {asked.space}: {table.n} items, slates of {asked.slate}"
    games = f"{asked.episodes} games, targets: {table.targets} items, seed {asked.seed}"
    bound = f"fewest possible {table.bound:.2f} on average"
    columns = "linked: picks that share an attribute with the one before; ms: 95 % of slates"
    drawn = Table(
        title=f"{of}, {asked.user} user",
        caption=f"{games}; {bound}; {columns}",
        box=SIMPLE,
        padding=(0, 0, 0, 1),  # so that all of it stands within 80 columns
    )
    drawn.add_column("policy", no_wrap=True)
    for name in ("slates", "interval", "x bound", "median", "90 %", "found", "linked", "ms"):
        drawn.add_column(name, justify="right", no_wrap=True)
    for (policy, row), walk in zip(table.rows, table.walks, strict=True):
        drawn.add_row(
            policy,
            f"{row.mean:.2f}",
            f"{row.low:.1f} to {row.high:.1f}",
            f"{row.mean / table.bound:.2f}",
            f"{row.median:g}",
            f"{row.p90:g}",
            f"{row.found:.0%}",
            "" if walk.linked is None else f"{walk.linked:.0%}",
            f"{row.ms_p95:.0f}",
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
