"""What commands about people's judgements have in common: what they are told, refuse and show."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from django.core.management.base import BaseCommand, CommandError
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from evaluation.services.agreement import Say, SpaceAgreement
from evaluation.services.judgements import NothingToLearn
from evaluation.stats.agreement import NothingToCompare
from search.engine.bootstrap import Estimate
from search.engine.errors import EngineError
from search.engine.files import write_file
from search.management.building import build_what_is_missing
from search.management.progress import StepProgress
from search.models import Catalogue
from search.services.builds import find_catalogue
from search.services.jobs import JobFailed
from search.services.judged_users import TooMuchJudged
from search.services.navigation_terrain import NoSuchSpace

JUDGEMENTS: dict[str, Any] = {"type": Path, "metavar": "FILE", "help": "CSV, TSV or JSONL"}
JSON: dict[str, Any] = {"type": Path, "metavar": "FILE", "help": "write the figures there as well"}
_REFUSALS = (JobFailed, NoSuchSpace, NothingToCompare, NothingToLearn, TooMuchJudged, EngineError)


class Figures(Protocol):
    """A table that was measured."""

    def as_json(self) -> dict[str, Any]: ...


Measured = TypeVar("Measured", bound=Figures)


def measure(
    command: BaseCommand, options: dict[str, Any], how: Callable[[Catalogue, Say], Measured]
) -> Measured:
    """What is measured in the catalogue of ``options``, also written where they ask for JSON.

    Every space is built that can be; what cannot be is told. What cannot be measured ends the command with
    the sentence that says why (CommandError).
    """
    with _refused():
        catalogue = find_catalogue(slug=options["catalogue"])
        for job in build_what_is_missing(catalogue, sys.stderr):
            command.stderr.write(f"Left out: {job.title}: {job.state}. {job.reason}")
        with StepProgress(sys.stderr) as progress:
            table = how(catalogue, progress)
        if options["json"] is not None:
            write_file(options["json"], json.dumps(table.as_json(), indent=2).encode() + b"\n")
    return table


def show(*tables: Table) -> None:
    """Print them, one below the other."""
    console = Console(file=sys.stdout)
    for table in tables:
        console.print(table)


def draw_table(first: str, *figures: str, title: str, caption: str = "") -> Table:
    """A table without rows: a column of names, and one for each figure."""
    drawn = Table(title=title, caption=caption or None, box=SIMPLE, padding=(0, 0, 0, 1))
    drawn.add_column(first, no_wrap=True)
    for name in figures:
        drawn.add_column(name, justify="right", no_wrap=True)
    return drawn


def draw_curves(row: SpaceAgreement) -> Table:
    """Agreement of one user with the majority, the clearer the questions are, for the user and for people."""
    drawn = Table(title=f"{row.space}: agreement with the majority, near ties first", box=SIMPLE)
    for name in ("second option so many times as far", "questions", "agreement"):
        drawn.add_column(name, justify="right")
    for point in row.margins:
        drawn.add_row(
            f"{point.low:.2f} to {point.high:.2f}", f"{point.questions:,}", f"{point.agreement:.1%}"
        )
    drawn.add_section()
    for point in row.clarity:
        lead = f"the majority leads by {point.low:.0%} to {point.high:.0%}"
        drawn.add_row(lead, f"{point.questions:,}", f"{point.agreement:.1%}")
    return drawn


def say_interval(estimate: Estimate | None) -> str:
    """A share with its interval, as tables of agreement show it; blank where there is none."""
    if estimate is None:
        return ""
    return f"{estimate.mean:.1%} ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except _REFUSALS as error:
        raise CommandError(str(error)) from error
