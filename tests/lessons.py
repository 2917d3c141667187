"""Small catalogues of coloured pictures from which something can be learned, and trainings of a few steps."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from search.models import (
    Aspect,
    Attribute,
    Catalogue,
    CatalogueState,
    Item,
    Job,
    Label,
    Split,
    Training,
)
from search.services.jobs import run_in_foreground
from search.services.training import request_training
from search.services.training_wishes import Wish
from tests.factories import NOW, store_image

SIDE = 32
COLOURS = {"red": (200, 40, 40), "green": (40, 160, 60), "blue": (40, 60, 200)}
PATTERNS = ("plain", "striped")

# A training of a second: every setting as a form or a command line gives it.
QUICK = {
    "steps": "8", "side": str(SIDE), "validate_every": "4", "checkpoint_every": "2", "small_share": "0.25",
    "validation_share": "0.3", "patience": "0",
}  # fmt: skip
SMALL = {
    "transfer": {"batch": "8", "hidden": "16"},
    "aspects": {"batch": "8", "hidden": "16"},
    "siamese": {"queries": "8", "in_class": "3", "dimensions": "8"},
    "csn": {"items": "12", "triplets": "8", "dimensions": "8"},
}


def draw(number: int, colour: str, pattern: str, *, ground: int = 255) -> bytes:
    """A picture of an item, as WebP; another one for every number."""
    rng = np.random.default_rng(number)
    pixels = np.full((SIDE, SIDE, 3), ground, np.uint8)
    shade = np.array(COLOURS[colour]) + rng.integers(-30, 30, size=3)
    pixels[4:-4, 4:-4] = shade.clip(0, 255)
    if pattern == "striped":
        pixels[6:-4:6, 4:-4] = 250
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


def make_school(
    *,
    items: int = 36,
    slug: str = "school",
    colours: Sequence[str] = tuple(COLOURS),
    lifestyle: bool = False,
    category: bool = True,
    evaluation_every: int = 4,
) -> Catalogue:
    """A ready catalogue whose aspects can be seen: the category is the colour, "pattern" beside it.

    Each item has a picture of its own, with ``lifestyle`` a second one on grey ground; every
    ``evaluation_every``-th is evaluation-only.
    """
    catalogue = Catalogue.objects.create(
        slug=slug,
        title=slug.title(),
        format="folder",
        state=CatalogueState.READY,
        content_hash=hashlib.sha256(slug.encode()).hexdigest(),
        settled_items=items,
        created_at=NOW,
        imported_at=NOW,
    )
    colour_of = make_aspect(catalogue, "colour", colours, is_category=category)
    pattern_of = make_aspect(catalogue, "pattern", PATTERNS)
    for number in range(items):
        colour, pattern = colours[number % len(colours)], PATTERNS[number // len(colours) % 2]
        seen = store_image(draw(number, colour, pattern, ground=120)) if lifestyle else ""
        item = Item.objects.create(
            catalogue=catalogue,
            key=f"{number:03d}",
            position=number,
            image_sha256=store_image(draw(number, colour, pattern)),
            source_sha256=hashlib.sha256(f"{slug}/{number}".encode()).hexdigest(),
            perceptual_hash=number,
            width=SIDE,
            height=SIDE,
            category=colour_of[colour] if category else None,
            split=Split.EVALUATION if number % evaluation_every == 0 else Split.TRAINABLE,
            lifestyle_sha256=seen,
        )
        label(item, colour_of[colour], pattern_of[pattern])
    return catalogue


def make_aspect(
    catalogue: Catalogue, name: str, values: Sequence[str], *, is_category: bool = False
) -> dict[str, Attribute]:
    """An aspect and its values, by name."""
    aspect = Aspect.objects.create(
        catalogue=catalogue, name=name, position=catalogue.aspects.count(), is_category=is_category
    )
    return {value: Attribute.objects.create(aspect=aspect, value=value) for value in values}


def label(item: Item, *attributes: Attribute, **how: Any) -> None:
    for attribute in attributes:
        Label.objects.create(item=item, attribute=attribute, **how)


def quick(kind: str, **changed: object) -> dict[str, str]:
    """The settings of a training that takes a second."""
    return QUICK | SMALL[kind] | {name: str(value) for name, value in changed.items()}


def wish(catalogue: Catalogue, kind: str = "transfer", *, name: str = "pupil", **how: Any) -> Wish:
    """What is asked for; ``settings`` are changes to those of `quick`."""
    settings = quick(kind, **how.pop("settings", {}))
    return Wish(kind=kind, name=name, catalogue=catalogue, settings=settings, device="cpu", **how)


def train(asked: Wish, **how: Any) -> tuple[Training, Job]:
    """The training and its job, as they stand when the job has ended here and now."""
    training = request_training(asked, now=NOW)
    assert training.job is not None
    job = run_in_foreground(job=training.job, **({"report": lambda job: None} | how))
    training.refresh_from_db()
    return training, job
