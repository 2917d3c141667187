"""`manage.py move_to_postgresql`: from the embedded mode's SQLite file into the settings' PostgreSQL."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from dopeornope.moving import CannotMove, check_file, move_everything
from dopeornope.starting import CannotStart, lock_home


class Command(BaseCommand):
    help = "Move everything from a SQLite database into the empty PostgreSQL of DOPEORNOPE_DATABASE."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from",
            dest="file",
            type=lambda text: Path(text).expanduser(),
            default=settings.HOME / "db.sqlite3",
            metavar="FILE",
            help="the SQLite database (default: %(default)s)",
        )

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError(
                "DOPEORNOPE_DATABASE names no PostgreSQL: set it to "
                "postgresql://USER:PASSWORD@HOST:PORT/NAME, an empty database."
            )
        try:
            check_file(file)
            # The game of this file's folder must not run, nor start meanwhile: its votes would stay behind.
            with lock_home(file.parent):
                counts = move_everything(file, report=self._report)
        except (CannotMove, CannotStart) as error:
            raise CommandError(str(error)) from error
        name = connection.settings_dict["NAME"]
        self.stdout.write(
            f"{sum(counts.values())} rows of {len(counts)} tables are in “{name}”; all counts agree, and the "
            "leaderboard equals a recount of its votes."
        )

    def _report(self, table: str, rows: int) -> None:
        self.stdout.write(f"{rows:>10}  {table}")
