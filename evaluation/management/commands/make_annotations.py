"""`manage.py make_annotations NAME --catalogue C`: a project of questions for annotators."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_slug
from django.urls import reverse
from django.utils import timezone

from evaluation.services.annotation import (
    AnnotationRefused,
    Drawn,
    create_project,
    draw_from_policy,
    draw_random,
    read_questions,
)
from search.engine.errors import EngineError
from search.services.builds import find_catalogue
from search.services.jobs import JobFailed
from search.services.navigation_terrain import NoSuchSpace

# What the database holds: people or answers, and characters.
MOST, LONGEST_NAME, LONGEST_TITLE = 32_767, 50, 200


class Command(BaseCommand):
    help = (
        "Make a project of questions for annotators: drawn evenly, taken from a policy's slates, or from a "
        "file of judgements, mixed in one order."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="short name in addresses")
        parser.add_argument("--catalogue", required=True, metavar="SLUG")
        parser.add_argument("--title", default="", help="what annotators see")
        parser.add_argument("--random", type=int, default=0, metavar="N", help="questions drawn evenly")
        parser.add_argument(
            "--policy", action="append", default=[], metavar="NAME", help="take its slates too"
        )
        parser.add_argument("--of-policy", type=int, default=50, metavar="N", help="questions of each policy")
        parser.add_argument("--space", default="", help="what policies see by")
        parser.add_argument(
            "--slate", type=int, default=4, help="items shown at a time (default %(default)s)"
        )
        parser.add_argument("--judgements", type=Path, metavar="FILE", help="ask its questions")
        parser.add_argument(
            "--gold", type=Path, metavar="FILE", help="the same, and its majorities are right"
        )
        parser.add_argument(
            "--overlap", type=int, default=2, help="people per question (default %(default)s)"
        )
        parser.add_argument(
            "--repeat-every", type=int, default=20, metavar="N", help="ask again after N answers; 0 for never"
        )
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        _check(options)
        try:
            project = create_project(
                slug=options["name"],
                title=options["title"],
                catalogue=find_catalogue(slug=options["catalogue"]),
                questions=_gather(options),
                overlap=options["overlap"],
                repeat_every=options["repeat_every"],
                seed=options["seed"],
                now=timezone.now(),
            )
        except (JobFailed, NoSuchSpace, AnnotationRefused, EngineError) as error:
            raise CommandError(str(error)) from error
        address = reverse("annotate-project", args=[project.slug])
        self.stdout.write(f"{project.questions.count()} questions, at {address} for annotators.")


def _check(options: dict[str, Any]) -> None:
    try:
        validate_slug(options["name"])
    except ValidationError as error:
        raise CommandError(
            f"“{options['name']}” is no name: use letters, digits, hyphens and underscores."
        ) from error
    counts = (options["random"], options["of_policy"], options["repeat_every"], options["seed"])
    if options["overlap"] < 1 or min(counts) < 0:
        raise CommandError(
            "Counts and the seed are whole numbers from 0, and at least one person answers a question."
        )
    for name in ("overlap", "repeat_every"):
        if options[name] > MOST:
            raise CommandError(f"--{name.replace('_', '-')} is at most {MOST:,}.")
    for name, most in (("name", LONGEST_NAME), ("title", LONGEST_TITLE)):
        if len(options[name]) > most:
            raise CommandError(f"The {name} is longer than {most} characters: choose a shorter one.")
    if not any(options[name] for name in ("random", "policy", "judgements", "gold")):
        raise CommandError("There is nothing to ask: give --random, --policy, --judgements or --gold.")
    if options["policy"] and not options["space"]:
        raise CommandError("Name with --space what the policies see by.")


def _gather(options: dict[str, Any]) -> list[Drawn]:
    catalogue = find_catalogue(slug=options["catalogue"])
    slate, seed = options["slate"], options["seed"]
    questions: list[Drawn] = []
    if options["random"]:
        questions += draw_random(catalogue=catalogue, count=options["random"], options=slate, seed=seed)
    for policy in options["policy"]:
        questions += draw_from_policy(
            catalogue=catalogue,
            space=options["space"],
            policy=policy,
            count=options["of_policy"],
            options=slate,
            seed=seed,
        )
    for name in ("judgements", "gold"):
        if options[name]:
            questions += read_questions(catalogue=catalogue, path=options[name], gold=name == "gold")
    return questions
