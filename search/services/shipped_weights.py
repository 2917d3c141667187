"""The encoders that the project ships, made again: trained as jobs on a wardrobe that nobody else looks at.

The demo catalogue has seed 0 and reports use other seeds than `SEED`, so that no shipped network has seen an
item of the demo or of its own report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.conf import settings

from search.catalogues.rows import ImportOptions
from search.engine.encoders.trained_files import read_trained_card, weights_path, write_trained
from search.models import Catalogue, Job, JobState
from search.services.imports import request_import
from search.services.jobs import JobFailed
from search.services.training import request_training
from search.services.training_wishes import Wish

SEED = 1000
SLUG = "shipped-training"
_PREFIX = "new-"  # under its own name each is an encoder of this installation already


@dataclass(frozen=True)
class Shipped:
    """One encoder to ship. ``settings`` as text by name, where they differ from the defaults."""

    name: str
    kind: str
    aspects: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)


# The network that embeds fastest, and a hidden layer of 512 instead of the published 4,096: all together they
# must stay below 15 MB. What they learn from does not depend on whether a detector's weights are at hand.
SHIPPED = (
    Shipped("thimble-transfer", "transfer", settings={"backbone": "thimble", "hidden": "512"}),
    Shipped(
        "thimble-siamese",
        "siamese",
        settings={
            "backbone": "shuttle",
            "upright": "true",
            "upright_steps": "2500",
            "steps": "1500",
            "loss": "contrast",
            "queries": "64",
            "in_class": "15",
            "hard_after": "0.2",
            "pool": "25",
            "small_share": "0",
            "sight": "off",
        },
    ),
    Shipped("thimble-csn", "csn", aspects=("kind", "colour", "pattern"), settings={"backbone": "thimble"}),
)


def ship(
    *,
    target: Path,
    items: int,
    steps: int | None,
    names: tuple[str, ...],
    run: Callable[[Job], Job],
    now: Callable[[], datetime],
) -> Iterator[Path]:
    """Draw the training wardrobe, train what is named and put it below ``target``; yields each folder.

    ``run`` runs a job to its end. What was trained so before is not trained again. Raises ``JobFailed``,
    ``TrainingRefused``.
    """
    catalogue = _draw_catalogue(items, run, now())
    for one in SHIPPED:
        if one.name not in names:
            continue
        chosen = one.settings | ({} if steps is None else {"steps": str(steps)})
        wish = Wish(
            kind=one.kind,
            name=_PREFIX + one.name,
            catalogue=catalogue,
            aspects=one.aspects,
            settings=chosen,
        )
        training = request_training(wish, now=now())
        assert training.job is not None
        _require_done(run(training.job))
        yield _put(settings.TRAINED_FOLDER / training.name, target / one.name)


def _draw_catalogue(items: int, run: Callable[[Job], Job], now: datetime) -> Catalogue:
    options = ImportOptions(items=items, seed=SEED)
    job = request_import(format="wardrobe", path=None, slug=SLUG, options=options, now=now)
    _require_done(run(job))
    return Catalogue.objects.get(slug=SLUG)


def _require_done(job: Job) -> None:
    if job.state != JobState.DONE:
        raise JobFailed(job.reason or f"“{job.title}” was {job.state}.")


def _put(trained: Path, target: Path) -> Path:
    """Copy an encoder to where it is shipped from, under the name that it is shipped as."""
    card = read_trained_card(trained)
    write_trained(target, weights_path(trained, card).read_bytes(), {**card, "name": target.name})
    return target
