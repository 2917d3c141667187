"""Plain functions that make the rows most tests start from: quickly, and the same for the same arguments."""

import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from django.conf import settings
from PIL import Image

from evaluation.models import Contender
from evaluation.services.contenders import take_place
from evaluation.services.crediting import credit_pairs
from evaluation.services.extras import make_extras
from search.models import (
    Aspect,
    Attribute,
    BuildState,
    Catalogue,
    CatalogueState,
    EmbeddingSpace,
    Index,
    Item,
    Metric,
    Split,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CATEGORIES = ("shirt", "boot", "bag", "skirt", "jeans", "scarf", "coat", "dress", "sandal", "hat")
ENCODERS = (
    "thimble-transfer",
    "thimble-siamese",
    "colour-histogram",
    "gradient-histogram",
    "vgg16-fc6",
    "vgg16-fc7",
)
DISTINCT_IMAGES = 60


def make_image(number: int, *, side: int = 24) -> bytes:
    """A small real WebP; `DISTINCT_IMAGES` different ones, by number."""
    rng = np.random.default_rng(number % DISTINCT_IMAGES)
    pixels = np.full((side, side, 3), 255, dtype=np.uint8)
    pixels[4:-4, 6:-6] = rng.integers(0, 256, size=3)
    pixels[8:12, 2:-2] = rng.integers(0, 256, size=3)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


def store_image(data: bytes) -> str:
    """Put image bytes where the product keeps them; returns their sha256."""
    sha256 = hashlib.sha256(data).hexdigest()
    path = Path(settings.IMAGES_FOLDER) / sha256[:2] / f"{sha256}.webp"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return sha256


def make_catalogue(
    *,
    items: int = 24,
    categories: int | Sequence[str] = 3,
    slug: str = "demo",
    title: str = "",
    evaluation_every: int = 2,
    with_images: bool = True,
    now: datetime = NOW,
) -> Catalogue:
    """A ready catalogue: items in turn of each category (aspect "kind"), with images below IMAGES_FOLDER.

    Every `evaluation_every`-th item (positions 0, 2, 4, … by default) is an evaluation-only query. Without
    categories (0) `Item.category` stays empty.
    """
    names = CATEGORIES[:categories] if isinstance(categories, int) else tuple(categories)
    catalogue = Catalogue.objects.create(
        slug=slug,
        title=title or slug.title(),
        format="folder",
        state=CatalogueState.READY,
        content_hash=hashlib.sha256(slug.encode()).hexdigest(),
        settled_items=items,
        created_at=now,
        imported_at=now,
    )
    attributes: list[Attribute] = []
    if names:
        aspect = Aspect.objects.create(catalogue=catalogue, name="kind", position=0, is_category=True)
        attributes = Attribute.objects.bulk_create(Attribute(aspect=aspect, value=name) for name in names)
    hashes = [
        store_image(make_image(number)) if with_images else hashlib.sha256(b"%d" % number).hexdigest()
        for number in range(min(items, DISTINCT_IMAGES))
    ]
    Item.objects.bulk_create(
        Item(
            catalogue=catalogue,
            key=f"{slug}-{number:05d}",
            position=number,
            image_sha256=hashes[number % len(hashes)],
            source_sha256=hashlib.sha256(f"{slug}/{number}".encode()).hexdigest(),
            perceptual_hash=number,
            width=24,
            height=24,
            category=attributes[number % len(attributes)] if attributes else None,
            split=Split.EVALUATION if number % evaluation_every == 0 else Split.TRAINABLE,
        )
        for number in range(items)
    )
    return catalogue


def make_index(
    catalogue: Catalogue,
    *,
    encoder: str = "thimble-transfer",
    metric: str = Metric.L2,
    title: str = "",
    family: str = "",
    control: bool = False,
    now: datetime = NOW,
) -> Index:
    """Rows of a finished space and index, without files."""
    space, _ = EmbeddingSpace.objects.get_or_create(
        catalogue=catalogue,
        encoder=encoder,
        encoder_version="1",
        mask="",
        catalogue_hash=catalogue.content_hash,
        defaults={
            "title": title,
            "family": family,
            "dimensions": 64,
            "items": catalogue.items.count(),
            "is_control": control,
            "state": BuildState.READY,
            "created_at": now,
            "ready_at": now,
        },
    )
    return Index.objects.create(
        space=space, metric=metric, state=BuildState.READY, created_at=now, ready_at=now
    )


def make_contenders(
    catalogue: Catalogue,
    *,
    count: int = 3,
    with_control: bool = True,
    choices: int = 3,
    seed: int = 0,
    now: datetime = NOW,
) -> list[Contender]:
    """`count` contenders (and the random control, last), pairs and credits for every evaluation-only item.

    Each question has `choices` possible candidates, so contenders partly agree; the control answers anything.
    """
    metrics = list(Metric)
    names = [(ENCODERS[(n // 3) % len(ENCODERS)], metrics[n % 3], False) for n in range(count)]
    if with_control:
        names.append(("random-control", Metric.L2, True))
    items = list(catalogue.items.order_by("position"))
    contenders = []
    for turn, (encoder, metric, control) in enumerate(names):
        contenders.append(make_contender(catalogue, encoder=encoder, metric=metric, control=control, now=now))
        found = {}
        for item in items:
            if item.split != Split.EVALUATION:
                continue
            rng = np.random.default_rng([seed, turn, item.position])
            reach = len(items) - 1 if control else min(choices, len(items) - 1)
            found[item] = items[(item.position + 1 + int(rng.integers(reach))) % len(items)]
        make_pairs(contenders[-1], found)
    return contenders


def make_contender(
    catalogue: Catalogue,
    *,
    encoder: str = "thimble-transfer",
    metric: str = Metric.L2,
    control: bool = False,
    now: datetime = NOW,
) -> Contender:
    """A contender that has not entered; its title is unmistakable, so that a leak can be searched for."""
    return Contender.objects.create(
        catalogue=catalogue,
        index=make_index(catalogue, encoder=encoder, metric=metric, control=control, now=now),
        title=f"{encoder} x {Metric(metric).label}",
        family="control" if control else encoder.split("-")[0],
        encoder=encoder,
        encoder_version="1",
        metric=metric,
        is_control=control,
        created_at=now,
    )


def make_pairs(contender: Contender, found: dict[Item, Item]) -> None:
    """Pairs question -> candidate, credited to the contender, which takes its place, as a build does it."""
    nearest = {question.position: candidate.position for question, candidate in found.items()}
    credit_pairs(contender=contender, nearest=nearest)
    take_place(contender=contender, now=contender.created_at)


def give_extras(contender: Contender, *, seed: int = 0) -> None:
    """Lessons and catch pairs, as a build makes them; the contender found the items that follow each."""
    items = contender.catalogue.items.count()
    found = {item: [(item + step) % items for step in range(1, 11)] for item in range(items)}
    make_extras(contender, found, rng=np.random.default_rng(seed))
