"""`manage.py measure_matches --catalogue C`: the accuracy table, for people and as JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from search.engine.files import write_file
from search.management.building import build_what_is_missing
from search.services.builds import find_catalogue
from search.services.jobs import JobFailed
from search.services.measuring import MatchTable, NothingToMeasure, measure_matches


class Command(BaseCommand):
    help = "Share of evaluation-only queries whose nearest candidate has their category, per contender."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--catalogue", required=True, metavar="SLUG")
        parser.add_argument("--queries", type=int, default=1000, help="at most so many (default %(default)s)")
        parser.add_argument(
            "--gallery", type=int, default=20_000, help="at most so many (default %(default)s)"
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["queries"] < 1 or options["gallery"] < 2:
            raise CommandError("At least one query and a gallery of two are needed.")
        try:
            catalogue = find_catalogue(slug=options["catalogue"])
            for job in build_what_is_missing(catalogue, sys.stderr):
                self.stderr.write(f"Left out: {job.title}: {job.state}. {job.reason}")
            table = measure_matches(
                catalogue=catalogue,
                **{name: options[name] for name in ("queries", "gallery", "seed")},
            )
        except (JobFailed, NothingToMeasure) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            write_file(options["json"], json.dumps(table.as_json(), indent=2).encode() + b"\n")
        Console(file=sys.stdout).print(_draw(table))


def _draw(table: MatchTable) -> Table:
    generator = table.catalogue.options.get("generator", "")
    of = f"{generator}; " if generator else ""
    drawn = Table(
        title=f"{table.catalogue.title}: {table.queries} queries against {table.gallery} items",
        caption=f"{of}seed {table.seed}; 95 % Wilson intervals; chance expects {table.random:.1%}",
    )
    drawn.add_column("encoder")
    drawn.add_column("metric")
    drawn.add_column("same category", justify="right")
    drawn.add_column("interval", justify="right")
    for row in table.rows:
        share = row.share
        style = "dim" if row.is_control else ""
        interval = f"{share.low:.1%} to {share.high:.1%}"
        drawn.add_row(row.encoder, row.metric, f"{share.rate:.1%}", interval, style=style)
    return drawn
