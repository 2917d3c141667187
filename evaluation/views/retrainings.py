"""The page of retraining for operators and analysts: what waits, what was taught, and who is in charge."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from evaluation.forms import AppointForm, RetrainForm, RollBackForm
from evaluation.models import Contender, Promotion, Retraining
from evaluation.selectors.board import UnknownFilter
from evaluation.selectors.retrainings import read_queue
from evaluation.services.challenges import request_comparison
from evaluation.services.promotions import PromotionRefused, appoint, promote, roll_back
from evaluation.services.retrainings import Asked, RetrainingRefused, start_retraining
from evaluation.views.catalogue_choice import choose_catalogue
from search.models import Catalogue, Role
from search.selectors.roles import has_role
from search.tasks import hint_jobs
from search.views.access import roles_required


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def retrainings(request: HttpRequest) -> HttpResponseBase:
    try:
        catalogues, chosen = choose_catalogue(request)
    except UnknownFilter as unknown:
        return render(request, "400.html", {"message": str(unknown)}, status=HTTPStatus.BAD_REQUEST)
    context: dict[str, Any] = {
        "catalogues": catalogues,
        "chosen": chosen,
        "queue": read_queue(chosen, now=timezone.now()) if chosen else None,
        "form": RetrainForm(),
        "can_manage": has_role(request.user, Role.OPERATOR),
    }
    return render(request, "operations/retraining.html", context)


@require_POST
@roles_required(Role.OPERATOR)
def retraining_start(request: HttpRequest) -> HttpResponseBase:
    """Have the encoder in charge taught what waits."""
    form = RetrainForm(request.POST)
    if not form.is_valid():
        return _refuse(request, form)
    catalogue, now = form.cleaned_data["catalogue"], timezone.now()
    asked = Asked(
        by=_who(request), period=f"asked {now:%Y-%m-%dT%H:%M:%S.%f}", learn=form.cleaned_data["learn"]
    )
    try:
        retraining = start_retraining(catalogue, asked, now=now)
    except RetrainingRefused as refused:
        messages.error(request, str(refused))
        return _go_back(catalogue)
    if retraining.period != asked.period:
        messages.info(request, f"“{retraining.name}” is being taught already: this is it.")
    else:
        assert retraining.training is not None
        assert retraining.training.job is not None
        hint_jobs([retraining.training.job])
        messages.success(request, f"“{retraining.name}” is being taught by {retraining.triplets:,} triplets.")
    return _go_back(catalogue)


@require_POST
@roles_required(Role.OPERATOR)
def retraining_compare(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Compare a challenger with its parent now instead of tonight, and with it the catalogue's others."""
    retraining = get_object_or_404(Retraining.objects.select_related("catalogue"), pk=pk)
    job = request_comparison(retraining.catalogue, now=timezone.now())
    hint_jobs([job])
    messages.success(request, f"“{job.title}” is on its way.")
    return _go_back(retraining.catalogue)


@require_POST
@roles_required(Role.OPERATOR)
def retraining_promote(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Put a challenger in charge, where the rule lets it through."""
    retraining = get_object_or_404(Retraining.objects.select_related("catalogue", "rival"), pk=pk)
    who = _who(request)
    return _decide(request, retraining.catalogue, lambda: promote(retraining, by=who, now=timezone.now()))


@require_POST
@roles_required(Role.OPERATOR)
def encoder_appoint(request: HttpRequest) -> HttpResponseBase:
    """Put the first encoder in charge."""
    form = AppointForm(request.POST)
    if not form.is_valid():
        return _refuse(request, form)
    contender: Contender = form.cleaned_data["contender"]
    catalogue, who = contender.catalogue, _who(request)
    return _decide(request, catalogue, lambda: appoint(catalogue, contender, by=who, now=timezone.now()))


@require_POST
@roles_required(Role.OPERATOR)
def encoder_roll_back(request: HttpRequest) -> HttpResponseBase:
    """Put back who was in charge before."""
    form = RollBackForm(request.POST)
    if not form.is_valid():
        return _refuse(request, form)
    catalogue: Catalogue = form.cleaned_data["catalogue"]
    seen, who = form.cleaned_data["seen"], _who(request)
    return _decide(request, catalogue, lambda: roll_back(catalogue, seen=seen, by=who, now=timezone.now()))


def _decide(request: HttpRequest, catalogue: Catalogue, make: Callable[[], Promotion]) -> HttpResponseBase:
    """Say who is in charge now, or why it stays as it was."""
    try:
        made = make()
    except PromotionRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"“{made.contender.title}” is in charge of “{made.catalogue.title}”.")
    return _go_back(catalogue)


def _who(request: HttpRequest) -> str:
    return request.user.get_username()


def _refuse(request: HttpRequest, form: Any) -> HttpResponseBase:
    messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return redirect("retrainings")


def _go_back(catalogue: Catalogue) -> HttpResponseBase:
    return redirect(f"{reverse('retrainings')}?{urlencode({'catalogue': catalogue.slug})}")
