"""Maps: asked for, found again where they were made already, and made anew where they are lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import cast

from django.db import transaction

from search import artifacts, events
from search.engine.errors import ArtifactDamaged
from search.engine.layouts import LayoutRefused, settle_parameters
from search.engine.layouts import Method as MethodName
from search.models import BuildState, EmbeddingSpace, Job, Layout, Method, Metric
from search.selectors.layouts import is_outdated
from search.services.jobs import JobContext, create_job

KIND = "map"
LARGEST_SEED = 2**31 - 1


@transaction.atomic
def request_layout(
    *,
    space: EmbeddingSpace,
    metric: Metric,
    method: Method,
    parameters: Mapping[str, float | None],
    seed: int,
    now: datetime,
) -> tuple[Layout, Job | None]:
    """A map, and the job that makes it; no job where it is there. Raises LayoutRefused.

    ``parameters`` that are None are the usual ones. The same asked for twice is one map.
    """
    if space.state != BuildState.READY:
        raise LayoutRefused(f"{space.title} is not embedded yet: make its map after that.")
    if space.catalogue_hash != space.catalogue.content_hash:
        raise LayoutRefused(f"{space.title} is of what the catalogue was before: build its contenders again.")
    if not 0 <= seed <= LARGEST_SEED:
        raise LayoutRefused(f"The seed is {seed}; from 0 to {LARGEST_SEED} is possible.", field="seed")
    settled = settle_parameters(cast(MethodName, method.value), parameters, count=space.items)
    named = [space.pk, space.sha256, metric.value, method.value, settled, seed]
    layout, _ = Layout.objects.get_or_create(
        fingerprint=hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest(),
        defaults={
            "space": space,
            "metric": metric,
            "method": method,
            "parameters": settled,
            "seed": seed,
            "vectors_sha256": space.sha256,
            "created_at": now,
        },
    )
    if layout.state == BuildState.READY:
        try:
            artifacts.check_layout(layout)
        except ArtifactDamaged:
            return layout, repair_layout(layout=layout, now=now)
        return layout, None
    return layout, _request_job(layout, now=now)


@transaction.atomic
def repair_layout(*, layout: Layout, now: datetime) -> Job | None:
    """The job that makes anew a map whose file is lost or damaged; None where it is outdated besides."""
    if is_outdated(layout):
        return None
    Layout.objects.filter(pk=layout.pk, sha256=layout.sha256).update(state=BuildState.BUILDING, sha256="")
    layout.refresh_from_db()
    events.bump("jobs")
    return _request_job(layout, now=now)


def run_mapping(context: JobContext) -> None:
    """Make the map ``arguments["layout"]``."""
    # It computes with libraries that web processes do without.
    from search.services import mapping_run

    mapping_run.run(context)


def _request_job(layout: Layout, *, now: datetime) -> Job:
    space = layout.space
    return create_job(
        kind=KIND,
        arguments={"layout": layout.pk},
        key=f"{KIND}:{layout.pk}",
        title=f"Map {space.title} by {layout.get_metric_display()}, {layout.get_method_display()}",
        catalogue=space.catalogue,
        now=now,
        again=True,
    )
