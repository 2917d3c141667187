"""Ready embedding spaces of drawn vectors, with their files and indexes."""

import numpy as np

from search import artifacts
from search.models import BuildState, EmbeddingSpace, Index, Metric
from search.services.indexing import request_indexes
from search.services.jobs import run_in_foreground
from tests.factories import NOW


def make_space(catalogue, encoder, mask="", *, rows=0, vectors=None, version="1", family="", build=True):
    """A ready space with files, of these vectors or of drawn ones, (rows, 8), of the first ``rows`` items.

    Without ``build`` an index is only said to be ready: it takes a while, and not everybody searches.
    """
    vectors = _draw(encoder, mask, rows) if vectors is None else np.asarray(vectors, np.float32)
    count, dimensions = vectors.shape
    space = EmbeddingSpace.objects.create(
        catalogue=catalogue,
        encoder=encoder,
        encoder_version=version,
        mask=mask,
        title=encoder,
        family=family,
        catalogue_hash=catalogue.content_hash,
        dimensions=dimensions,
        items=count,
        created_at=NOW,
        ready_at=NOW,
    )
    with artifacts.begin_vectors(space, count=count, dimensions=dimensions) as store:
        store.write(np.arange(count), vectors)
        stored = store.finish()
    space.sha256 = stored.sha256
    artifacts.write_items(space, np.arange(count), of=stored)
    space.state = BuildState.READY
    space.save()
    if not build:
        Index.objects.create(
            space=space, metric=Metric.L2, state=BuildState.READY, created_at=NOW, ready_at=NOW
        )
        return space
    for job in request_indexes(space=space, now=NOW):
        run_in_foreground(job=job, report=lambda row: None)
    return space


def _draw(encoder, mask, rows):
    vectors = np.random.default_rng(len(encoder)).normal(size=(rows, 8)).astype(np.float32)
    if mask:
        vectors[:, :: 2 if mask == "colour" else 3] = 0
    return vectors
