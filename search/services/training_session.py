"""One training while it runs, whoever asked for it: a job, or a command that measures."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.engine.encoders import trained
from search.engine.sources import hash_own_sources
from search.engine.trained_networks import side_of
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.devices import find_device
from search.engine.training.features import SUFFIX, Looking, keep_newest, look_through, name_weights
from search.engine.training.kinds import Lesson, prepare_lesson
from search.engine.training.loop import Fitted, Progress, fit
from search.engine.training.samples import MISSING, PictureViews, Samples, Views
from search.engine.training.settings import PictureSettings, SiameseSettings, TransferSettings
from search.engine.training.sight import Unseen
from search.engine.triplet_files import TripletFiles
from search.engine.upright import Upright
from search.models import Catalogue
from search.services.training_folders import features_folder, folder_of
from search.services.training_material import Material, read_material, read_published_material
from search.services.training_samples import CatalogueItems, frame_pictures, read_items
from search.services.training_sight import find_unseen
from search.services.training_upright import straighten
from search.services.training_views import pair_views, score_views

if TYPE_CHECKING:
    import torch

MOST_FEATURE_BYTES = 8 << 30
# What such an answer depends on, with all that these use: it is not taken for that of other code.
_FEATURE_CODE = (
    "search.engine.backbones",
    "search.engine.training.features",
    "search.engine.training.samples",
)


@dataclass(frozen=True)
class Plan:
    """What a training depends on. ``fingerprint`` names it all: a checkpoint of another one is refused.

    With ``triplets``, ``aspects`` are those of their conditions that are learned.
    """

    kind: str
    catalogue: Catalogue
    aspects: tuple[str, ...]
    settings: PictureSettings
    weights: Path | None
    device: str
    fingerprint: str
    triplets: TripletFiles | None = None


class CatalogueViews:
    """What a network sees of a catalogue's items: framed pictures, or what a frozen trunk says of them.

    ``say`` is told what is done, and may raise to stop.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        items: CatalogueItems,
        *,
        backbone: str,
        side: int,
        device: torch.device,
        say: Callable[[str], None],
    ) -> None:
        self._catalogue, self._items = catalogue, items
        self._backbone, self._side = backbone, side_of(backbone, side)
        self._device, self._say = device, say

    def look_at(self, view: str) -> Views:
        """The "catalogue" pictures, or those of the "lifestyle" view."""
        images = self._list_images(view)
        file = frame_pictures(
            self._catalogue,
            images,
            view=view,
            side=self._side,
            report=lambda done: self._say(f"framing {view} pictures, {done:,} of {len(images):,}"),
        )
        return PictureViews(file, self._device)

    def featurise(self, trunk: Looking, views: Views, view: str) -> Views:
        """What a frozen trunk says of a view, computed once and kept for whoever asks it the same."""
        folder = features_folder()
        key = self._name_features(trunk, view)
        found = look_through(
            trunk,
            views,
            count=len(self._items),
            path=folder / f"{key[:32]}{SUFFIX}",
            facts={"of": key},
            device=self._device,
            report=lambda done: self._say(
                f"the backbone looks at {view} pictures, {done:,} of {len(self._items):,}"
            ),
        )
        keep_newest(folder, most_bytes=MOST_FEATURE_BYTES)
        return found

    def _list_images(self, view: str) -> list[str]:
        return self._items.images if view == "catalogue" else self._items.lifestyles

    def _name_features(self, trunk: Looking, view: str) -> str:
        """Of the pictures, how they are framed, the backbone with its weights, the code and where it runs."""
        facts = [
            self._catalogue.content_hash,
            self._list_images(view),
            [self._side, trained.FRAMING],
            [self._backbone, name_weights(trunk)],
            [hash_own_sources(*_FEATURE_CODE), version("torch"), self._device.type],
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


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
        self._views = CatalogueViews(
            plan.catalogue,
            self.items,
            backbone=plan.settings.backbone,
            side=plan.settings.framed_side,
            device=self.device,
            say=say,
        )
        self._samples: Samples | None = None
        self.unseen: Unseen | None = None  # what was left out, where it was looked for
        self._checkpoint = self.folder / "checkpoint"

    def prepare(self) -> Lesson:
        """The network before its first step, and its teacher. Raises TrainingFailed, EncoderError."""
        return prepare_lesson(
            self.plan.kind,
            self.plan.settings,
            self._leave_out(self.samples()),
            copies=self.items.copies,
            featurise=self._views.featurise,
            straighten=self._straighten,
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
        seen = np.array([bool(image) for image in self.items.lifestyles], bool)
        catalogue = self._views.look_at("catalogue")
        lifestyle = self._views.look_at("lifestyle") if self.plan.kind == "siamese" else None
        return Samples(catalogue, lifestyle, seen, self.labels, self.division, self.device)

    def _leave_out(self, samples: Samples) -> Samples:
        """Without the lifestyle photos in which the item is not in sight. Held-out ones all stay."""
        told = self.plan.settings
        if not isinstance(told, SiameseSettings):
            return samples
        rows = np.concatenate([self.division.learned, self.division.validation])
        self.unseen = find_unseen(
            self.items,
            np.sort(rows[samples.has_lifestyle[rows]]),
            told,
            path=self.folder / "sight",
            device=self.device,
            say=self._say,
        )
        if self.unseen is None:
            return samples
        seen = samples.has_lifestyle.copy()
        seen[self.unseen.left_out] = False
        return replace(samples, has_lifestyle=seen)

    def _straighten(self, upright: Upright, samples: Samples) -> Samples:
        """See `Straighten`."""
        assert isinstance(self.plan.settings, SiameseSettings)
        turned = straighten(
            upright, samples, self.items, self.plan.settings, folder=self.folder, say=self._say
        )
        keep_newest(features_folder(), most_bytes=MOST_FEATURE_BYTES)
        return turned

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
