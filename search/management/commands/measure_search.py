"""`manage.py measure_search [--seed 0]`: what a search tells people, counted, for people and as JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from search.catalogues.rows import CatalogueUnreadable, ImportOptions
from search.engine.errors import EngineError
from search.engine.files import write_file
from search.management.progress import JobProgress, StepProgress
from search.models import BuildState, Catalogue, Index, Job, JobState, Metric
from search.selectors.clock import read_clock
from search.services.builds import find_catalogue, iterate_builds, request_contenders
from search.services.calibrating import request_calibrations
from search.services.imports import request_import
from search.services.jobs import JobFailed, run_in_foreground
from search.services.measuring import NothingToMeasure
from search.services.measuring_search import AnswerRow, SearchTable, measure_answers
from search.services.measuring_undone import measure_undone
from search.services.shipped_weights import SEED as SHIPPED_SEED
from search.services.sweeping import free_lost_jobs


class Command(BaseCommand):
    help = (
        "Ask for drawn items with photos of them in use, with each item there and with it removed: how often "
        "the first candidate is right, and what is told. Stopped, the same command builds and calibrates "
        "nothing anew, but asks again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=0, help="of the drawn wardrobe and of the photos")
        parser.add_argument("--items", type=int, default=10_000, help="default %(default)s")
        parser.add_argument("--catalogue", metavar="SLUG", help="measure this one, and draw none")
        parser.add_argument("--encoder", default="thimble-siamese", help="default %(default)s")
        parser.add_argument("--metric", choices=Metric.values, default=Metric.L2.value)
        parser.add_argument("--queries", type=int, default=3000, help="photos, at most (default %(default)s)")
        parser.add_argument(
            "--undone",
            type=int,
            default=0,
            metavar="N",
            help="also tell items apart by N photos, pose and scene undone: what can be told at best",
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["queries"] < 1:
            raise CommandError("At least one photo is needed.")
        if options["seed"] == SHIPPED_SEED and not options["catalogue"]:
            raise CommandError(f"The shipped encoders learned from seed {SHIPPED_SEED}: give another.")
        # What a killed command left running would otherwise be waited for until its lease ends.
        free_lost_jobs(now=read_clock(), own_workers=settings.MODE == "embedded")
        try:
            table = self._measure(**options)
            undone = _undo(table.catalogue, options["undone"])
        except (JobFailed, NothingToMeasure, CatalogueUnreadable, EngineError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as stop:
            raise CommandError("Stopped. What was built and calibrated stays.", returncode=130) from stop
        figures = table.as_json() | ({"undone": undone} if undone else {})
        if options["json"]:
            write_file(options["json"], json.dumps(figures, indent=2).encode() + b"\n")
        Console(file=sys.stdout).print(_draw(table))
        if undone:
            self.stdout.write(
                f"Pose and scene undone, {undone['side']} x {undone['side']} pixels find "
                f"{100 * undone['top1']:.1f} % of {undone['queries']:,} items."
            )

    def _measure(self, *, seed: int, queries: int, encoder: str, metric: str, **options: Any) -> SearchTable:
        with JobProgress(sys.stderr) as progress:
            if options["catalogue"]:
                catalogue = find_catalogue(slug=options["catalogue"])
            else:
                catalogue = _draw_wardrobe(options["items"], seed, progress)
            index = _build(catalogue, encoder, metric, progress)
            for job in request_calibrations([index]):
                _run(job, progress)
        with StepProgress(sys.stderr) as steps:
            return measure_answers(
                index, queries=queries, seed=seed, report=lambda done, count: steps("Photos", done, count)
            )


def _undo(catalogue: Catalogue, count: int) -> dict[str, Any]:
    if not count:
        return {}
    with StepProgress(sys.stderr) as steps:
        return measure_undone(
            catalogue, queries=count, report=lambda done, total: steps("Undone photos", done, total)
        )


def _draw_wardrobe(items: int, seed: int, progress: JobProgress) -> Catalogue:
    slug, options = f"search-{items}-{seed}", ImportOptions(items=items, seed=seed)
    job = request_import(format="wardrobe", path=None, slug=slug, options=options, now=timezone.now())
    _run(job, progress)
    return find_catalogue(slug=slug)


def _build(catalogue: Catalogue, encoder: str, metric: str, progress: JobProgress) -> Index:
    request_contenders(catalogue=catalogue, now=timezone.now(), encoder=encoder)
    for job in iterate_builds(catalogue=catalogue):
        _run(job, progress)
    index = (
        Index.objects.filter(
            space__catalogue=catalogue,
            space__catalogue_hash=catalogue.content_hash,
            space__encoder=encoder,
            metric=metric,
            state=BuildState.READY,
        )
        .select_related("space__catalogue")
        .first()
    )
    if index is None:
        raise JobFailed(
            f"There is no encoder “{encoder}” that can run here by {metric}: build_contenders says why."
        )
    return index


def _run(job: Job, progress: JobProgress) -> None:
    ended = run_in_foreground(job=job, report=progress)
    if ended.state != JobState.DONE:
        raise JobFailed(f"{ended.title}: {ended.state}. {ended.reason}")


def _draw(table: SearchTable) -> Table:
    index = table.index
    drawn = Table(
        title=f"{index.space.title}, {index.get_metric_display()}: photos of {index.space.items:,} items",
        caption=(
            "first: the first candidate is the item; group: of its group. Told “this is it”: absent, it "
            "being removed; another, of another item; accepted, of right first ones. Denied: “nothing like "
            f"it” of an item that is there. Seed {table.seed}; calibrated on {table.calibrated_on:,} other "
            f"photos, by {table.score}."
        ),
    )
    drawn.add_column("")
    for column in ("photos", "first", "group", "absent", "another", "accepted", "denied"):
        drawn.add_column(column, justify="right")
    for row in table.rows:
        drawn.add_row(row.category or "all", f"{row.queries:,}", *_figures(row))
    return drawn


def _figures(row: AnswerRow) -> list[str]:
    shares = (row.top1, row.family, row.absent_accepted, row.other_accepted, row.accept, row.denied)
    return [f"{100 * share:.1f} %" for share in shares]
