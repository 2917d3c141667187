"""`manage.py measure_judgements --judgements FILE --catalogue C`: what learning from people is worth."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.box import SIMPLE
from rich.table import Table

from evaluation.management.judging import (
    JSON,
    JUDGEMENTS,
    draw_curves,
    draw_table,
    measure,
    say_interval,
    show,
)
from evaluation.services.judgements import LearningTable, measure_judgements
from search.engine.training.judgements import SETTLED


class Command(BaseCommand):
    help = (
        "Learn a simulated user from people's judgements with each fold of the judged items left out, and "
        "ask it about those; beside it every space, which learned nothing, and a table that only remembers."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--judgements", required=True, **JUDGEMENTS)
        parser.add_argument("--catalogue", required=True, metavar="SLUG", help="the items that were judged")
        parser.add_argument("--json", **JSON)
        parser.add_argument("--folds", type=int, default=5, help="parts of the items (default %(default)s)")
        parser.add_argument("--seed", type=int, default=0, help=f"of the folds; {SETTLED}")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["folds"] < 2 or options["seed"] < 0:
            raise CommandError("At least two folds are needed, and a seed from 0.")
        table = measure(
            self,
            options,
            lambda catalogue, say: measure_judgements(
                catalogue=catalogue,
                path=options["judgements"],
                folds=options["folds"],
                seed=options["seed"],
                say=say,
            ),
        )
        show(_draw(table), _draw_differences(table), draw_curves(table.rows[0].unseen))


def _draw(table: LearningTable) -> Table:
    drawn = draw_table(
        "user",
        "reference unseen",
        "AC1",
        "alpha",
        "all unseen",
        "seen",
        title=(
            f"Agreement with the majority, {table.folds} folds over "
            f"{len(table.judged.judgements.names)} items, copies of one in one fold"
        ),
        caption=(
            f"seed {table.seed}; reference unseen in training: {table.decided:,} questions, all three "
            f"unseen: {table.all_unseen:,}. Two people agree {say_interval(table.people.agreement)}. "
            "95 % intervals over reference items. AC1 is twice the agreement less one. Width and strength "
            f"are chosen inside each fold; {SETTLED}"
        ),
    )
    for row in table.rows:
        drawn.add_row(
            row.user,
            say_interval(row.unseen.majority),
            f"{row.unseen.ac1:.2f}",
            f"{row.unseen.alpha:.2f}",
            f"{row.all_unseen.mean:.1%}",
            "" if row.seen is None else f"{row.seen:.1%}",
        )
    return drawn


def _draw_differences(table: LearningTable) -> Table:
    drawn = Table(title="What the learned user has more, on the same questions", box=SIMPLE)
    drawn.add_column("against")
    drawn.add_column("points", justify="right")
    for name, gap in table.differences:
        drawn.add_row(name, f"{100 * gap.mean:.1f} ({100 * gap.low:.1f} to {100 * gap.high:.1f})")
    return drawn
