"""The operator's page: jobs, catalogues and encoders of `search`, and the contenders that stand on them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from evaluation.models import Contender
from evaluation.selectors.operations import list_contender_rows
from evaluation.services.contenders import retire_contender
from search.models import Role
from search.selectors.encoders import list_known_encoders
from search.selectors.operations import list_catalogue_rows, list_job_rows
from search.selectors.roles import has_role
from search.views.access import roles_required


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def operations(request: HttpRequest) -> HttpResponseBase:
    context = {
        "jobs": list_job_rows(now=timezone.now()),
        "catalogues": list_catalogue_rows(),
        "contenders": list_contender_rows(),
        "encoders": list_known_encoders(),
        "can_manage": has_role(request.user, Role.OPERATOR),
    }
    return render(request, "operations/page.html", context)


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def operations_contenders(request: HttpRequest) -> HttpResponseBase:
    context = {"contenders": list_contender_rows(), "can_manage": has_role(request.user, Role.OPERATOR)}
    return render(request, "operations/_contenders.html", context)


@require_POST
@roles_required(Role.OPERATOR)
def contender_retire(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Deal no more pairs for a contender; its votes and its place on the record stay."""
    contender = get_object_or_404(Contender, pk=pk)
    retire_contender(contender=contender, now=timezone.now())
    messages.success(request, f"{contender.title} is retired: its votes stay, no new ones are asked for.")
    return redirect("operations")
