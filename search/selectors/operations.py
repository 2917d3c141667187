"""What the operator's page shows of catalogues, encoders and jobs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q

from search.catalogues.registry import list_formats
from search.models import BuildState, Catalogue, Index, Item, Job, JobState, RejectedRow, Split
from search.selectors.calibrations import CalibratedIndex, list_calibrated
from search.selectors.catalogues import image_url
from search.selectors.tables import neutralise

COVERS = 4
NEWEST = 50  # finished jobs


@dataclass(frozen=True)
class CatalogueRow:
    slug: str
    title: str
    format: str
    state: str
    created: datetime
    items: int
    rejected: int
    duplicates: int
    queries_trainable: int
    queries_evaluation: int
    contenders: int  # finished indexes: each is one contender
    covers: Sequence[str]
    calibrated: Sequence[CalibratedIndex]  # of every ready index that answers photos


@dataclass(frozen=True)
class JobRow:
    pk: UUID
    kind: str
    title: str
    catalogue: str
    state: str
    state_label: str
    done: int
    total: int | None
    message: str
    error: str
    attempt: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    eta_seconds: float | None
    can_cancel: bool
    can_retry: bool
    has_report: bool


def list_catalogue_rows() -> list[CatalogueRow]:
    """All catalogues with their counts, oldest first."""
    items: dict[int, dict[str, Any]] = {
        row["catalogue"]: dict(row)
        for row in Item.objects.present()
        .values("catalogue")
        .annotate(
            items=Count("pk"),
            duplicates=Count("near_duplicate_of"),
            trainable=Count("pk", filter=Q(split=Split.TRAINABLE)),
            evaluation=Count("pk", filter=Q(split=Split.EVALUATION)),
        )
    }
    rejected = dict(RejectedRow.objects.values_list("catalogue").annotate(Count("pk")))
    ready = Index.objects.filter(state=BuildState.READY)
    contenders = dict(ready.values_list("space__catalogue").annotate(Count("pk")))
    rows: list[CatalogueRow] = []
    catalogues = list(Catalogue.objects.all())
    calibrated = list_calibrated(catalogues)
    for catalogue in catalogues:
        counts = items.get(catalogue.pk, {})
        rows.append(
            CatalogueRow(
                slug=catalogue.slug,
                title=catalogue.title,
                format=catalogue.format,
                state=catalogue.state,
                created=catalogue.created_at,
                items=counts.get("items", 0),
                rejected=rejected.get(catalogue.pk, 0),
                duplicates=counts.get("duplicates", 0),
                queries_trainable=counts.get("trainable", 0),
                queries_evaluation=counts.get("evaluation", 0),
                contenders=contenders.get(catalogue.pk, 0),
                covers=_list_covers(catalogue),
                calibrated=calibrated[catalogue.pk],
            )
        )
    return rows


def _list_covers(catalogue: Catalogue) -> list[str]:
    first = catalogue.items.values_list("image_sha256", flat=True)[:COVERS]
    return [image_url(sha256) for sha256 in first]


def list_format_rows() -> list[dict[str, str]]:
    """What can be imported, in the importers' own words."""
    return [{"name": known.name, "title": known.name, "help": known.title} for known in list_formats()]


def list_job_rows(*, now: datetime) -> list[JobRow]:
    """All unfinished jobs, those that run first, then the newest finished ones."""
    rejected = RejectedRow.objects.filter(catalogue=OuterRef("catalogue"))
    jobs = Job.objects.annotate(has_rejections=Exists(rejected)).select_related("after", "catalogue")
    unfinished = sorted(jobs.unfinished(), key=lambda job: job.state != JobState.RUNNING)
    finished = jobs.exclude(pk__in=[job.pk for job in unfinished]).order_by("-finished_at", "-pk")[:NEWEST]
    return [make_job_row(job, now=now) for job in (*unfinished, *finished)]


def make_job_row(job: Job, *, now: datetime) -> JobRow:
    """What pages show of a job."""
    return JobRow(
        pk=job.pk,
        kind=job.kind,
        title=job.title,
        catalogue=job.catalogue.title if job.catalogue else "",
        state=job.state,
        state_label=_state_label(job),
        done=job.done,
        total=job.total or None,
        message=job.message,
        error=job.reason,
        attempt=job.attempt,
        created=job.created_at,
        started=job.started_at,
        finished=job.finished_at,
        eta_seconds=job.seconds_left(now=now),
        can_cancel=not job.is_finished and not job.cancel_requested,
        can_retry=job.state in (JobState.FAILED, JobState.CANCELLED),
        has_report=job.kind == "import" and getattr(job, "has_rejections", False),
    )


def _state_label(job: Job) -> str:
    if job.state == JobState.RUNNING and job.cancel_requested:
        return "cancelling"
    if job.state == JobState.QUEUED and job.after is not None and job.after.state != JobState.DONE:
        return f"waits for “{job.after.title}”"
    return str(job.get_state_display()).lower()


def report_rows(*, catalogue: Catalogue) -> Iterable[tuple[object, ...]]:
    """The rows an import could not take, for a table file: header first."""
    yield ("row", "key", "code", "reason")
    for row in RejectedRow.objects.filter(catalogue=catalogue).iterator(chunk_size=2000):
        yield (row.number, neutralise(row.key), row.code, neutralise(row.message))
