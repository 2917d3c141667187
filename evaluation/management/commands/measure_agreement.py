"""`manage.py measure_agreement --judgements FILE | --project NAME`: simulated users beside people."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
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
from evaluation.management.slate_tables import draw_slates
from evaluation.models import AnnotationProject
from evaluation.selectors.annotation import find_project
from evaluation.services.agreement import ALL, AgreementTable, Say, choose_spaces, measure_agreement
from evaluation.services.slate_agreement import USUAL, SlateTable, measure_slates, open_survey, read_survey
from search.catalogues.slate_judgements import holds_slates
from search.models import Catalogue


class Command(BaseCommand):
    help = (
        "Compare what simulated users pick with what people said: in an annotators' project, in a table of "
        "slates with the columns ref, slate, pick, person, or in one of pairs with the columns ref, a, b and "
        "votes_a, votes_b (how many chose each), or person, choice (who chose a or b)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        measured = parser.add_mutually_exclusive_group(required=True)
        measured.add_argument("--judgements", **JUDGEMENTS)
        measured.add_argument("--project", metavar="NAME", help="an annotators' project, by name or number")
        parser.add_argument("--catalogue", metavar="SLUG", help="the items that were judged; the project's")
        parser.add_argument("--json", **JSON)
        parser.add_argument(
            "--space", default=ALL, help=f"an encoder, ENCODER/ASPECT for one mask, or {ALL} (default)"
        )
        parser.add_argument(
            "--noisy",
            type=float,
            default=USUAL,
            metavar="SHARE",
            help="of slates, also a user who picks the nearest so often where they are drawn evenly, 0 for "
            "none (default %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["noisy"] < 1:
            raise CommandError("--noisy is a share from 0 to less than 1.")
        project = None if options["project"] is None else _find_project(options["project"])
        if project is not None:
            options["catalogue"] = options["catalogue"] or project.catalogue.slug
        if options["catalogue"] is None:
            raise CommandError("Name with --catalogue the items that were judged.")
        table = measure(self, options, lambda catalogue, say: _measure(project, catalogue, options, say))
        if isinstance(table, SlateTable):
            show(*draw_slates(table))
        else:
            show(_draw(table), draw_curves(table.rows[0]))


def _find_project(name: str) -> AnnotationProject:
    if (project := find_project(name)) is None:
        raise CommandError(f"There is no project “{name}”: make it with make_annotations, or name another.")
    return project


def _measure(
    project: AnnotationProject | None, catalogue: Catalogue, options: dict[str, Any], say: Say
) -> AgreementTable | SlateTable:
    """The answers of a project, or of a file, whichever kind it is. Raises as what it calls."""
    path, space = options["judgements"], options["space"]
    if project is None and not holds_slates(path):
        return measure_agreement(catalogue=catalogue, path=path, space=space, say=say)
    return measure_slates(
        read_survey(path) if project is None else open_survey(project),
        catalogue=catalogue,
        spaces=choose_spaces(catalogue, space),
        noisy=options["noisy"] or None,
        say=say,
    )


def _draw(table: AgreementTable) -> Table:
    judgements, people = table.judged.judgements, table.people
    drawn = draw_table(
        "space",
        "the majority",
        "a person",
        "AC1",
        "alpha",
        title=(
            f"{len(judgements):,} questions about {len(judgements.names)} items, "
            f"{table.decided:,} with a majority"
        ),
        caption=(
            f"two people agree {say_interval(people.agreement)}, AC1 {people.ac1:.2f}, "
            f"alpha {people.alpha:.2f}; a person with most of the others {people.majority:.1%}; by chance "
            "50 %. 95 % intervals over reference items. Each question counts in both orders, so that AC1 is "
            "twice the agreement less one"
        ),
    )
    for row in table.rows:
        drawn.add_row(
            row.space,
            say_interval(row.majority),
            say_interval(row.person),
            f"{row.ac1:.2f}",
            f"{row.alpha:.2f}",
        )
    return drawn
