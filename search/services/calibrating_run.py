"""What a calibration does: ask indexes twice for each of many pictures, and keep what that says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from search.selectors.encoders import list_known_encoders
from search.services.calibrating import needs_calibration
from search.services.calibration_queries import Queries, choose_queries
from search.services.jobs import JobContext, JobFailed, JobInterrupted, JobPutOff
from search.services.open_indexes import open_indexes
from search.services.training_samples import CatalogueItems, read_items

NEAREST = 32  # candidates among which the first other thing is looked for
CHOOSING = 10  # one query in so many chooses the score, if there are enough of them, and does not calibrate
ENOUGH_TO_CHOOSE = 400
CHANGED = "This has changed since it was asked for; what is there now is calibrated once it is built."

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """What an index said to n queries. ``first`` (n,) are places in the catalogue's items, -1 for none."""

    asked: Asked
    first: NDArray[np.int64]


def run(context: JobContext) -> None:
    """See `calibrating.run_calibration`. Finished query vectors are found again, not computed."""
    context.give_way()
    catalogue = Catalogue.objects.get(pk=context.job.arguments["catalogue"])
    waiting, spaces = _list_waiting(catalogue, context.job.arguments["network"])
    items, categories = read_items(catalogue), read_categories(catalogue)
    queries = choose_queries(items)
    if not waiting:
        context.progress(1, 1, "Nothing is left to calibrate.")
    elif not len(queries):
        context.progress(1, 1, "No item is evaluation-only: there is nothing to calibrate with.")
    elif not _is_unchanged(catalogue):
        context.progress(1, 1, CHANGED)
    else:
        vectors = embed_queries(context, spaces, queries)
        for index in waiting:
            context.progress(len(queries), len(queries), f"asking {index}"[:200])
            made = _calibrate(index, items, categories, queries, vectors[index.space])
            with context.publish():
                published = _publish(context, index, queries, made)
            if not published:
                context.progress(1, 1, CHANGED)


def _list_waiting(catalogue: Catalogue, network: str) -> tuple[Sequence[Index], Sequence[EmbeddingSpace]]:
    """The network's indexes that are to be calibrated, over what the catalogue is now; and its ready spaces.

    Of some spaces the indexes are built yet: pictures are looked at once for all.
    """
    version_of = {info.name: info.version for info in list_known_encoders() if info.network == network}
    ready = EmbeddingSpace.objects.filter(
        catalogue=catalogue, encoder__in=version_of or [network], state=BuildState.READY
    ).of_content(catalogue.content_hash)
    spaces = [
        space
        for space in ready
        if version_of.get(space.encoder, space.encoder_version) == space.encoder_version
    ]
    indexes = Index.objects.filter(space__in=spaces, state=BuildState.READY)
    waiting = [index for index in indexes.select_related("space__catalogue") if needs_calibration(index)]
    return waiting, spaces


def _calibrate(
    index: Index,
    items: CatalogueItems,
    categories: NDArray[np.str_],
    queries: Queries,
    vectors: Vectors,
) -> Calibration:
    try:
        present, absent = ask_index(index, items, queries, vectors, categories=categories)
    except ArtifactDamaged as error:
        raise JobFailed(
            f"The index of {index.space.title} is damaged: build the contenders again."
        ) from error
    return settle(present.asked, absent.asked)


def _is_unchanged(catalogue: Catalogue) -> bool:
    return Catalogue.objects.filter(pk=catalogue.pk, content_hash=catalogue.content_hash).exists()


def settle(present: Asked, absent: Asked) -> Calibration:
    """Limits of all queries but those that choose the score, which is the ratio where there are few."""
    if len(present.right) < ENOUGH_TO_CHOOSE:
        return calibrate(present, absent)
    chooses = np.arange(len(present.right)) % CHOOSING == 0
    chosen = choose_score(present.of(chooses), absent.of(chooses))
    return calibrate(present.of(~chooses), absent.of(~chooses), chosen=chosen)


def embed_queries(
    context: JobContext, spaces: Sequence[EmbeddingSpace], queries: Queries
) -> dict[EmbeddingSpace, Vectors]:
    """By space of one network, the vectors (n, d) of the pictures that are asked with, in one pass for all.

    Gives way to what waits; what was embedded until then is kept.
    """
    asked = queries.describe()
    kept = {space: artifacts.read_asked(space, queries.places, asked=asked) for space in spaces}
    missing = [space for space in spaces if len(kept[space]) < len(queries)]
    start = min((len(kept[space]) for space in missing), default=len(queries))
    made = {space: [kept[space][:start]] if start else [] for space in missing}

    def report(done: int, count: int) -> None:
        context.progress(done, count, "pictures")
        context.give_way()

    def keep() -> None:
        for space in missing:
            if made[space]:
                kept[space] = np.concatenate(made[space])
                rows = queries.places[: len(kept[space])]
                artifacts.write_asked(space, rows, kept[space], asked=asked)

    try:
        for batch in encode_pictures(missing, queries, start=start, report=report):
            for space in missing:
                made[space].append(batch[space.encoder])
    except (JobInterrupted, JobPutOff):
        keep()
        raise
    keep()
    return kept


