"""The operator's work on catalogues, encoders and jobs. Analysts read; only operators change anything.

The page itself, which also shows contenders, is composed in `evaluation/views/operations.py`.
"""

import asyncio
import csv
import io
from pathlib import Path
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from search import tasks
from search.catalogues.registry import detect_format
from search.catalogues.rows import CatalogueUnreadable, ImportOptions
from search.engine.errors import DiskFull
from search.forms.imports import DRAWN, UPLOADED, ImportForm
from search.models import Catalogue, CatalogueState, Job, Role
from search.selectors import operations as selectors
from search.selectors.encoders import list_known_encoders
from search.selectors.roles import has_role
from search.services.builds import request_build
from search.services.imports import Source, open_source, request_import_of
from search.services.jobs import cancel_job, retry_job
from search.services.removing import RemovalRefused, request_removal
from search.services.uploads import drop_upload, keep_upload
from search.views.access import roles_required, roles_required_async


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def operations_catalogues(request: HttpRequest) -> HttpResponseBase:
    context = {
        "catalogues": selectors.list_catalogue_rows(),
        "can_manage": has_role(request.user, Role.OPERATOR),
    }
    return render(request, "operations/_catalogues.html", context)


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def operations_encoders(request: HttpRequest) -> HttpResponseBase:
    return render(request, "operations/_encoders.html", {"encoders": list_known_encoders()})


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def operations_jobs(request: HttpRequest) -> HttpResponseBase:
    jobs = selectors.list_job_rows(now=timezone.now())
    context = {"jobs": jobs, "can_manage": has_role(request.user, Role.OPERATOR)}
    return render(request, "operations/_jobs.html", context)


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def job_report(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The rows an import could not take, as a CSV file."""
    job = get_object_or_404(Job, pk=pk, kind="import", catalogue__isnull=False)
    assert job.catalogue is not None
    table = io.StringIO()
    csv.writer(table).writerows(selectors.report_rows(catalogue=job.catalogue))
    response = HttpResponse(table.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rejected-rows-{job.catalogue.slug}.csv"'
    return response


@require_POST
@roles_required(Role.OPERATOR)
def job_cancel(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    job = get_object_or_404(Job, pk=pk)
    cancel_job(job=job, now=timezone.now())
    return _go_back(request)


@require_POST
@roles_required(Role.OPERATOR)
def job_retry(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    job = get_object_or_404(Job, pk=pk)
    retry_job(job=job, now=timezone.now())
    tasks.hint_jobs([job])
    return _go_back(request)


def _go_back(request: HttpRequest) -> HttpResponseBase:
    """To the page of this site that the form names, else to the operator's page."""
    page = request.POST.get("next", "")
    hosts = {request.get_host()}
    is_ours = url_has_allowed_host_and_scheme(page, hosts, require_https=request.is_secure())
    return HttpResponseRedirect(page) if is_ours else redirect("operations")


@require_POST
@roles_required(Role.OPERATOR)
def catalogue_build(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Queue whatever is still to be done for every contender of the catalogue."""
    catalogue = get_object_or_404(Catalogue, slug=slug)
    if catalogue.state != CatalogueState.READY:
        messages.error(request, f"{catalogue.title} is not imported yet: build its contenders after that.")
        return redirect("operations")
    job = request_build(catalogue=catalogue, now=timezone.now())
    tasks.hint_jobs([job])
    messages.success(request, f"“{job.title}” is on its way.")
    return redirect("operations")


@require_POST
@roles_required(Role.OPERATOR)
def catalogue_items(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Take the items with these keys, one a line, out of the catalogue; or put them back."""
    catalogue = get_object_or_404(Catalogue, slug=slug)
    keys = [line for line in request.POST.get("keys", "").splitlines() if line.strip()]
    try:
        job = request_removal(catalogue=catalogue, keys=keys, now=timezone.now(), back="back" in request.POST)
    except RemovalRefused as refused:
        messages.error(request, str(refused))
        return redirect("operations")
    build = request_build(catalogue=catalogue, now=timezone.now(), after=job)
    tasks.hint_jobs([job, build])
    messages.success(request, f"“{job.title}” is on its way.")
    return redirect("operations")


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required_async(Role.OPERATOR)
async def operations_import(request: HttpRequest) -> HttpResponseBase:
    """The form that brings a catalogue; the work itself is a job.

    What is brought is stored and looked through in a thread of its own, because all other pages share one.
    """
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    source = await asyncio.to_thread(_open_source, form)
    return await sync_to_async(_answer_import)(request, form, source)


def _open_source(form: ImportForm) -> Source | None:
    """What the form brings; None where there is nothing, or where the form now says why that cannot be.

    The database is not asked.
    """
    if not form.is_valid():
        return None
    data = form.cleaned_data
    options = ImportOptions(data["category"], data["group"], data["items"], data["seed"] or 0)
    try:
        if data["source"] == DRAWN:
            return open_source(format=DRAWN, path=None, options=options)
        if data["source"] == UPLOADED:
            form.kept = keep_upload(upload=data["file"], suffix=".zip")
            return open_source(format="zip", path=form.kept, options=options)
        path = Path(data["path"])
        return open_source(format=data["format"] or detect_format(path), path=path, options=options)
    except (CatalogueUnreadable, DiskFull) as error:
        form.add_error(None, str(error))
        return None


def _answer_import(request: HttpRequest, form: ImportForm, source: Source | None) -> HttpResponseBase:
    if source is not None and _queue_import(request, form, source):
        return redirect("operations")
    if form.kept is not None:
        drop_upload(form.kept)
    context = {"form": form, "formats": selectors.list_format_rows()}
    return render(request, "operations/import.html", context, status=422 if form.errors else 200)


def _queue_import(request: HttpRequest, form: ImportForm, source: Source) -> bool:
    """Ask for the import, or put on the form why that cannot be."""
    slug, title = form.cleaned_data["slug"], form.cleaned_data["title"]
    try:
        job = request_import_of(source=source, slug=slug, title=title, now=timezone.now())
    except CatalogueUnreadable as error:
        form.add_error(None, str(error))
        return False
    assert job.catalogue is not None
    build = request_build(catalogue=job.catalogue, now=timezone.now(), after=job)
    tasks.hint_jobs([job, build])
    messages.success(request, f"“{job.title}” is on its way; its contenders are built after it.")
    return True
