"""Regenerates the weights under search/engine/weights/, in about half an hour on two cores."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from search.engine.encoders import thimble
from search.engine.errors import EngineError
from search.engine.training import TrainingConfig
from search.services.shipped_weights import train_shipped_weights

CACHE_FOLDER = "training"


class Command(BaseCommand):
    """Draws a training set, trains the small network and writes its weights with their card."""

    help = "Train the small network that the project ships, on drawings of other seeds than the demo's."
    requires_system_checks = []  # pages and settings of the site have no part in it

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--items", type=int, default=12000, help="items to draw for training")
        parser.add_argument("--held-out", type=int, default=2000, help="items to draw for measuring")
        parser.add_argument(
            "--steps", type=int, default=3000, help="training steps of 24 items, two views each"
        )
        parser.add_argument("--seed", type=int, default=0, help="of weights, order and augmentation")
        parser.add_argument(
            "--output", type=Path, default=thimble.WEIGHTS, help="the safetensors file to write"
        )
        parser.add_argument(
            "--cache",
            type=Path,
            help="folder for drawings and checkpoint (default: training/ in the home folder)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            card = train_shipped_weights(
                target=options["output"],
                cache_folder=options["cache"] or settings.HOME / CACHE_FOLDER,
                items=options["items"],
                held_out=options["held_out"],
                config=TrainingConfig(steps=options["steps"], seed=options["seed"]),
                processes=len(os.sched_getaffinity(0)),
                say=self.stdout.write,
            )
        except EngineError as error:
            raise CommandError(str(error)) from error
        for view, accuracy in card["accuracy"].items():
            shares = ", ".join(f"{name} {share:.3f}" for name, share in accuracy.items())
            self.stdout.write(f"right on held-out items, {view} view: {shares}")
        self.stdout.write(self.style.SUCCESS(f"Wrote {options['output']} and its card."))
