"""`manage.py measure_regions`: whether proposed regions hold the thing, for people and as JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from search.catalogues.wardrobe import VERSION
from search.engine.files import write_file
from search.services.measuring import NothingToMeasure
from search.services.measuring_regions import (
    RegionRow,
    SightRow,
    draw_photos,
    measure_boxes,
    measure_sight,
    read_boxes,
)


class Command(BaseCommand):
    help = (
        "How often the thing in a photo is among the regions proposed, and what they leave out of a training."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--items", type=int, default=500, help="of the wardrobe (default %(default)s)")
        parser.add_argument("--seed", type=int, default=0, help="of the wardrobe")
        parser.add_argument("--photos", type=Path, metavar="FOLDER", help="measure these photos as well")
        parser.add_argument(
            "--boxes", type=Path, metavar="FILE", help="CSV: image, left, top, right, bottom (0 to 1)"
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")

    def handle(self, *args: Any, **options: Any) -> None:
        items, seed = options["items"], options["seed"]
        if items < 2 or seed < 0:
            raise CommandError("At least two items are needed, and a seed from 0.")
        if (options["photos"] is None) != (options["boxes"] is None):
            raise CommandError("Give --photos together with --boxes.")
        rows = measure_boxes("wardrobe", draw_photos(items, seed=seed))
        if options["photos"]:
            try:
                photos = read_boxes(options["boxes"], options["photos"])
            except NothingToMeasure as error:
                raise CommandError(str(error)) from error
            rows += measure_boxes("photos", photos)
        sight = measure_sight(items, seed=seed)
        if options["json"]:
            report = {
                "seed": seed,
                "items": items,
                "wardrobe": VERSION,
                "regions": [row.as_json() for row in rows],
                "sight": [row.as_json() for row in sight],
            }
            write_file(options["json"], json.dumps(report, indent=2).encode() + b"\n")
        console = Console(file=sys.stdout)
        console.print(_draw_regions(rows, items, seed))
        console.print(_draw_sight(sight))


def _draw_regions(rows: list[RegionRow], items: int, seed: int) -> Table:
    table = Table(
        title=f"Is the thing among the regions? Wardrobe {VERSION}, {items} lifestyle views, seed {seed}",
        caption="overlap: intersection over union; 95 % Wilson intervals",
    )
    for name in ("photos", "boxes"):
        table.add_column(name)
    for name in ("shown", "overlap from", "found", "interval"):
        table.add_column(name, justify="right")
    for row in rows:
        found = row.found
        interval = f"{found.low:.1%} to {found.high:.1%}"
        table.add_row(
            row.photos, row.boxes, str(row.shown), f"{row.overlap:g}", f"{found.rate:.1%}", interval
        )
    return table


def _draw_sight(rows: list[SightRow]) -> Table:
    table = Table(
        title="Which photos would be left out of a siamese training, by their regions?",
        caption="a tenth of the photos show the place alone, a tenth another item",
    )
    table.add_column("the photo shows")
    for name in ("photos", "left out", "interval"):
        table.add_column(name, justify="right")
    for row in rows:
        out = row.left_out
        table.add_row(row.what, str(out.total), f"{out.rate:.1%}", f"{out.low:.1%} to {out.high:.1%}")
    return table
