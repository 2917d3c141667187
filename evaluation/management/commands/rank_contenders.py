"""`manage.py rank_contenders --catalogue C`: the night's ranking now, in the foreground."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from evaluation.selectors.rankings import ShownRanking, list_rankings
from evaluation.services.rankings import request_ranking
from search.management.progress import JobProgress
from search.models import JobState
from search.services.builds import find_catalogue
from search.services.jobs import JobFailed, run_in_foreground


class Command(BaseCommand):
    help = (
        "Look at every counted vote of a catalogue: modelled approvals, joint rank ranges, slices, the lead."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--catalogue", required=True, metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            catalogue = find_catalogue(slug=options["catalogue"])
        except JobFailed as error:
            raise CommandError(str(error)) from error
        job = request_ranking(catalogue, now=timezone.now())
        with JobProgress(sys.stderr) as progress:
            job = run_in_foreground(job=job, report=progress)
        if job.state != JobState.DONE:
            raise CommandError(f"{job.title}: {job.state}. {job.reason}")
        found = list_rankings(catalogue.slug)
        if not found:
            raise CommandError(f"Nobody has said dope or nope to a pair of “{catalogue.title}” yet.")
        [ranking] = found
        console = Console(file=sys.stdout)
        console.print(_draw(ranking))
        for line in (ranking.lead, *ranking.notes):
            if line:
                console.print(line)


def _draw(ranking: ShownRanking) -> Table:
    drawn = Table(
        title=f"{ranking.catalogue}, {ranking.made_at:%Y-%m-%d %H:%M} UTC",
        caption=f"{ranking.votes:,} votes of {ranking.players:,} players; 95 % intervals",
    )
    for name in ("rank", "contender", "share", "approval", "interval", "effect"):
        drawn.add_column(name, justify="left" if name == "contender" else "right")
    for row in ranking.rows:
        known = row.approval is not None and row.low is not None and row.high is not None
        drawn.add_row(
            f"{row.rank_low}" if row.rank_low == row.rank_high else f"{row.rank_low} to {row.rank_high}",
            row.title,
            "–" if row.share is None else f"{row.share:.1%}",
            f"{row.approval:.1%}" if known else "–",
            f"{row.low:.1%} to {row.high:.1%}" if known else "–",
            "–" if row.effect is None else f"{row.effect:+.2f}",
        )
    return drawn
