"""Embedding: the job that turns a catalogue's images into the vectors of one or more spaces."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple, cast

import numpy as np
from django.conf import settings
from PIL import Image as PillowImage

from search import artifacts, events
from search.engine.encoders import create_joint_encoder
from search.engine.encoders.base import Device, EncoderError, EncoderInfo, JointEncoder, Vectors
from search.engine.errors import ArtifactDamaged, ImageRejected
from search.engine.images import load_picture
from search.engine.vectors import StoredVectors, VectorStore
from search.models import BuildState, EmbeddingSpace, Item
from search.selectors.catalogues import image_path
from search.services import compositions
from search.services.indexing import request_indexes, require_current
from search.services.jobs import JobContext, JobFailed


class Picture(NamedTuple):
    """An item as embedding needs it."""

    position: int
    sha256: str


def run_embedding(context: JobContext) -> None:
    """Embed the spaces ``arguments["spaces"]``, layers of one network, and ask for their indexes.

    Goes on where an earlier attempt stopped; finished vectors, and those that the same encoder made of the
    same items before the catalogue changed, are found again, not computed.
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
        for row in Item.objects.present()
        # Not the rows of an import that goes on: they may still move, or go.
        .filter(catalogue=catalogue, position__lt=catalogue.settled_items)
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
    for space, vectors in finished.items():
        artifacts.write_items(space, items, of=vectors)
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
    encoder = open_encoder(spaces)
    infos = {info.name: info for info in encoder.infos}
    with ExitStack() as stack:
        stores = {
            space.encoder: stack.enter_context(_open_store(space, infos[space.encoder], len(pictures)))
            for space in spaces
        }
        for space in spaces:
            _take_over(space, stores[space.encoder], pictures)
        pending = sorted(set().union(*(store.pending().tolist() for store in stores.values())))
        done = len(pictures) - len(pending)
        context.progress(done, len(pictures), "images")
        for rows, by_encoder in encode_ahead(encoder, pictures, pending):
            for name, vectors in by_encoder.items():
                stores[name].write(rows, vectors)
            done += len(rows)
            context.progress(done, len(pictures), "images")
        return {space: stores[space.encoder].finish() for space in spaces}


def open_encoder(spaces: Sequence[EmbeddingSpace]) -> JointEncoder:
    """The one network of which these spaces are layers, as it was when they were asked for.

    Raises ``JobFailed`` and ``EncoderError``.
    """
    encoder = create_joint_encoder(
        [space.encoder for space in spaces],
        cast(Device, settings.DEVICE),
        weights_folder=settings.WEIGHTS_FOLDER,
        trained_folder=settings.TRAINED_FOLDER,
        cache_folder=settings.HOME / "exported",
    )
    versions = {space.encoder: space.encoder_version for space in spaces}
    for info in encoder.infos:
        if info.version != versions[info.name]:
            raise JobFailed(f"{info.title} has changed since this was asked for: build the contenders again.")
    return encoder


def _open_store(space: EmbeddingSpace, info: EncoderInfo, count: int) -> VectorStore:
    return artifacts.begin_vectors(space, count=count, dimensions=info.dimensions)


def _take_over(space: EmbeddingSpace, store: VectorStore, pictures: Sequence[Picture]) -> None:
    """What the same encoder made of the same items before: a settled item keeps its picture and position."""
    wanted = np.array([picture.position for picture in pictures], np.int64)
    before = EmbeddingSpace.objects.filter(
        catalogue=space.catalogue_id,
        encoder=space.encoder,
        encoder_version=space.encoder_version,
        mask=space.mask,
        dimensions=store.dimensions,
        state=BuildState.READY,
    ).exclude(pk=space.pk)
    for older in before.order_by("-pk")[:1]:
        try:
            items, vectors = compositions.read_vectors(older)
        except ArtifactDamaged:
            continue
        pending = store.pending()
        rows = np.searchsorted(items, wanted[pending]).clip(max=len(items) - 1)
        known = items[rows] == wanted[pending]
        store.write(pending[known], np.asarray(vectors[rows[known]]))


def encode_ahead(
    encoder: JointEncoder, pictures: Sequence[Picture], rows: Sequence[int]
) -> Iterator[tuple[list[int], Mapping[str, Vectors]]]:
    """Batches of rows with their vectors, in order.

    Each thread goes from file to vectors by itself, a batch at a time: threads that only decode, beside a
    network that uses every core, would take the cores from each other.
    """
    batches = [list(rows[at : at + encoder.batch_size]) for at in range(0, len(rows), encoder.batch_size)]
    if encoder.at_once == 1:
        for batch in batches:
            yield batch, _encode(encoder, [pictures[row] for row in batch])
        return
    waiting: deque[tuple[list[int], Future[Mapping[str, Vectors]]]] = deque()
    pool = ThreadPoolExecutor(encoder.at_once, thread_name_prefix="embed")
    try:
        for batch in batches:
            waiting.append((batch, pool.submit(_encode, encoder, [pictures[row] for row in batch])))
            # One more for each thread, so that none waits while what another found is stored.
            if len(waiting) > 2 * encoder.at_once:
                first, vectors = waiting.popleft()
                yield first, vectors.result()
        for first, vectors in waiting:
            yield first, vectors.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _encode(encoder: JointEncoder, pictures: Sequence[Picture]) -> Mapping[str, Vectors]:
    return encoder.encode(_load(picture) for picture in pictures)


def _load(picture: Picture) -> PillowImage.Image:
    try:
        return load_picture(image_path(picture.sha256))
    except FileNotFoundError as error:
        raise JobFailed(
            f"The image of the item at position {picture.position} is gone from {settings.IMAGES_FOLDER}: "
            "import the catalogue again."
        ) from error
    except ImageRejected as error:
        raise JobFailed(f"{error.message} Delete it before that.") from error
