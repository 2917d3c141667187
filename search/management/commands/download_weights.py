"""Downloads published weights of an encoder, a backbone or a detector; the only command that fetches any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from search.engine.backbone_names import BACKBONES
from search.engine.detectors import DETECTOR
from search.engine.errors import EngineError
from search.engine.weight_downloads import PUBLISHED, download


class Command(BaseCommand):
    """Fetches one published file into the weights folder."""

    help = "Download published weights into the weights folder, e.g. download_weights vgg16 (528 MB)."
    requires_system_checks = []  # pages and settings of the site have no part in it

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("network", choices=sorted(PUBLISHED), help="whose weights to download")

    def handle(self, *args: Any, **options: Any) -> None:
        file = PUBLISHED[options["network"]]
        columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            row = bar.add_task("download", total=None)
            try:
                target = download(
                    file,
                    settings.WEIGHTS_FOLDER,
                    report=lambda done, total: bar.update(row, completed=done, total=total),
                )
            except EngineError as error:
                raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"{target} is in place."))
        if options["network"] in BACKBONES:
            converted = self._convert(options["network"], target)
            self.stdout.write(f"Train with: --backbone {options['network']} --weights {converted}")
        if options["network"] == DETECTOR:
            self._convert(DETECTOR, target)
            self.stdout.write("From now on, train siamese has it look through lifestyle photos.")

    def _convert(self, name: str, target: Path) -> Path:
        """Make of it a file that can be read without running anything in it."""
        from search.engine.weight_files import convert_pickle  # imports torch, which downloading does without

        file, converted = PUBLISHED[name], target.with_suffix(".safetensors")
        try:
            if not converted.exists():
                convert_pickle(target, converted, sha256=file.sha256, keep=file.keep)
        except EngineError as error:
            raise CommandError(str(error)) from error
        return converted
