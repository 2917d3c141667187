"""One training while it runs, whoever asked for it: a job, or a command that measures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from search.engine.backbones import Trunk
from search.engine.trained_networks import side_of
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.devices import find_device
from search.engine.training.features import look_through
from search.engine.training.kinds import Lesson, prepare_lesson
from search.engine.training.loop import Fitted, Progress, fit
from search.engine.training.samples import MISSING, PictureViews, Samples, Views
from search.engine.training.settings import Settings, TransferSettings
from search.engine.triplet_files import TripletFiles
from search.models import Catalogue
from search.services.training_material import Material, read_material, read_published_material
from search.services.training_samples import CatalogueItems, frame_pictures, read_items
from search.services.training_views import pair_views, score_views


def folder_of(fingerprint: str) -> Path:
    """Where a training keeps what it goes on from, until it is forgotten."""
    folder: Path = settings.TRAINING_FOLDER
    return folder / fingerprint[:16]


@dataclass(frozen=True)
class Plan:
    """What a training depends on. ``fingerprint`` names it all: a checkpoint of another one is refused.

    With ``triplets``, ``aspects`` are those of their conditions that are learned.
    """

    kind: str
    catalogue: Catalogue
    aspects: tuple[str, ...]
    settings: Settings
    weights: Path | None
    device: str
    fingerprint: str
    triplets: TripletFiles | None = None


class Session:
    """A training of a plan. ``say`` is told what is done before the first step; it may raise to stop.

    Raises JobFailed, TripletsRejected where its catalogue or its files are not fit for it.
    """

    def __init__(self, plan: Plan, *, say: Callable[[str], None]) -> None:
        self.plan, self._say = plan, say
        self.device = find_device(plan.device)
        self.items = self._read_items()
        material = self._read_material()
        self.all_labels, self.division = material.labels, material.division
        self.triplets, self.lineage = material.triplets, material.lineage
        self.labels = self.all_labels
        if isinstance(plan.settings, TransferSettings) and plan.settings.top:
            self.labels = self.all_labels.most_common(plan.settings.top, self.division.learned)
        self.folder = folder_of(plan.fingerprint)
        self._samples: Samples | None = None
        self._checkpoint = self.folder / "checkpoint"

    def prepare(self) -> Lesson:
        """The network before its first step, and its teacher. Raises TrainingFailed, EncoderError."""
        return prepare_lesson(
            self.plan.kind,
            self.plan.settings,
            self.samples(),
            copies=self.items.copies,
            featurise=self._featurise,
            weights=self.plan.weights,
            triplets=self.triplets,
        )

    def learn(self, report: Callable[[Progress], None]) -> tuple[Lesson, Fitted]:
        """Train from the last checkpoint to the end. Raises TrainingFailed, EncoderError."""
        lesson = self.prepare()
        fitted = fit(
            lesson.learner,
            self.plan.settings,
            checkpoint=CheckpointFile(self._checkpoint, {"training": self.plan.fingerprint}),
            report=report,
            device=self.device,
        )
        return lesson, fitted

    def forget(self) -> None:
        """Delete what was kept to go on from."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def seen_twice(self) -> NDArray[np.int64]:
        """Held-out rows of items with a category and a lifestyle photo."""
        rows = self.division.held_out
        seen = np.array([bool(self.items.lifestyles[row]) for row in rows], bool)
        return np.asarray(rows[seen & (self.labels.table[rows, 0] != MISSING)])

    def samples(self) -> Samples:
        """The catalogue's pictures, framed, with the plan's labels; each file is checked once."""
        if self._samples is None:
            self._samples = self._frame()
        return self._samples

    def _frame(self) -> Samples:
        side = side_of(self.plan.settings.backbone, self.plan.settings.side)
        seen = np.array([bool(image) for image in self.items.lifestyles], bool)
        catalogue = self._view(self.items.images, "catalogue", side)
        wants = self.plan.kind == "siamese"
        lifestyle = self._view(self.items.lifestyles, "lifestyle", side) if wants else None
        return Samples(catalogue, lifestyle, seen, self.labels, self.division, self.device)

    def _read_material(self) -> Material:
        plan = self.plan
        if plan.triplets is not None:
            return read_published_material(plan.catalogue, self.items, plan.aspects, plan.triplets)
        share = plan.settings.validation_share
        return read_material(plan.catalogue, self.items, plan.aspects, validation_share=share)

    def _read_items(self) -> CatalogueItems:
        """The catalogue's items; where second views are wanted and none given, with those that are found."""
        catalogue = self.plan.catalogue
        items = read_items(catalogue)
        if self.plan.kind != "siamese" or any(items.lifestyles):
            return items
        scores = score_views(
            catalogue,
            items,
            report=lambda done: self._say(f"telling views apart, {done:,} of {len(items):,}"),
        )
        return pair_views(items, scores)

    def _view(self, images: list[str], view: str, side: int) -> Views:
        file = frame_pictures(
            self.plan.catalogue,
            images,
            view=view,
            side=side,
            report=lambda done: self._say(f"framing {view} pictures, {done:,} of {len(images):,}"),
        )
        return PictureViews(file, self.device)

    def _featurise(self, trunk: Trunk, views: Views, view: str) -> Views:
        return look_through(
            trunk,
            views,
            count=len(self.items),
            path=self.folder / f"features-{view}.safetensors",
            facts={"of": self.plan.fingerprint},
            device=self.device,
            report=lambda done: self._say(
                f"the backbone looks at {view} pictures, {done:,} of {len(self.items):,}"
            ),
        )
