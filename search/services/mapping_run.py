"""What the job does that makes a map: lay the items out, keep the file, and name it in its row."""

from __future__ import annotations

from typing import cast

from search import artifacts, events
from search.engine.errors import ArtifactDamaged, VectorsRejected
from search.engine.layouts import LayoutRefused, Made, make_layout
from search.engine.layouts import Method as MethodName
from search.engine.metrics import Metric as MetricName
from search.models import BuildState, EmbeddingSpace, Layout
from search.selectors.layouts import list_outdated
from search.services.jobs import JobContext, JobFailed

REPLACED = (
    "The vectors of {title} were replaced after this map was asked for: ask for a map of the present ones."
)


def run(context: JobContext) -> None:
    """See `mapping.run_mapping`. A map is there whole or not at all: its row names the file by checksum."""
    found = Layout.objects.select_related("space__catalogue")
    layout = found.filter(pk=context.job.arguments["layout"]).first()
    if layout is None:
        raise JobFailed("This map was deleted: ask for it again.")
    if layout.state == BuildState.READY:
        return  # a worker published it and died before it could say so
    _require_current(layout)
    try:
        items = artifacts.read_items(layout.space)
        made = _make(context, layout)
    except ArtifactDamaged as error:
        raise JobFailed(
            f"The vectors of {layout.space.title} are damaged: build the contenders again."
        ) from error
    except (LayoutRefused, VectorsRejected) as error:
        raise JobFailed(str(error)) from error
    sha256 = artifacts.write_layout(layout, items, made.places)
    with context.publish():
        _require_current(layout)
        layout.sha256, layout.items, layout.kept = sha256, len(items), made.kept
        layout.state, layout.ready_at = BuildState.READY, context.now()
        layout.save()
        replaced = list_outdated(layout)
        Layout.objects.filter(pk__in=[one.pk for one in replaced]).delete()
        events.bump("jobs")
    for one in replaced:
        artifacts.layout_path(one).unlink(missing_ok=True)


def _make(context: JobContext, layout: Layout) -> Made:
    space = layout.space
    return make_layout(
        artifacts.open_vectors(space).rows,
        cast(MetricName, layout.metric),
        cast(MethodName, layout.method),
        layout.parameters,
        seed=layout.seed,
        sign_structured=space.sign_structured,
        report=context.progress,
    )


def _require_current(layout: Layout) -> None:
    """Raises ``JobFailed`` where the space has other vectors by now, or is being built again."""
    space = EmbeddingSpace.objects.filter(
        pk=layout.space_id,
        sha256=layout.vectors_sha256,
        state=BuildState.READY,
        catalogue__content_hash=layout.space.catalogue_hash,
    )
    if not space.exists():
        raise JobFailed(REPLACED.format(title=layout.space.title))
