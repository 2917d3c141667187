"""`manage.py measure_training KIND --catalogue C`: the tables by which trained networks are judged."""

import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from search.engine.errors import EngineError
from search.engine.files import write_file
from search.engine.training.settings import ENCODERS
from search.management.commands.train import read_aspects, read_pairs
from search.management.progress import StepProgress
from search.services.builds import find_catalogue
from search.services.jobs import JobFailed
from search.services.measuring_training import Row, TrainingTable, measure_training
from search.services.training_wishes import TrainingRefused, Wish


class Command(BaseCommand):
    help = "Train and compare a kind's networks, its variants and baselines, on held-out items; resumes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=sorted(ENCODERS), help="transfer, siamese, csn or aspects")
        parser.add_argument("--catalogue", required=True, metavar="SLUG")
        parser.add_argument("--aspects", default="", metavar="A,B", help="default: the category")
        parser.add_argument(
            "--triplets",
            type=Path,
            metavar="FOLDER",
            help="csn: learn from the CONDITION_tripletlist_SPLIT.txt there; --aspects names conditions",
        )
        parser.add_argument("--seeds", type=int, default=3, metavar="N", help="trainings per model")
        parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting")
        parser.add_argument("--weights", type=Path, metavar="FILE", help="safetensors of the backbone")
        parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default=settings.DEVICE)
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["seeds"] < 1:
            raise CommandError("At least one seed is needed.")
        try:
            wish = Wish(
                kind=options["kind"],
                name="",
                catalogue=find_catalogue(slug=options["catalogue"]),
                aspects=read_aspects(options["aspects"]),
                settings=read_pairs(options["set"]),
                weights=options["weights"],
                device=options["device"],
                triplets=options["triplets"],
            )
            with StepProgress(sys.stderr) as progress:
                table = measure_training(wish, seeds=options["seeds"], say=progress)
        except (TrainingRefused, JobFailed, EngineError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as stop:
            raise CommandError("Stopped. The same command goes on from here.", returncode=130) from stop
        if options["json"]:
            write_file(options["json"], json.dumps(table.as_json(), indent=2).encode() + b"\n")
        console = Console(file=sys.stdout)
        console.print(_draw(table))
        console.print(_draw_differences(table))


def _draw(table: TrainingTable) -> Table:
    caption = f"seeds 0 to {table.seeds - 1}; 95 % intervals over seeds and held-out units"
    if "sight" in table.settings:
        caption += f"; items looked for in photos: {table.settings['sight']}"
    drawn = Table(title=f"{table.kind} on {table.catalogue}", caption=caption)
    for column in ("model", "measure", "aspect"):
        drawn.add_column(column)
    for column in ("mean", "interval"):
        drawn.add_column(column, justify="right")
    for row in table.rows:
        drawn.add_row(row.model, row.measure, row.aspect, *_figures(row))
    return drawn


def _draw_differences(table: TrainingTable) -> Table:
    drawn = Table(title="What the first model has more than another, on the same questions")
    for column in ("against", "measure", "aspect"):
        drawn.add_column(column)
    for column in ("points", "interval"):
        drawn.add_column(column, justify="right")
    for row in table.differences:
        drawn.add_row(row.against, row.measure, row.aspect, *_figures(row))
    return drawn


def _figures(row: Row) -> tuple[str, str]:
    return f"{100 * row.mean:.1f}", f"{100 * row.low:.1f} to {100 * row.high:.1f}"
