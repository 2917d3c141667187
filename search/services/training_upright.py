"""Where items lie in a catalogue's pictures: learned once for all trainings that turn these upright."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from search.engine.encoders import trained
from search.engine.sources import hash_own_sources
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.features import SUFFIX
from search.engine.training.samples import Samples
from search.engine.training.settings import SiameseSettings
from search.engine.training.upright_views import learn_to_find, turn_views_upright
from search.engine.upright import Upright
from search.services.training_folders import features_folder
from search.services.training_samples import CatalogueItems, alone

# What is learned depends on these, with all that they use: it is not taken for that of other code.
_CODE = ("search.engine.upright", "search.engine.training.finding", "search.engine.training.upright_views")


def straighten(
    upright: Upright,
    samples: Samples,
    items: CatalogueItems,
    settings: SiameseSettings,
    *,
    folder: Path,
    say: Callable[[str], None],
) -> Samples:
    """Teach ``upright`` where items lie, from the last checkpoint on; the samples as it sees them.

    What was learned stays among the features of frozen backbones, upright pictures in ``folder``. ``say`` may
    raise to stop. Raises TrainingFailed, DiskFull.
    """
    told = settings.finding()
    key = _name_finding(samples, items, settings)
    path = features_folder() / f"{key[:32]}{SUFFIX}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path, while_waiting=lambda: say("waiting for another training to learn where items lie")):
        learn_to_find(
            upright,
            samples,
            told,
            checkpoint=CheckpointFile(path, {"of": key}),
            report=lambda progress: say(
                f"learning where items lie, step {progress.step:,} of {told.steps:,}"
            ),
        )
    return turn_views_upright(
        upright,
        samples,
        folder,
        report=lambda view, done: say(f"turning {view} pictures upright, {done:,} of {len(items):,}"),
    )


def _name_finding(samples: Samples, items: CatalogueItems, settings: SiameseSettings) -> str:
    """Of the pictures learned from and judged by, their framing, the settings, code and where it runs."""
    division = samples.division
    facts = [
        [
            [items.images[row], items.lifestyles[row] if samples.has_lifestyle[row] else ""]
            for rows in (division.learned, division.validation)
            for row in rows.tolist()
        ],
        [len(division.learned), settings.framed_side, trained.FRAMING, settings.finding().as_json()],
        [hash_own_sources(*_CODE), version("torch"), samples.device.type],
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
