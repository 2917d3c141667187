"""A catalogue that can be searched with photos, and photos to search with."""

import io

import numpy as np
from PIL import Image

from search import artifacts
from search.engine.encoders import create_encoder
from search.engine.files import sha256_of
from search.engine.images import load_picture
from search.engine.indexes import build_index
from search.models import Aspect, Attribute, BuildState, Catalogue, EmbeddingSpace, Index, Item, Label, Metric
from search.selectors.catalogues import image_path
from tests.factories import NOW, make_catalogue
from tests.search.spaces import make_space

COLOURS = ("red", "green", "blue")


def make_searchable(*, items: int = 40, slug: str = "demo", categories: int = 3) -> Catalogue:
    """Items in turn of three kinds and three colours, with a space that takes photos."""
    catalogue = make_catalogue(items=items, slug=slug, categories=categories)
    if categories:
        give_colours(catalogue)
    add_colour_space(catalogue)
    return catalogue


def give_colours(catalogue: Catalogue) -> None:
    aspect = Aspect.objects.create(catalogue=catalogue, name="colour", position=1)
    values = [Attribute.objects.create(aspect=aspect, value=name) for name in COLOURS]
    rows = catalogue.items.order_by("position")
    Label.objects.bulk_create(
        Label(item=item, attribute=values[item.position // 3 % len(values)]) for item in rows
    )


def add_colour_space(catalogue: Catalogue) -> EmbeddingSpace:
    """What the colour histogram, which web processes can run, makes of the items' pictures.

    Its two indexes are announced to nobody, so that no contenders come of them.
    """
    rows = list(catalogue.items.order_by("position"))
    looks = [item.image_sha256 for item in rows]
    pictures = [np.asarray(load_picture(image_path(look)).convert("RGB")) for look in looks]
    vectors = create_encoder("colour-histogram").encode(pictures)
    space = make_space(catalogue, "colour-histogram", vectors=vectors, family="histograms", build=False)
    Index.objects.create(space=space, metric=Metric.L1, state=BuildState.READY, created_at=NOW, ready_at=NOW)
    for index in space.indexes.all():
        path = artifacts.index_path(index)
        build_index(path, artifacts.open_vectors(space), index.metric, identity=looks, sign_structured=False)
        index.sha256 = sha256_of(path)
        index.save()
    return space


def photo_of(item: Item, *, kind: str = "JPEG") -> bytes:
    """A photo of an item: its picture, larger, as a camera would store it."""
    with Image.open(image_path(item.image_sha256)) as picture:
        buffer = io.BytesIO()
        picture.convert("RGB").resize((240, 240), Image.Resampling.NEAREST).save(buffer, kind, quality=92)
    return buffer.getvalue()


def photo_of_noise(seed: int = 0) -> bytes:
    """A photo in which nothing stands out."""
    pixels = np.random.default_rng(seed).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()
