"""`manage.py dump_evaluation --out DIR`: all the leaderboard rests on, without personal data."""

from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from evaluation.services.dumps import BOARD, DumpRefused, write_dump
from search.engine.errors import EngineError


class Command(BaseCommand):
    help = "Write contenders, pairs, deals, votes, verdicts and the published table as files, without names."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")

    def handle(self, *args: Any, out: Path, **options: Any) -> None:
        try:
            manifest = write_dump(out, now=timezone.now(), rng=np.random.default_rng())
        except (DumpRefused, EngineError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{len(manifest['files'])} files and their manifest are in {out}. "
            f"`manage.py rebuild_leaderboard {out}` gives {BOARD} again, on any machine."
        )
