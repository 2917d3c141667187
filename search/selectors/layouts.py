"""What pages show of maps: which there are, whether they are of the present vectors, and their colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from search.engine.layouts import PARAMETERS
from search.models import BuildState, Catalogue, EmbeddingSpace, Index, Job, Layout, Metric
from search.selectors.operations import JobRow, make_job_row

NEWEST = 100


@dataclass(frozen=True)
class LayoutRow:
    """A map in the list. ``job`` is the one that makes it; None once it was cleared away."""

    pk: int
    title: str  # "Siamese “thimble-siamese” by L2, t-SNE"
    catalogue: str
    parameters: str  # in words, the seed included
    items: int
    kept: float | None
    by_chance: float  # what `kept` would be of items strewn about
    created: datetime
    ready: datetime | None
    is_ready: bool
    is_outdated: bool
    job: JobRow | None


def is_outdated(layout: Layout) -> bool:
    """Whether the space has other vectors by now, is being built again, or is of other items."""
    space = layout.space
    return (
        space.state != BuildState.READY
        or space.sha256 != layout.vectors_sha256
        or space.catalogue_hash != space.catalogue.content_hash
    )


def find_layout(pk: int) -> Layout | None:
    return Layout.objects.select_related("space__catalogue").filter(pk=pk).first()


def list_outdated(layout: Layout) -> list[Layout]:
    """The maps that this one stands in for: of the same encoder, metric and method, of older vectors."""
    space = layout.space
    others = Layout.objects.select_related("space__catalogue").filter(
        space__catalogue=space.catalogue,
        space__encoder=space.encoder,
        space__mask=space.mask,
        metric=layout.metric,
        method=layout.method,
    )
    return [one for one in others.exclude(pk=layout.pk) if is_outdated(one)]


def list_layout_rows(*, now: datetime, catalogue: Catalogue | None = None) -> list[LayoutRow]:
    """The newest maps, of one catalogue or of all, newest first."""
    layouts = Layout.objects.select_related("space__catalogue")
    if catalogue is not None:
        layouts = layouts.filter(space__catalogue=catalogue)
    return _describe(layouts[:NEWEST], now=now)


def list_maps_of(*, encoder: str, metric: str = "") -> list[LayoutRow]:
    """The ready maps of an encoder, all its masks and catalogues, that are not outdated."""
    layouts = Layout.objects.select_related("space__catalogue").filter(state=BuildState.READY)
    layouts = layouts.filter(space__encoder=encoder) | layouts.filter(
        space__encoder__startswith=f"{encoder}."
    )
    if metric:
        layouts = layouts.filter(metric=metric)
    return [row for row in _describe(layouts[:NEWEST], now=None) if not row.is_outdated]


def describe_layout(layout: Layout, *, now: datetime) -> LayoutRow:
    return _describe([layout], now=now)[0]


def list_spaces() -> list[tuple[EmbeddingSpace, Sequence[Metric]]]:
    """What a map can be made of: spaces of the present catalogues, with the metrics they are searched by."""
    ready = Index.objects.filter(state=BuildState.READY, space__state=BuildState.READY)
    found: dict[int, tuple[EmbeddingSpace, list[Metric]]] = {}
    for index in ready.select_related("space__catalogue").order_by("space__catalogue", "space", "metric"):
        space = index.space
        if space.catalogue_hash == space.catalogue.content_hash:
            found.setdefault(space.pk, (space, []))[1].append(Metric(index.metric))
    return list(found.values())


def _describe(layouts: Iterable[Layout], *, now: datetime | None) -> list[LayoutRow]:
    layouts = list(layouts)
    keys = {f"map:{layout.pk}": layout.pk for layout in layouts}
    jobs = Job.objects.filter(idempotency_key__in=keys).select_related("after", "catalogue") if now else ()
    job_of = {keys[job.idempotency_key]: make_job_row(job, now=now) for job in jobs if now is not None}
    return [
        LayoutRow(
            pk=layout.pk,
            title=name_layout(layout),
            catalogue=layout.space.catalogue.title,
            parameters=name_parameters(layout),
            items=layout.items or layout.space.items,
            kept=layout.kept,
            by_chance=min(1.0, 10 / max(1, layout.items - 1)),
            created=layout.created_at,
            ready=layout.ready_at,
            is_ready=layout.state == BuildState.READY,
            is_outdated=is_outdated(layout),
            job=job_of.get(layout.pk),
        )
        for layout in layouts
    ]


def name_layout(layout: Layout) -> str:
    return f"{layout.space.title} by {layout.get_metric_display()}, {layout.get_method_display()}"


def name_parameters(layout: Layout) -> str:
    """ "perplexity 30, seed 0" """
    known = PARAMETERS[layout.method]  # type: ignore[index]
    told = [
        f"{known[name].title.lower() if name in known else name} {value:g}"
        for name, value in layout.parameters.items()
    ]
    return ", ".join([*told, f"seed {layout.seed}"])
