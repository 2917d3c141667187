"""Pictures in which items were found and turned upright: what a network that sees them so learns from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from search.engine.errors import ArtifactDamaged
from search.engine.training.cutouts import Cutouts, take_cutouts
from search.engine.training.failures import TrainingFailed
from search.engine.training.features import name_weights
from search.engine.training.finding import FindingLearner
from search.engine.training.loop import Checkpoint, Progress, fit
from search.engine.training.pictures import PictureFile, count_written, write_pictures
from search.engine.training.samples import PictureViews, Rows, Samples, Views
from search.engine.training.settings import FindingSettings
from search.engine.upright import Upright

MOST_CUTOUTS, MOST_JUDGED = 2000, 200
_LEAST_CUTOUTS, _LEAST_JUDGED = 8, 1
_AT_ONCE = 64


def learn_to_find(
    upright: Upright,
    samples: Samples,
    settings: FindingSettings,
    *,
    checkpoint: Checkpoint,
    report: Callable[[Progress], None],
) -> None:
    """Teach ``upright`` where items lie, from what can be cut out of the learned catalogue pictures.

    Raises TrainingFailed where too few pictures show an item alone on even ground.
    """
    seen = samples.has_lifestyle
    learned, validation = samples.division.learned, samples.division.validation
    cutouts = _take(samples, learned, learned[seen[learned]], most=MOST_CUTOUTS, least=_LEAST_CUTOUTS)
    judged = _take(samples, validation, validation[seen[validation]], most=MOST_JUDGED, least=_LEAST_JUDGED)
    device = samples.device
    learner = FindingLearner(upright.finder.to(device), cutouts, judged, settings)
    fit(learner, settings, checkpoint=checkpoint, report=report, device=device)


def turn_views_upright(
    upright: Upright, samples: Samples, folder: Path, *, report: Callable[[str, int], None]
) -> Samples:
    """The samples as ``upright`` sees them, kept in files in ``folder``; ``report`` may raise to stop.

    Raises DiskFull.
    """
    upright.eval()
    assert samples.lifestyle is not None
    return replace(
        samples,
        catalogue=_turn(upright, samples, samples.catalogue, folder, "catalogue", report),
        lifestyle=_turn(upright, samples, samples.lifestyle, folder, "lifestyle", report),
    )


def _take(samples: Samples, rows: Rows, photos: Rows, *, most: int, least: int) -> Cutouts:
    assert samples.lifestyle is not None
    cutouts = take_cutouts(samples.catalogue, _spread(rows, most), samples.lifestyle, _spread(photos, most))
    if cutouts is None or len(cutouts) < least:
        raise TrainingFailed(
            "Too few catalogue pictures show an item alone on even ground: nothing teaches where items "
            "lie in photos. Set upright to false."
        )
    return cutouts


def _spread(rows: Rows, most: int) -> Rows:
    """At most so many of the rows, evenly."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def _turn(
    upright: Upright,
    samples: Samples,
    views: Views,
    folder: Path,
    view: str,
    report: Callable[[str, int], None],
) -> PictureViews:
    path, facts = folder / f"upright-{view}.u8", {"of": name_weights(upright)}
    count = len(samples.has_lifestyle)
    [picture] = _look(upright, views, 0, 1)
    try:
        kept = PictureFile(path)
        if kept.facts == facts:
            return PictureViews(kept, samples.device)
    except (FileNotFoundError, ArtifactDamaged):
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    side = len(picture)
    done = count_written(path, side=side, facts=facts)

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for start in range(done, count, _AT_ONCE):
            report(view, start)
            yield from _look(upright, views, start, min(start + _AT_ONCE, count))

    write_pictures(path, pictures(), side=side, facts=facts, after=done)
    return PictureViews(PictureFile(path), samples.device)


def _look(upright: Upright, views: Views, start: int, end: int) -> NDArray[np.uint8]:
    """The rows from ``start`` up to ``end``, upright: (m, s, s, 3)."""
    with torch.inference_mode():
        squares = upright(views.plain(np.arange(start, end)))
    turned: NDArray[np.uint8] = squares.round().clamp(0, 255).byte().cpu().numpy()
    return turned
