"""The server of vectors that `DOPEORNOPE_VECTORS` names: opening what is on it, and keeping that right.

An index is put on it before it is published, so whoever finds an index finds it there. What is missing all
the same, on a server that is new or was set up again, is noticed by the sweeper and put there by a job.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, cast

import numpy as np
import psycopg2
from django.conf import settings
from django.db.models import Q

from search import artifacts
from search.engine.closeness import Closeness, measure_closeness
from search.engine.errors import ArtifactDamaged
from search.engine.metrics import Metric as MetricName
from search.engine.metrics import column_centre
from search.models import BuildState, Index, Job, JobState
from search.pgvector.builds import find_build
from search.pgvector.connections import Server
from search.pgvector.errors import NotLoaded, ServerUnfit, VectorsAway
from search.pgvector.loading import Source, load_build
from search.pgvector.remote_index import RemoteIndex
from search.pgvector.tidying import keep_only
from search.selectors.searchable import Positions
from search.services.jobs import JobContext, JobFailed, create_job

KIND: Final = "vectors"
RESTS: Final = timedelta(minutes=10)  # what failed or was cancelled is not asked for again before
LOADING: Final = "on the server of vectors"
AWAY: Final = "The server of vectors does not answer; this goes on when it does."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenRemote:
    """An index on the server with the items that its rows are, and what is usual among its distances."""

    index: RemoteIndex
    items: Positions
    closeness: Closeness


def is_used() -> bool:
    """Whether searches ask a server of vectors."""
    return settings.VECTORS is not None


def open_remote(index: Index) -> OpenRemote:
    """A ready index as the server has it. Asks no database of Django's, where the row came with its space.

    Raises ArtifactDamaged, NotLoaded, VectorsAway.
    """
    server = _find_server()
    try:
        build = find_build(server.ask, index.sha256)
    except psycopg2.errors.UndefinedTable as error:
        raise NotLoaded("Nothing was put on the server of vectors yet.") from error
    if build is None:
        raise NotLoaded("This build is not on the server of vectors.")
    items, neighbours = artifacts.read_neighbours(index)
    if build.rows != len(items) or build.vectors_sha256 != index.space.sha256:
        raise ArtifactDamaged(f"The items of {index.space} are not those of its vectors: build it again.")
    return OpenRemote(RemoteIndex(server.ask, build), items, measure_closeness(neighbours))


def ask_server() -> None:
    """Raises VectorsAway where the server does not answer; what searches ask is not held up by it."""
    server = Server(_address())
    try:
        server.ask("SELECT 1")
    finally:
        server.close()


def put_on_server(context: JobContext, index: Index) -> None:
    """Have the server hold this built index, whole, where one is used.

    A server that is away is waited for, by putting the job off. Raises JobFailed, ArtifactDamaged.
    """
    if not is_used():
        return
    opened = artifacts.open_index(index).index
    rows = opened.vectors.rows
    centre = opened.centre
    if index.metric != "hamming" and not index.space.sign_structured and len(rows):
        centre = column_centre(rows)  # a flat index of a file needs none
    source = Source(
        index.sha256, opened.vectors.sha256, cast(MetricName, index.metric), rows, np.asarray(centre)
    )
    try:
        load_build(
            _address(),
            source,
            now=context.now(),
            report=lambda: context.progress(0, len(rows), LOADING),
        )
    except VectorsAway:
        context.put_off(AWAY)
    except ServerUnfit as unfit:
        raise JobFailed(str(unfit)) from unfit


def run_loading(context: JobContext) -> None:
    """Put the index ``arguments["index"]`` on the server, unless it was replaced meanwhile."""
    index = Index.objects.select_related("space__catalogue").get(pk=context.job.arguments["index"])
    if index.state == BuildState.READY:
        try:
            put_on_server(context, index)
        except ArtifactDamaged as error:
            raise JobFailed(f"{error} Then it is put there by itself.") from error
    context.progress(1, 1, LOADING)


def keep_loaded(now: datetime) -> int:
    """Ask for what is missing on the server, and drop what no ready index wants; how many of both."""
    if not is_used():
        return 0
    ready = Index.objects.filter(state=BuildState.READY, space__state=BuildState.READY).exclude(sha256="")
    wanted = {index.sha256: index for index in ready.select_related("space__catalogue")}
    try:
        there, dropped = keep_only(_address(), wanted, now=now)
    except VectorsAway:
        log.warning("the server of vectors does not answer the sweeper")
        return 0
    missing = [index for sha256, index in wanted.items() if sha256 not in there]
    return dropped + sum(_request_loading(index, now) for index in missing)


def _request_loading(index: Index, now: datetime) -> bool:
    """Whether a job was asked for: not while one waits, or just failed."""
    key = f"{KIND}:{index.pk}:{index.sha256[:16]}"
    same = Job.objects.filter(idempotency_key=key)
    just_ended = Q(state__in=[JobState.FAILED, JobState.CANCELLED], finished_at__gt=now - RESTS)
    if same.filter(Q(finished_at=None) | just_ended).exists():
        return False
    create_job(
        kind=KIND,
        arguments={"index": index.pk},
        key=key,
        title=f"Put {index.space.title} by {index.get_metric_display()} {LOADING}",
        catalogue=index.space.catalogue,
        now=now,
        again=True,
    )
    return True


def _find_server() -> Server:
    return _server(tuple(sorted(_address().items())))


def _address() -> Mapping[str, str]:
    assert settings.VECTORS is not None
    return settings.VECTORS


@lru_cache(1)
def _server(address: tuple[tuple[str, str], ...]) -> Server:
    """One for the process, which knows for all its threads that the server is away."""
    return Server(dict(address))
