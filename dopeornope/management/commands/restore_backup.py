"""`manage.py restore_backup FOLDER`: from a backup to a game, into an empty HOME and an empty database."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dopeornope.backups import KEY, BackupRefused, restore
from dopeornope.env import Environment
from dopeornope.starting import CannotStart, lock_home
from search.engine.errors import DiskFull


class Command(BaseCommand):
    help = "Restore one backup, after checking every file of it; refuses to restore over anything."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder", type=lambda text: Path(text).expanduser(), help="one backup, as `back_up` printed it"
        )

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            with lock_home(settings.HOME):
                backup = restore(folder)
        except (BackupRefused, CannotStart, DiskFull) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{len(backup.files)} files are back, each as its checksum says.")
        key, given = settings.HOME / KEY, Environment().text("SECRET_KEY", "")
        if given and key.read_text().strip() != given:
            self.stdout.write(
                f"It was signed with another key: put that of {key} into DOPEORNOPE_SECRET_KEY, or all are "
                "signed out and players start anew."
            )
        call_command("migrate", verbosity=0, interactive=False)
        call_command("recount_leaderboard", stdout=self.stdout, stderr=self.stderr)
