"""Lifestyle photos in which the item cannot be seen, found before a siamese network learns from them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings as site
from numpy.typing import NDArray
from PIL import Image

from search.engine.arrays import read_arrays, write_arrays
from search.engine.detection import Detector, load_detector
from search.engine.detectors import DetectorMissing, detector_file
from search.engine.encoders.base import WeightsDamaged
from search.engine.encoders.histograms import count_colours
from search.engine.errors import ArtifactDamaged, ImageRejected
from search.engine.images import load_picture
from search.engine.regions import Region, propose_regions
from search.engine.training.failures import memory_errors
from search.engine.training.settings import AUTO, DETECTOR, OFF, REGIONS, SiameseSettings
from search.engine.training.sight import (
    WORN,
    Finder,
    Unseen,
    Vectors,
    Verdict,
    choose_others,
    describe_regions,
    judge_photo,
    sum_up,
)
from search.selectors.catalogues import image_path
from search.services.jobs import JobFailed
from search.services.training_samples import CatalogueItems

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

DETECTED = 20  # regions of any kind, of which those are looked at that may wear or be the item
WORTH_SAYING = 50
WORTH_KEEPING = 200
_VERDICTS = tuple(Verdict)


def find_unseen(
    items: CatalogueItems,
    rows: NDArray[np.int64],
    settings: SiameseSettings,
    *,
    path: Path,
    device: torch.device,
    say: Callable[[str], None],
) -> Unseen | None:
    """What to leave out of these rows, all of which have a lifestyle photo; None where nothing looks.

    Kept at ``path``, every so many photos: a training that goes on after it was killed leaves out the same,
    also where a detector has come or gone since it began to learn. Raises JobFailed where a detector is asked
    for that is not there, TrainingFailed for want of memory.
    """
    way, verdicts = _read(path, rows) or (choose_way(settings.sight), [])
    if way != OFF and len(verdicts) < len(rows) and way != choose_way(settings.sight):
        way, verdicts = choose_way(settings.sight), []  # nothing has learned from these yet
    if way == OFF:
        _write(path, rows, way, [])
        return None
    if len(verdicts) < len(rows):
        with memory_errors("looking for items in their photos", "Set sight to regions, or off."):
            for verdict in _judge(items, rows, len(verdicts), way, settings.unlike, device, say):
                verdicts.append(verdict)
                if len(verdicts) % WORTH_KEEPING == 0 or len(verdicts) == len(rows):
                    _write(path, rows, way, verdicts)
    unseen = sum_up(way, zip(rows.tolist(), verdicts, strict=True))
    logger.info(unseen.describe())
    return unseen


def choose_way(wanted: str) -> str:
    """What looks at photos, here and now, under the setting of this value."""
    if wanted != AUTO:
        return wanted
    try:
        detector_file(site.WEIGHTS_FOLDER)
    except DetectorMissing:
        return OFF
    return DETECTOR


def _judge(
    items: CatalogueItems,
    rows: NDArray[np.int64],
    begin: int,
    way: str,
    unlike: float,
    device: torch.device,
    say: Callable[[str], None],
) -> Iterator[Verdict]:
    """Of each photo from the row at place ``begin`` on."""
    find = propose_regions if way == REGIONS else _detecting(device)
    others = choose_others(rows)
    described = np.stack([count_colours(_load(items.images[row])) for row in others])
    for done, row in enumerate(rows[begin:].tolist(), start=begin):
        if done % WORTH_SAYING == 0:
            say(f"looking for items in their photos, {done:,} of {len(rows):,}")
        regions = describe_regions(_load(items.lifestyles[row]), find)
        own = count_colours(_load(items.images[row]))
        strangers: Vectors = described[items.copies[others] != items.copies[row]]
        yield judge_photo(regions, own, strangers, most=unlike)


def _detecting(device: torch.device) -> Finder:
    try:
        return partial(_detect, load_detector(site.WEIGHTS_FOLDER, device=device))
    except (DetectorMissing, WeightsDamaged) as error:
        raise JobFailed(str(error)) from error


def _detect(detector: Detector, picture: Image.Image) -> list[Region]:
    return [region for region in detector.detect(picture, limit=DETECTED) if region.label in WORN]


def _load(image: str) -> Image.Image:
    try:
        return load_picture(image_path(image))
    except FileNotFoundError as error:
        raise JobFailed(
            f"A picture is gone from {site.IMAGES_FOLDER}: import the catalogue again."
        ) from error
    except ImageRejected as error:
        raise JobFailed(str(error)) from error


def _read(path: Path, rows: NDArray[np.int64]) -> tuple[str, list[Verdict]] | None:
    """What looked, and the verdicts that there are of these rows, which may be the first ones only."""
    try:
        arrays, facts = read_arrays(path)
    except (FileNotFoundError, ArtifactDamaged):
        return None
    if not np.array_equal(arrays["rows"], rows):
        return None
    return str(facts["way"]), [_VERDICTS[number] for number in arrays["verdicts"].tolist()]


def _write(path: Path, rows: NDArray[np.int64], way: str, verdicts: list[Verdict]) -> None:
    numbers = np.array([_VERDICTS.index(verdict) for verdict in verdicts], np.int64)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_arrays(path, {"rows": rows, "verdicts": numbers}, {"way": way})
