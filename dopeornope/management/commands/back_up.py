"""`manage.py back_up FOLDER`: one backup more below a folder, while the game goes on."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dopeornope.backups import BackupRefused, back_up
from search.engine.errors import DiskFull


class Command(BaseCommand):
    help = "Back up the database, the signing key, pictures and artefacts; the game may run meanwhile."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder",
            type=lambda text: Path(text).expanduser(),
            help="where backups are kept, best on another disk; each gets a folder of its own there",
        )

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            backup = back_up(folder, now=timezone.now())
        except (BackupRefused, DiskFull) as error:
            raise CommandError(str(error)) from error
        self.stderr.write(
            f"{len(backup.files)} files, {backup.size / 2**20:.1f} MiB, each with its checksum:"
        )
        self.stdout.write(str(backup.folder))