def encode_pictures(
    spaces: Sequence[EmbeddingSpace],
    queries: Queries,
    *,
    start: int = 0,
    report: Callable[[int, int], None],
) -> Iterator[Mapping[str, Vectors]]:
    """Vectors of the pictures that are asked with, from ``start`` on, batch by batch: (batch, d) by encoder.

    The encoders of the spaces are of one network. ``report`` is told how many are done, of how many. Raises
    ``JobFailed``.
    """
    if not spaces:
        return
    try:
        yield from _encode(spaces, queries, start, report)
    except EncoderError as error:
        raise JobFailed(str(error)) from error


def ask_index(
    index: Index,
    items: CatalogueItems,
    queries: Queries,
    vectors: Vectors,
    *,
    categories: NDArray[np.str_],
) -> tuple[Answers, Answers]:
    """What the index answers with the products there, and with each query's product taken away.

    ``categories`` as `read_categories` has them, read together with the items.
    Asks what answers searches. Raises ArtifactDamaged, NotLoaded, VectorsAway.
    """
    opened = open_indexes.open(index)
    place_of = {position: place for place, position in enumerate(items.positions)}
    places = np.array([place_of[position] for position in opened.items.tolist()], np.int64)
    things, products = items.copies[places], queries.products[places]  # of the index's rows
    named = categories[places]
    asked_products = queries.products[queries.places]
    rows_of = _group_rows(products)
    own = [rows_of.get(product, []) for product in asked_products.tolist()]
    gone = np.flatnonzero(items.removed[places]).tolist()  # found by nobody
    itself: list[list[int]] = [[] for _ in own]
    if queries.asking == Asking.OTHERS:  # it is itself in the index, and so may be its copies
        itself = [
            [row for row in rows if things[row] == items.copies[place]]
            for rows, place in zip(own, queries.places.tolist(), strict=True)
        ]
    answers = []
    for removed in (itself, own):
        left_out = [[*rows, *gone] for rows in removed]
        found = opened.index.search(vectors, min(NEAREST, len(places)), exclude=left_out)
        shown = np.where(found.positions < 0, -1, things[found.positions])
        first = found.positions[:, 0]
        asked = Asked(
            first_two(found.distances, shown),
            np.where(first < 0, "", named[first]),
            (first >= 0) & (products[first] == asked_products),
        )
        answers.append(Answers(asked, np.where(first < 0, -1, places[first])))
    return answers[0], answers[1]


def read_categories(catalogue: Catalogue) -> NDArray[np.str_]:
    """Of each of the catalogue's items; blank where it has none."""
    items = Item.objects.filter(catalogue=catalogue).order_by("position")
    return np.array([name or "" for name in items.values_list("category__value", flat=True)], np.str_)


def _publish(context: JobContext, index: Index, queries: Queries, made: Calibration) -> bool:
    """Keep a calibration, unless the index or the items have become others meanwhile; whether it was kept."""
    ready = Index.objects.filter(pk=index.pk, state=BuildState.READY, sha256=index.sha256)
    now = ready.select_related("space__catalogue").first()
    if now is None or now.space.composition != index.space.composition or not _is_current(now.space):
        return False
    CalibrationRow.objects.update_or_create(
        index=index,
        defaults={
            "index_sha256": index.sha256,
            "vectors_sha256": index.space.composition,
            "asking": queries.asking,
            "limits": made.as_json(),
            "alpha": made.alpha,
            "queries": made.queries,
            "created_at": context.now(),
        },
    )
    events.bump("catalogues")
    return True


def _is_current(space: EmbeddingSpace) -> bool:
    return (space.covers or space.catalogue_hash) == space.catalogue.content_hash


def _encode(
    spaces: Sequence[EmbeddingSpace], queries: Queries, start: int, report: Callable[[int, int], None]
) -> Iterator[Mapping[str, Vectors]]:
    encoder = create_joint_encoder(
        [space.encoder for space in spaces],
        cast(Device, settings.DEVICE),
        weights_folder=settings.WEIGHTS_FOLDER,
        trained_folder=settings.TRAINED_FOLDER,
        cache_folder=settings.HOME / "exported",
    )
    infos = {info.name: info for info in encoder.infos}
    for space in spaces:
        if infos[space.encoder].version != space.encoder_version:
            raise JobFailed(f"{space.title} has changed since it embedded: build the contenders again.")
    for first in range(start, len(queries), encoder.batch_size):
        report(first, len(queries))
        batch = range(first, min(first + encoder.batch_size, len(queries)))
        yield encoder.encode(_load(queries, place) for place in batch)


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
