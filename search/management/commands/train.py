"""`manage.py train KIND --catalogue C --name NAME`: learn, here and now or through a worker."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from search.engine.errors import EngineError
from search.engine.training.settings import ASPECT_RANKING, DQN, ENCODERS, SETTINGS_OF
from search.engine.training.typed_settings import list_settings
from search.management.building import build_what_is_missing
from search.management.progress import JobProgress
from search.models import JobState, Training
from search.selectors.clock import read_clock
from search.selectors.trainings import read_card
from search.services.builds import find_catalogue
from search.services.jobs import JobFailed, run_in_foreground
from search.services.judged_users import TooMuchJudged, learn_user
from search.services.judgements import open_judged
from search.services.navigation_terrain import NoSuchSpace
from search.services.sweeping import free_lost_jobs
from search.services.training import request_training
from search.services.training_wishes import TrainingRefused, Wish
from search.tasks import hint_jobs

JUDGEMENTS = "judgements"
OF_NETWORKS = ("aspects", "space", "backbone", "weights", "triplets", "set", "queue")


class Command(BaseCommand):
    help = (
        "Train an encoder, a ranker of navigation or of aspects, or a simulated user. "
        "--list-settings lists what each kind can be told."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=sorted([*SETTINGS_OF, JUDGEMENTS]), help="what to train")
        parser.add_argument("--catalogue", metavar="SLUG", help="what to learn from")
        parser.add_argument("--name", help="of what is trained")
        parser.add_argument(
            "--aspects", default="", metavar="A,B", help="what to learn; the category if not given"
        )
        parser.add_argument(
            "--space",
            default="",
            help="dqn: what games are played in, ENCODER or ENCODER/ASPECT; aspect-ranking: ENCODER",
        )
        parser.add_argument("--backbone", help="the network below; short for --set backbone=…")
        parser.add_argument("--weights", type=Path, metavar="FILE", help="safetensors of the backbone")
        parser.add_argument(
            "--triplets",
            type=Path,
            metavar="FOLDER",
            help="csn: learn from the CONDITION_tripletlist_SPLIT.txt there; --aspects names conditions",
        )
        parser.add_argument(
            "--judgements",
            type=Path,
            metavar="FILE",
            help="judgements: what people answered (CSV, TSV or JSONL)",
        )
        parser.add_argument("--seed", type=int, default=0, help="judgements: of the inner folds")
        parser.add_argument(
            "--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting"
        )
        parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default=settings.DEVICE)
        parser.add_argument("--queue", action="store_true", help="hand the work to a worker and return")
        parser.add_argument(
            "--list-settings", action="store_true", help="what this kind can be told; then end"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list_settings"]:
            self._list_settings(options["kind"])
            return
        if not options["catalogue"] or not options["name"]:
            raise CommandError("Give --catalogue and --name.")
        if options["kind"] == JUDGEMENTS:
            self._learn_from_people(options)
            return
        training = self._request(options)
        assert training.job is not None
        if training.job.state == JobState.DONE:
            self.stdout.write(
                f"Nothing to do: {training.name} was trained so on {training.ready_at:%Y-%m-%d}."
            )
        elif options["queue"]:
            hint_jobs([training.job])
            self.stdout.write(f"Queued as job {training.job.pk}.")
        else:
            self._run(training)

    def _request(self, options: dict[str, Any]) -> Training:
        if not options["queue"]:
            # What a killed command left running would otherwise be waited for until its lease ends.
            free_lost_jobs(now=read_clock(), own_workers=settings.MODE == "embedded")
        try:
            return request_training(
                Wish(
                    kind=options["kind"],
                    name=options["name"],
                    catalogue=find_catalogue(slug=options["catalogue"]),
                    aspects=read_aspects(options["aspects"]),
                    settings=read_pairs(options["set"], options["backbone"]),
                    weights=options["weights"],
                    device=options["device"],
                    triplets=options["triplets"],
                    space=options["space"],
                ),
                now=timezone.now(),
            )
        except (TrainingRefused, JobFailed) as error:
            raise CommandError(str(error)) from error

    def _run(self, training: Training) -> None:
        assert training.job is not None
        try:
            with JobProgress(sys.stderr) as report:
                job = run_in_foreground(job=training.job, report=report)
        except KeyboardInterrupt as stop:
            raise CommandError("Stopped. The same command goes on from here.", returncode=130) from stop
        if job.state != JobState.DONE:
            raise CommandError(job.reason or f"The training was {job.state}.")
        training.refresh_from_db()
        told = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in training.measures.items())
        judged = {DQN: "games", ASPECT_RANKING: "queries"}.get(training.kind, "items")
        self.stdout.write(self.style.SUCCESS(f"{training.name} is ready: {told} on validation {judged}."))
        sight = (read_card(training=training) or {}).get("sight")
        if sight:
            self.stdout.write(sight["told"])
        slug = training.catalogue.slug
        following = f"Make it a contender with: manage.py build_contenders --catalogue {slug}"
        if training.kind == ASPECT_RANKING:
            following = f"Searches of {slug} by aspects of {training.space} use it from now on."
        elif training.kind not in ENCODERS:
            following = (
                f"See how it plays with: manage.py simulate_navigation --catalogue {slug} "
                f"--space {training.space} --policies nearest-per-mask,rule-sampler,dqn:{training.name}"
            )
        self.stdout.write(following)

    def _learn_from_people(self, options: dict[str, Any]) -> None:
        """Learn a simulated user; it takes seconds, so there is no job of it and nothing to go on from."""
        given = [name for name in OF_NETWORKS if options[name]]
        if given:
            raise CommandError(f"Judgements are all that is learned from: leave out --{given[0]}.")
        if not options["judgements"] or options["seed"] < 0:
            raise CommandError("Give --judgements, and a seed from 0.")
        try:
            catalogue = find_catalogue(slug=options["catalogue"])
            judged = open_judged(catalogue=catalogue, path=options["judgements"])
            for job in build_what_is_missing(catalogue, sys.stderr):
                self.stderr.write(f"Left out: {job.title}: {job.state}. {job.reason}")
            user = learn_user(judged, name=options["name"], seed=options["seed"], now=timezone.now())
            with JobProgress(sys.stderr) as report:
                for job in user.jobs:
                    run_in_foreground(job=job, report=report)
        except (TrainingRefused, JobFailed, NoSuchSpace, TooMuchJudged, EngineError) as error:
            raise CommandError(str(error)) from error
        name, slug = options["name"], catalogue.slug
        learned = judged.judgements
        self.stdout.write(
            self.style.SUCCESS(
                f"{name} is ready: it learned from {len(learned.triplets):,} questions "
                f"about {len(learned.names):,} items."
            )
        )
        self.stdout.write(
            f"What it is worth on items it never saw: manage.py measure_judgements --catalogue {slug} "
            f"--judgements {options['judgements']}\nIt plays with: manage.py simulate_navigation "
            f"--catalogue {slug} --space SPACE --user other:{name}"
        )

    def _list_settings(self, kind: str) -> None:
        if kind == JUDGEMENTS:
            self.stdout.write("Nothing: what it trusts is chosen by folds of the judgements.")
            return
        for setting in list_settings(SETTINGS_OF[kind]):
            choices = f" ({', '.join(map(str, setting.choices))})" if setting.choices else ""
            self.stdout.write(f"{setting.name} = {setting.default}: {setting.help}{choices}")


def read_aspects(text: str) -> tuple[str, ...]:
    """What ``--aspects`` says."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def read_pairs(pairs: list[str], backbone: str | None = None) -> dict[str, str]:
    """What ``--set`` says. Raises CommandError for one without an equals sign."""
    read = {"backbone": backbone} if backbone else {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise CommandError(f"--set takes KEY=VALUE, not “{pair}”.")
        read[key.strip()] = value.strip()
    return read
