"""`manage.py measure_search [--seed 0]`: what a search tells people, and how long they wait for it.

It stands here and not in `search`, because it starts a web process as `play` does.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console

from dopeornope.lone_web import serve_alone
from dopeornope.searching_people import SearchFailed, find_asked_engine, measure_waits
from dopeornope.starting import CannotStart
from search.catalogues.rows import CatalogueUnreadable, ImportOptions
from search.engine.errors import EngineError
from search.engine.files import write_file
from search.management.progress import JobProgress, StepProgress
from search.management.search_tables import draw_answers, draw_aspects
from search.models import BuildState, Catalogue, Index, Job, JobState, Metric
from search.selectors.clock import read_clock
from search.services.aspect_grounds import NoAspects, NothingLabelled
from search.services.builds import find_catalogue, iterate_builds, request_contenders
from search.services.calibrating import request_calibrations
from search.services.imports import request_import
from search.services.jobs import JobFailed, run_in_foreground
from search.services.measuring import NothingToMeasure
from search.services.measuring_aspects import measure_aspects
from search.services.measuring_search import SearchTable, measure_answers
from search.services.measuring_undone import measure_undone
from search.services.sent_photos import list_sent_photos
from search.services.shipped_weights import SEED as SHIPPED_SEED
from search.services.sweeping import free_lost_jobs

Figures = dict[str, Any]
PHOTOS = 60  # different ones that people search with
UNASKED = "Nobody asked for it."


class Command(BaseCommand):
    help = (
        "Ask for drawn items with photos of them in use, with each item there and with it removed: how often "
        "the first candidate is right, and what is told; what weights of aspects that look at the query are "
        "worth; and how long people wait for the page. Stopped, the same command goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=0, help="of the drawn wardrobe and of the photos")
        parser.add_argument("--items", type=int, default=10_000, help="default %(default)s")
        parser.add_argument("--catalogue", metavar="SLUG", help="measure this one, and draw none")
        parser.add_argument("--encoder", default="thimble-siamese", help="default %(default)s")
        parser.add_argument("--metric", choices=Metric.values, default=Metric.L2.value)
        parser.add_argument("--queries", type=int, default=3000, help="photos, at most (default %(default)s)")
        parser.add_argument(
            "--aspects-of",
            default="thimble-csn",
            metavar="ENCODER",
            help="whose aspects are weighed (default %(default)s; empty: none)",
        )
        parser.add_argument(
            "--searches",
            type=int,
            default=200,
            metavar="N",
            help="by one person, and by twenty at once (default %(default)s; 0: nobody waits)",
        )
        parser.add_argument(
            "--latency-items",
            type=int,
            default=20_000,
            metavar="N",
            help="drawn for those who wait (default %(default)s); without --catalogue",
        )
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
        if options["searches"] < 0 or options["latency_items"] < 1:
            raise CommandError("So many people cannot search: give numbers from nought, and items from one.")
        if options["seed"] == SHIPPED_SEED and not options["catalogue"]:
            raise CommandError(f"The shipped encoders learned from seed {SHIPPED_SEED}: give another.")
        # What a killed command left running would otherwise be waited for until its lease ends.
        free_lost_jobs(now=read_clock(), own_workers=settings.MODE == "embedded")
        console = Console(file=sys.stdout)
        try:
            table = self._measure(**options)
            console.print(draw_answers(table))
            stopped = "It was stopped before."
            figures = table.as_json() | _lack_gain(stopped) | _lack_waits(stopped)
            _write(figures, options["json"])
            for measure in (_measure_aspects, _measure_waits, _undo):
                figures |= measure(table.catalogue, console, **options)
                _write(figures, options["json"])
        except (JobFailed, NothingToMeasure, CatalogueUnreadable, EngineError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as stop:
            raise CommandError("Stopped. The same command goes on from here.", returncode=130) from stop

    def _measure(self, *, seed: int, queries: int, encoder: str, metric: str, **options: Any) -> SearchTable:
        with JobProgress(sys.stderr) as progress:
            if options["catalogue"]:
                catalogue = find_catalogue(slug=options["catalogue"])
            else:
                catalogue = _draw_wardrobe(options["items"], seed, progress)
            index = _build(catalogue, encoder, metric, progress)
            _run_all(request_calibrations([index]), progress)
        with StepProgress(sys.stderr) as steps:
            return measure_answers(
                index, queries=queries, seed=seed, report=lambda done, count: steps("Photos", done, count)
            )


def _write(figures: Figures, path: Path | None) -> None:
    if path:
        write_file(path, json.dumps(figures, indent=2).encode() + b"\n")


def _lack_gain(reason: str) -> Figures:
    return {"aspect_gain": None, "aspects": {"missing": reason}}


def _lack_waits(reason: str) -> Figures:
    return {"latency_p95_ms": None, "latency": {"missing": reason}}


def _measure_aspects(
    measured: Catalogue, console: Console, *, seed: int, aspects_of: str, metric: str, **options: Any
) -> Figures:
    """What there is to say of weights; null with the reason where nothing can be weighed."""
    if not aspects_of:
        return _lack_gain(UNASKED)
    try:
        with JobProgress(sys.stderr) as progress:
            _build(measured, aspects_of, metric, progress)
        with StepProgress(sys.stderr) as steps:
            table = measure_aspects(
                catalogue=measured,
                encoder=aspects_of,
                seed=seed,
                report=lambda done, count: steps("Queries by aspects", done, count),
            )
    except (NoAspects, NothingLabelled, NothingToMeasure) as error:
        console.print(f"Weights of aspects are not measured. {error}")
        return _lack_gain(str(error))
    console.print(draw_aspects(table))
    return {"aspect_gain": table.gain.mean, "aspects": {"encoder": aspects_of, **table.as_json()}}


def _measure_waits(
    measured: Catalogue,
    console: Console,
    *,
    seed: int,
    encoder: str,
    metric: str,
    searches: int,
    **options: Any,
) -> Figures:
    if not searches:
        return _lack_waits(UNASKED)
    if not options["catalogue"]:
        with JobProgress(sys.stderr) as progress:
            measured = _draw_wardrobe(options["latency_items"], seed, progress)
            _run_all(request_calibrations([_build(measured, encoder, metric, progress)]), progress)
            if options["aspects_of"]:  # whose sliders the page then has, as on a site that has built all
                _build(measured, options["aspects_of"], metric, progress)
    photos = list_sent_photos(measured, count=PHOTOS)
    slug, items = measured.slug, measured.items.count()
    try:
        engine = find_asked_engine(measured)
        with serve_alone() as web:
            found = measure_waits(
                web, slug=slug, items=items, engine=engine, photos=photos, searches=searches
            )
    except (SearchFailed, CannotStart) as error:
        console.print(f"How long people wait is not measured. {error}")
        return _lack_waits(str(error))
    console.print(found.in_words())
    return {"latency_p95_ms": found.alone.p95, "latency": found.as_json()}


def _undo(measured: Catalogue, console: Console, *, undone: int, **options: Any) -> Figures:
    if not undone:
        return {}
    with StepProgress(sys.stderr) as steps:
        found = measure_undone(
            measured, queries=undone, report=lambda done, total: steps("Undone photos", done, total)
        )
    console.print(
        f"Pose and scene undone, {found['side']} x {found['side']} pixels find "
        f"{100 * found['top1']:.1f} % of {found['queries']:,} items."
    )
    return {"undone": found}


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


def _run_all(jobs: Iterable[Job], progress: JobProgress) -> None:
    for job in jobs:
        _run(job, progress)
