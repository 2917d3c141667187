"""Counts the leaderboard again from the raw votes."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from evaluation.models import Vote
from evaluation.services.recount import find_differences, repair_counts

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Counts every vote again and compares the result with the stored counts, exactly. "
        "Ends with an error where they differ."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="write what the votes say")

    def handle(self, *args: Any, repair: bool, **options: Any) -> None:
        differences = repair_counts() if repair else find_differences()
        for difference in differences[:SHOWN]:
            self.stderr.write(str(difference))
        if len(differences) > SHOWN:
            self.stderr.write(f"… and {len(differences) - SHOWN} more")
        votes = Vote.objects.filter(retraction=None).count()
        if not differences:
            self.stdout.write(f"All counts equal the {votes} votes.")
        elif repair:
            self.stdout.write(f"{len(differences)} counts were wrong; all equal the {votes} votes now.")
        else:
            raise CommandError(
                f"{len(differences)} counts differ from the votes. Write them anew with --repair."
            )
