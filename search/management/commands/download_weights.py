"""Downloads published weights of an encoder; the only command that fetches any."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from search.engine.errors import EngineError
from search.engine.weight_downloads import PUBLISHED, download


class Command(BaseCommand):
    """Fetches one published file into the weights folder."""

    help = "Download published weights into the weights folder, e.g. download_weights vgg16 (528 MB)."
    requires_system_checks = []  # pages and settings of the site have no part in it

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("network", choices=sorted(PUBLISHED), help="whose weights to download")

    def handle(self, *args: Any, **options: Any) -> None:
        columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            row = bar.add_task("download", total=None)
            try:
                target = download(
                    PUBLISHED[options["network"]],
                    settings.WEIGHTS_FOLDER,
                    report=lambda done, total: bar.update(row, completed=done, total=total),
                )
            except EngineError as error:
                raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"{target} is in place."))
