"""What a calibration does: ask an index twice for each of many pictures, and keep what that says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image as PillowImage

from search import artifacts, events
from search.engine.encoders import create_joint_encoder
from search.engine.encoders.base import Device, EncoderError
from search.engine.errors import ArtifactDamaged, ImageRejected
from search.engine.images import load_picture
from search.engine.no_match import Asked, Calibration, calibrate, choose_score, first_two
from search.engine.training.changed_pictures import change_picture
from search.models import Asking, BuildState, Catalogue, EmbeddingSpace, Index, Item
from search.models import Calibration as CalibrationRow
from search.selectors.catalogues import image_path
from search.services.calibration_queries import Queries, choose_queries
from search.services.jobs import JobContext, JobFailed
from search.services.training_samples import CatalogueItems, read_items

NEAREST = 32  # candidates among which the first other thing is looked for
CHOOSING = 10  # one query in so many chooses the score, if there are enough of them, and does not calibrate
ENOUGH_TO_CHOOSE = 400

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """What an index said to n queries. ``first`` (n,) are places in the catalogue's items, -1 for none."""

    asked: Asked
    first: NDArray[np.int64]


def run(context: JobContext) -> None:
    """See `calibrating.run_calibration`. Finished query vectors are found again, not computed."""
    index = Index.objects.select_related("space__catalogue").get(pk=context.job.arguments["index"])
    if index.state != BuildState.READY:
        return
    items = read_items(index.space.catalogue)
    queries = choose_queries(items)
    if not len(queries):
        context.progress(1, 1, "No item is evaluation-only: there is nothing to calibrate with.")
        return
    vectors = embed_queries(context, index.space, queries)
    context.progress(len(queries), len(queries), "asking the index")
    try:
        present, absent = ask_index(index, items, queries, vectors)
    except ArtifactDamaged as error:
        raise JobFailed(
            f"The index of {index.space.title} is damaged: build the contenders again."
        ) from error
    made = settle(present.asked, absent.asked)
    with context.publish():
        _publish(context, index, queries, made)


def settle(present: Asked, absent: Asked) -> Calibration:
    """Limits of all queries but those that choose the score, which is the ratio where there are few."""
    if len(present.right) < ENOUGH_TO_CHOOSE:
        return calibrate(present, absent)
    chooses = np.arange(len(present.right)) % CHOOSING == 0
    chosen = choose_score(present.of(chooses), absent.of(chooses))
    return calibrate(present.of(~chooses), absent.of(~chooses), chosen=chosen)


def embed_queries(context: JobContext, space: EmbeddingSpace, queries: Queries) -> Vectors:
    """The vectors (n, d) of the pictures that are asked with."""
    kept = artifacts.read_asked(space, queries.places, asked=queries.describe())
    if kept is not None:
        return kept
    vectors = encode_pictures(
        space, queries, report=lambda done, count: context.progress(done, count, "pictures")
    )
    artifacts.write_asked(space, queries.places, vectors, asked=queries.describe())
    return vectors


def encode_pictures(
    space: EmbeddingSpace, queries: Queries, *, report: Callable[[int, int], None]
) -> Vectors:
    """The vectors (n, d) of the pictures that are asked with, by the encoder of the space.

    ``report`` is told how many are done, of how many. Raises ``JobFailed``.
    """
    try:
        return np.concatenate(list(_encode(space, queries, report)))
    except EncoderError as error:
        raise JobFailed(str(error)) from error


def ask_index(
    index: Index, items: CatalogueItems, queries: Queries, vectors: Vectors
) -> tuple[Answers, Answers]:
    """What the index answers with the products there, and with each query's product taken away.

    Raises ArtifactDamaged.
    """
    opened = artifacts.open_index(index)
    place_of = {position: place for place, position in enumerate(items.positions)}
    places = np.array([place_of[position] for position in opened.items.tolist()], np.int64)
    things, products = items.copies[places], queries.products[places]  # of the index's rows
    categories = read_categories(index.space.catalogue)[places]
    asked_products = queries.products[queries.places]
    rows_of = _group_rows(products)
    own = [rows_of.get(product, []) for product in asked_products.tolist()]
    itself: list[list[int]] = [[] for _ in own]
    if queries.asking == Asking.OTHERS:  # it is itself in the index, and so may be its copies
        pictures = np.array([items.images[place] for place in places.tolist()])
        itself = [
            [row for row in rows if pictures[row] == image]
            for rows, image in zip(own, queries.images, strict=True)
        ]
    answers = []
    for removed in (itself, own):
        found = opened.index.search(vectors, min(NEAREST, len(places)), exclude=removed)
        shown = np.where(found.positions < 0, -1, things[found.positions])
        first = found.positions[:, 0]
        asked = Asked(
            first_two(found.distances, shown),
            np.where(first < 0, "", categories[first]),
            (first >= 0) & (products[first] == asked_products),
        )
        answers.append(Answers(asked, np.where(first < 0, -1, places[first])))
    return answers[0], answers[1]


def read_categories(catalogue: Catalogue) -> NDArray[np.str_]:
    """Of each of the catalogue's items; blank where it has none."""
    items = Item.objects.filter(catalogue=catalogue).order_by("position")
    return np.array([name or "" for name in items.values_list("category__value", flat=True)], np.str_)


def _publish(context: JobContext, index: Index, queries: Queries, made: Calibration) -> None:
    """Keep a calibration, unless the index has become another one meanwhile."""
    now = Index.objects.select_related("space").get(pk=index.pk)
    checksums = (index.sha256, index.space.sha256)
    if now.state != BuildState.READY or (now.sha256, now.space.sha256) != checksums:
        raise JobFailed(
            "The index has changed since this was asked for; the new one is calibrated by itself."
        )
    CalibrationRow.objects.update_or_create(
        index=index,
        defaults={
            "index_sha256": index.sha256,
            "vectors_sha256": index.space.sha256,
            "asking": queries.asking,
            "limits": made.as_json(),
            "alpha": made.alpha,
            "queries": made.queries,
            "created_at": context.now(),
        },
    )
    events.bump("catalogues")


def _encode(space: EmbeddingSpace, queries: Queries, report: Callable[[int, int], None]) -> Iterator[Vectors]:
    encoder = create_joint_encoder(
        [space.encoder],
        cast(Device, settings.DEVICE),
        weights_folder=settings.WEIGHTS_FOLDER,
        trained_folder=settings.TRAINED_FOLDER,
        cache_folder=settings.HOME / "exported",
    )
    info = encoder.infos[0]
    if info.version != space.encoder_version:
        raise JobFailed(f"{info.title} has changed since it embedded: build the contenders again.")
    for start in range(0, len(queries), encoder.batch_size):
        report(start, len(queries))
        batch = range(start, min(start + encoder.batch_size, len(queries)))
        yield encoder.encode(_load(queries, place) for place in batch)[space.encoder]


def _load(queries: Queries, place: int) -> PillowImage.Image:
    try:
        picture = load_picture(image_path(queries.images[place]))
    except (FileNotFoundError, ImageRejected) as error:
        raise JobFailed(
            f"A picture is gone from {settings.IMAGES_FOLDER}, or damaged: import the catalogue again."
        ) from error
    if queries.asking == Asking.CHANGED:
        return change_picture(picture, seed=int(queries.places[place]))
    return picture


def _group_rows(products: NDArray[np.int64]) -> dict[int, list[int]]:
    """The rows of each product."""
    rows: dict[int, list[int]] = {}
    for row, product in enumerate(products.tolist()):
        rows.setdefault(product, []).append(row)
    return rows
