"""Verifies that settled votes are as they were sealed."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from evaluation.models import Seal
from evaluation.services.seals import Broken, find_broken_seal

SHOWN = 20


def read_head(text: str) -> tuple[int, str]:
    found = re.fullmatch(r"(\d+) ([0-9a-f]{64})", text.strip())
    if found is None:
        raise ArgumentTypeError("must be a line that --head printed: a number and 64 hexadecimal digits")
    return int(found[1]), found[2]


class Command(BaseCommand):
    help = (
        "Verifies every seal and the votes and retractions under it. "
        "Ends with an error that names the first seal that does not verify, and what differs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--head", action="store_true", help="print the newest seal, to be kept elsewhere")
        parser.add_argument("--expect", type=read_head, help="a line of --head that must be in the chain")

    def handle(self, *args: Any, head: bool, expect: tuple[int, str] | None, **options: Any) -> None:
        last = Seal.objects.order_by("number").last()
        if head:
            if last is None:
                raise CommandError("There is no seal yet: the sweeper makes one when votes have settled.")
            self.stdout.write(str(last))
            return
        broken = find_broken_seal(head=expect)
        if broken is not None:
            self._show_rows(broken)
            raise CommandError(f"Seal {broken.seal} {broken.reason}.")
        until = f", until {last.until:%Y-%m-%d %H:%M} UTC" if last else ""
        self.stdout.write(f"All {last.number if last else 0} seals verify{until}.")

    def _show_rows(self, broken: Broken) -> None:
        for what in ("missing", "changed", "added"):
            rows: list[str] = getattr(broken, what)
            for row in rows[:SHOWN]:
                self.stderr.write(f"{what}: {row}")
            if len(rows) > SHOWN:
                self.stderr.write(f"{what}: … and {len(rows) - SHOWN} more")
