"""`manage.py make_map --catalogue S --encoder E`: a t-SNE or UMAP of an embedding space."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from search.engine.layouts import LayoutRefused
from search.management.progress import JobProgress
from search.models import EmbeddingSpace, JobState, Method, Metric
from search.selectors.layouts import describe_layout, list_spaces
from search.services.jobs import run_in_foreground
from search.services.mapping import request_layout
from search.tasks import hint_jobs


class Command(BaseCommand):
    help = "Make the map of an embedding space: where its items lie on a plane, by t-SNE or UMAP."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--catalogue", required=True, metavar="SLUG")
        parser.add_argument("--encoder", required=True, help="its name; of a mask, ENCODER.ASPECT")
        parser.add_argument("--metric", choices=Metric.values, default=Metric.L2.value)
        parser.add_argument("--method", choices=Method.values, default=Method.TSNE.value)
        parser.add_argument("--perplexity", type=float, help="of t-SNE; usually 30")
        parser.add_argument("--neighbours", type=int, help="of UMAP; usually 15")
        parser.add_argument("--min-dist", type=float, help="of UMAP; usually 0.1")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--queue", action="store_true", help="hand the job to the workers and end")

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("perplexity", "neighbours", "min_dist")
        try:
            layout, job = request_layout(
                space=_find_space(options["catalogue"], options["encoder"]),
                metric=Metric(options["metric"]),
                method=Method(options["method"]),
                parameters={name: options[name] for name in names},
                seed=options["seed"],
                now=timezone.now(),
            )
        except LayoutRefused as refused:
            raise CommandError(str(refused)) from refused
        if job is not None and options["queue"]:
            hint_jobs([job])
            self.stdout.write(f"“{job.title}” is queued.")
            return
        if job is not None:
            with JobProgress(sys.stderr) as progress:
                job = run_in_foreground(job=job, report=progress)
            if job.state != JobState.DONE:
                raise CommandError(f"{job.title}: {job.state}. {job.reason}")
        layout.refresh_from_db()
        row = describe_layout(layout, now=timezone.now())
        assert row.kept is not None
        kept = f"{100 * row.kept:.0f} of 100 nearest kept, {100 * row.by_chance:.1g} by chance"
        self.stdout.write(f"/maps/{row.pk}/ {row.title}, {row.parameters}: {row.items:,} items, {kept}")


def _find_space(slug: str, encoder: str) -> EmbeddingSpace:
    spaces = [space for space, _ in list_spaces() if space.catalogue.slug == slug]
    found = next((space for space in spaces if space.encoder == encoder), None)
    if found is None:
        there = ", ".join(space.encoder for space in spaces) or "none yet"
        raise CommandError(
            f"There is no embedding space “{encoder}” of “{slug}”; there are: {there}. Build its contenders."
        )
    return found
