"""`/api/`: catalogues for everybody, jobs for those who may see the operator's page and their tokens."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.vary import vary_on_headers
from ninja import Path, Query, Router, Schema
from ninja.decorators import decorate_view
from ninja.errors import HttpError
from ninja.security import HttpBearer, SessionAuth

from search.models import Catalogue, CatalogueState, Job, JobState, Role, Scope
from search.selectors.operations import CatalogueRow, list_catalogue_rows
from search.selectors.roles import has_role
from search.views.access import enter_by_token

LONGEST_PAGE = 200
Slug = Annotated[str, Path(pattern=r"^[-a-zA-Z0-9_]+$", max_length=50)]


class Problem(Schema):
    """What went wrong, in a sentence."""

    detail: str


class Invalid(Schema):
    """Which parameters were not understood (``loc``), and why (``msg``)."""

    detail: list[dict[str, Any]]


class CatalogueOut(Schema):
    """A catalogue with its counts."""

    slug: str
    title: str
    format: str
    state: CatalogueState
    created: datetime
    items: int
    rejected: int
    duplicates: int
    queries_trainable: int
    queries_evaluation: int
    contenders: int


class JobOut(Schema):
    """One unit of background work, with state and progress."""

    id: UUID
    kind: str
    title: str
    queue: str
    catalogue: str | None
    state: JobState
    attempt: int
    done: int
    total: int
    message: str
    reason: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds_left: float | None


class JobList(Schema):
    """A page of jobs, newest first, and how many there are in all."""

    count: int
    jobs: list[JobOut]


class TokenAuth(HttpBearer):
    """An API token with the scope; one that is sent and refused is not made up for by a session."""

    openapi_description = (
        "A token of an operator or analyst, made under Operations, API tokens. Its scopes: "
        + "; ".join(f"{scope.value}, {scope.label}" for scope in Scope)
        + "."
    )

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> User:
        return enter_by_token(request, token, self._scope)


catalogues = Router(tags=["catalogues"])
jobs = Router(tags=["jobs"], auth=[TokenAuth(Scope.READ_JOBS), SessionAuth()])
# Of somebody's own, whoever is refused included.
kept_by_nobody = decorate_view(never_cache, vary_on_headers("Authorization", "Cookie"))
# Either of the two, the token with its scope: for the description, where ninja leaves scopes out.
SECURITY = {"security": [{"TokenAuth": [Scope.READ_JOBS.value]}, {"SessionAuth": []}]}
# Of everything about jobs.
REFUSALS = {401: Problem, 403: Problem, 422: Invalid}
# Of every address, with Retry-After: too much from one network, or a database that is away.
LATER = {429: Problem, 503: Problem}


@catalogues.get("/", response={200: list[CatalogueOut], **LATER}, summary="All catalogues")
def list_catalogues(request: HttpRequest) -> list[CatalogueRow]:
    return list_catalogue_rows()


@catalogues.get(
    "/{slug}/",
    response={200: CatalogueOut, 404: Problem, 422: Invalid, **LATER},
    summary="One catalogue",
)
def get_catalogue(request: HttpRequest, slug: Slug) -> CatalogueRow:
    get_object_or_404(Catalogue, slug=slug)
    return next(row for row in list_catalogue_rows() if row.slug == slug)


@jobs.get(
    "/",
    response={200: JobList, **REFUSALS, **LATER},
    summary="Jobs, newest first",
    description=f"For a token with the scope {Scope.READ_JOBS}, or a session.",
    openapi_extra=SECURITY,
)
@kept_by_nobody
def list_jobs(
    request: HttpRequest,
    state: JobState | None = None,
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> dict[str, Any]:
    _require_reader(request)
    found = Job.objects.select_related("catalogue").order_by("-created_at", "-id")
    if state is not None:
        found = found.filter(state=state)
    return {"count": found.count(), "jobs": [_describe(job) for job in found[offset : offset + limit]]}


@jobs.get(
    "/{job_id}/",
    response={200: JobOut, 404: Problem, **REFUSALS, **LATER},
    summary="One job",
    description=f"For a token with the scope {Scope.READ_JOBS}, or a session.",
    openapi_extra=SECURITY,
)
@kept_by_nobody
def get_job(request: HttpRequest, job_id: UUID) -> dict[str, Any]:
    _require_reader(request)
    return _describe(get_object_or_404(Job.objects.select_related("catalogue"), pk=job_id))


def _require_reader(request: HttpRequest) -> None:
    if not has_role(request.user, Role.OPERATOR, Role.ANALYST):
        raise HttpError(403, "Jobs are for operators and analysts.")


def _describe(job: Job) -> dict[str, Any]:
    fields = [name for name in JobOut.model_fields if name not in ("catalogue", "seconds_left")]
    return {name: getattr(job, name) for name in fields} | {
        "catalogue": job.catalogue.slug if job.catalogue else None,
        "seconds_left": job.seconds_left(now=timezone.now()),
    }
