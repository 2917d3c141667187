"""`manage.py rebuild_leaderboard DIR`: the published table from the raw votes of a dump."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from evaluation.services.rebuilding import DumpDamaged, rebuild


class Command(BaseCommand):
    help = "Count a dump's votes again and print the published table, a line of JSON per contender."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="what dump_evaluation wrote")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            table = rebuild(folder)
        except DumpDamaged as error:
            raise CommandError(str(error)) from error
        self.stdout.write(table.decode(), ending="")
        self.stderr.write("The votes give this table, byte for byte.")
