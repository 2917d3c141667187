"""Embedding: the job that turns a catalogue's images into the vectors of one or more spaces."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple, cast

import numpy as np
from django.conf import settings

from search import artifacts, events
from search.engine.encoders import create_joint_encoder
from search.engine.encoders.base import Device, EncoderError, EncoderInfo, Image
from search.engine.errors import ImageRejected
from search.engine.images import load_rgb
from search.engine.vectors import StoredVectors, VectorStore
from search.models import BuildState, EmbeddingSpace, Item
from search.selectors.catalogues import image_path
from search.services.indexing import request_indexes, require_current
from search.services.jobs import JobContext, JobFailed

DECODERS = 2


class Picture(NamedTuple):
    """An item as embedding needs it."""

    position: int
    sha256: str


def run_embedding(context: JobContext) -> None:
    """Embed the spaces ``arguments["spaces"]``, layers of one network, and ask for their indexes.

    Goes on where an earlier attempt stopped; finished vectors are found again, not computed.
    """
    wanted = EmbeddingSpace.objects.filter(pk__in=context.job.arguments["spaces"]).select_related("catalogue")
    spaces = [space for space in wanted if space.state != BuildState.READY]
    if not spaces:
        return
    catalogue = spaces[0].catalogue
    for space in spaces:
        require_current(space)
    pictures = [
        Picture(*row)
        for row in Item.objects.filter(catalogue=catalogue)
        .values_list("position", "image_sha256")
        .order_by("position")
    ]
    if not pictures:
        raise JobFailed("The catalogue has no items: import some first.")
    try:
        finished = _find_or_embed(context, spaces, pictures)
    except EncoderError as error:
        raise JobFailed(str(error)) from error
    items = np.array([picture.position for picture in pictures], dtype=np.int64)
    for space in spaces:
        artifacts.write_items(space, items)
    publish_vectors(context, finished)


def publish_vectors(context: JobContext, finished: dict[EmbeddingSpace, StoredVectors]) -> None:
    """Mark spaces as ready and ask for their indexes, all in one transaction."""
    with context.publish():
        for space, vectors in finished.items():
            if space.sha256 != vectors.sha256:
                # An index belongs to the very bytes that it was built over.
                space.indexes.filter(state=BuildState.READY).update(state=BuildState.BUILDING)
            space.items, space.dimensions = vectors.rows.shape
            space.sha256 = vectors.sha256
            space.file = str(vectors.path.relative_to(settings.ARTIFACTS_FOLDER))
            space.state, space.ready_at = BuildState.READY, context.now()
            space.save()
            request_indexes(space=space, now=context.now())
        events.bump("catalogues")


def _find_or_embed(
    context: JobContext, spaces: Sequence[EmbeddingSpace], pictures: Sequence[Picture]
) -> dict[EmbeddingSpace, StoredVectors]:
    finished: dict[EmbeddingSpace, StoredVectors] = {}
    for space in spaces:
        vectors = artifacts.find_vectors(space, count=len(pictures))
        if vectors is not None:
            finished[space] = vectors
    missing = [space for space in spaces if space not in finished]
    return finished | _embed(context, missing, pictures) if missing else finished


def _embed(
    context: JobContext, spaces: Sequence[EmbeddingSpace], pictures: Sequence[Picture]
) -> dict[EmbeddingSpace, StoredVectors]:
    encoder = create_joint_encoder(
        [space.encoder for space in spaces],
        cast(Device, settings.DEVICE),
        weights_folder=settings.WEIGHTS_FOLDER,
        cache_folder=settings.HOME / "exported",
    )
    infos = {info.name: info for info in encoder.infos}
    with ExitStack() as stack:
        stores = {
            space.encoder: stack.enter_context(_open_store(space, infos[space.encoder], len(pictures)))
            for space in spaces
        }
        pending = sorted(set().union(*(store.pending().tolist() for store in stores.values())))
        done = len(pictures) - len(pending)
        context.progress(done, len(pictures), "images")
        for rows, images in _decode_ahead(pictures, pending, encoder.batch_size):
            for name, vectors in encoder.encode(images).items():
                stores[name].write(rows, vectors)
            done += len(rows)
            context.progress(done, len(pictures), "images")
        return {space: stores[space.encoder].finish() for space in spaces}


def _open_store(space: EmbeddingSpace, info: EncoderInfo, count: int) -> VectorStore:
    if info.version != space.encoder_version:
        raise JobFailed(f"{info.title} has changed since this was asked for: build the contenders again.")
    return artifacts.begin_vectors(space, count=count, dimensions=info.dimensions)


def _decode_ahead(
    pictures: Sequence[Picture], rows: Sequence[int], size: int
) -> Iterator[tuple[list[int], list[Image]]]:
    """Batches of rows with their decoded images; the next batch is decoded while one is encoded."""
    batches = [list(rows[start : start + size]) for start in range(0, len(rows), size)]
    with ThreadPoolExecutor(DECODERS, thread_name_prefix="decode") as pool:
        upcoming = [pool.submit(_load, pictures[row]) for row in batches[0]] if batches else []
        for number, batch in enumerate(batches):
            current = upcoming
            following = batches[number + 1] if number + 1 < len(batches) else []
            upcoming = [pool.submit(_load, pictures[row]) for row in following]
            yield batch, [future.result() for future in current]


def _load(picture: Picture) -> Image:
    try:
        return load_rgb(image_path(picture.sha256))
    except FileNotFoundError as error:
        raise JobFailed(
            f"The image of the item at position {picture.position} is gone from {settings.IMAGES_FOLDER}: "
            "import the catalogue again."
        ) from error
    except ImageRejected as error:
        raise JobFailed(f"{error.message} Delete it before that.") from error
