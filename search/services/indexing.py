"""Indexing: the job that makes one space searchable under one metric and tells who waits for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

import numpy as np
from django.conf import settings

from search import artifacts, events
from search.engine.errors import ArtifactDamaged, VectorsRejected
from search.engine.files import sha256_of
from search.engine.indexes import build_index, load_index
from search.engine.metrics import Metric as MetricName
from search.engine.vectors import StoredVectors
from search.models import BuildState, Catalogue, EmbeddingSpace, Index, Item, Job, Metric
from search.services.jobs import JobContext, JobFailed, create_job
from search.services.vectors_server import put_on_server

# One control is enough: three metrics over random vectors are the same lottery thrice.
CONTROL_METRICS: Sequence[Metric] = (Metric.L2,)
# A mask stretches components, or drops some, and turns no sign: by Hamming the masks of an encoder are one
# contender, or nearly so.
MASKED_METRICS: Sequence[Metric] = (Metric.L1, Metric.L2)


def request_indexes(*, space: EmbeddingSpace, now: datetime) -> list[Job]:
    """Jobs for the indexes of a space that are not ready; none while the space itself is not.

    An index retired for a newer one is wanted again where its space is.
    """
    if space.state != BuildState.READY:
        return []
    metrics = _choose_metrics(space)
    wanted = [
        Index.objects.get_or_create(space=space, metric=metric, defaults={"created_at": now})[0]
        for metric in metrics
    ]
    retired = Index.objects.filter(space=space, state=BuildState.RETIRED, metric__in=metrics)
    retired.update(state=BuildState.BUILDING)
    return [_request_index(index, now) for index in wanted if index.state != BuildState.READY]


def _choose_metrics(space: EmbeddingSpace) -> Sequence[Metric]:
    if space.is_control:
        return CONTROL_METRICS
    return MASKED_METRICS if space.mask else list(Metric)


def _request_index(index: Index, now: datetime) -> Job:
    return create_job(
        kind="index",
        arguments={"index": index.pk},
        key=f"index:{index.pk}:{index.space.sha256[:16]}",
        title=f"Index {index.space.title} by {index.get_metric_display()}",
        catalogue=index.space.catalogue,
        now=now,
        again=True,
    )


def run_indexing(context: JobContext) -> None:
    """Build, or find, the index ``arguments["index"]``, publish it and announce it.

    The announcement is part of the job: a process that dies before its end leaves a job that announces again.
    """
    index = Index.objects.select_related("space__catalogue").get(pk=context.job.arguments["index"])
    if index.state == BuildState.BUILDING:
        require_current(index.space)
        _build(context, index)
        put_on_server(context, index)
        with context.publish():
            # Once more: an import may have ended meanwhile, and this must not retire what is newer.
            require_current(index.space)
            index.state, index.ready_at = BuildState.READY, context.now()
            index.save()
            _retire_predecessors(index)
            events.bump("catalogues")
    if index.state == BuildState.READY:
        events.announce_index_built(index)


def require_current(space: EmbeddingSpace) -> None:
    """Raises ``JobFailed`` where the catalogue is not any more the one that the space was asked for."""
    catalogue = Catalogue.objects.filter(pk=space.catalogue_id, content_hash=space.catalogue_hash)
    if not catalogue.exists():
        raise JobFailed("The catalogue has changed since this was asked for: build its contenders again.")


def _build(context: JobContext, index: Index) -> None:
    space = index.space
    try:
        vectors = artifacts.open_vectors(space)
        items = artifacts.read_items(space)
    except (ArtifactDamaged, FileNotFoundError) as error:
        raise JobFailed(f"The vectors of {space.title} are damaged: build the contenders again.") from error
    context.progress(0, len(items), "nearest neighbours")
    checksums = dict(Item.objects.filter(catalogue=space.catalogue).values_list("position", "image_sha256"))
    identity = np.array([checksums[position] for position in items.tolist()])
    path = artifacts.index_path(index)
    if not _stands(index, vectors):
        try:
            build_index(
                path,
                vectors,
                cast(MetricName, index.metric),
                identity=identity,
                sign_structured=space.sign_structured,
            )
        except VectorsRejected as error:
            raise JobFailed(str(error)) from error
    index.file = str(path.relative_to(settings.ARTIFACTS_FOLDER))
    index.sha256 = sha256_of(path)
    context.progress(len(items), len(items), "nearest neighbours")


def _stands(index: Index, vectors: StoredVectors) -> bool:
    """Whether what an attempt before this one wrote is whole, and the file that the row names, if any."""
    path = artifacts.index_path(index)
    try:
        load_index(path, vectors)
    except (FileNotFoundError, ArtifactDamaged):
        return False
    return index.sha256 in ("", sha256_of(path))


def _retire_predecessors(index: Index) -> None:
    """What the same encoder answered under this metric before, over older images or in an older version."""
    space = index.space
    older = Index.objects.filter(
        space__catalogue=space.catalogue,
        space__encoder=space.encoder,
        space__mask=space.mask,
        metric=index.metric,
    ).exclude(pk=index.pk)
    older.update(state=BuildState.RETIRED)
