"""Trainings: their list, the form that asks for one, and a page for each. Only operators change anything."""

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import replace_url

from search import tasks
from search.forms.trainings import SubjectForm, TrainingForm
from search.models import JobState, Role, Training
from search.selectors import trainings as selectors
from search.selectors.layouts import list_maps_of
from search.selectors.roles import has_role
from search.services.training import request_training
from search.services.training_wishes import TrainingRefused
from search.views.access import roles_required


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def trainings(request: HttpRequest) -> HttpResponseBase:
    return render(request, "trainings/list.html", _list_context(request))


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def trainings_list(request: HttpRequest) -> HttpResponseBase:
    return render(request, "trainings/_list.html", _list_context(request))


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.OPERATOR)
def training_new(request: HttpRequest) -> HttpResponseBase:
    """The form that asks for a training. What it is about stands in the address, whatever the method."""
    subject = SubjectForm({name: request.GET[name] for name in ("kind", "catalogue") if name in request.GET})
    form = None
    if subject.is_valid():
        kind, catalogue = subject.cleaned_data["kind"], subject.cleaned_data["catalogue"]
        typed = request.POST if request.method == "POST" else None
        form = TrainingForm(kind, catalogue, typed, initial=_read_typed(request.GET))
        training = _ask_for(form)
        if training is not None:
            return _welcome(request, training)
    return _show_form(request, subject, form)


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def training(request: HttpRequest, pk: int) -> HttpResponseBase:
    return render(request, "trainings/page.html", _page_context(request, pk))


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def training_standing(request: HttpRequest, pk: int) -> HttpResponseBase:
    return render(request, "trainings/_standing.html", _page_context(request, pk))


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def training_card(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The card of the encoder that a training made, as a file."""
    card = selectors.read_card(training=get_object_or_404(Training, pk=pk))
    if card is None:
        raise Http404("There is no card of this training.")
    body = json.dumps(card, indent=1, ensure_ascii=False)
    response = HttpResponse(body + "\n", content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{card["name"]}-card.json"'
    return response


def _list_context(request: HttpRequest) -> dict[str, Any]:
    return {
        "trainings": selectors.list_training_rows(now=timezone.now()),
        "can_manage": has_role(request.user, Role.OPERATOR),
    }


def _page_context(request: HttpRequest, pk: int) -> dict[str, Any]:
    found = get_object_or_404(Training.objects.select_related("catalogue", "job"), pk=pk)
    return {
        "training": selectors.read_training_page(training=found, now=timezone.now()),
        "maps": list_maps_of(encoder=found.name),
        "can_manage": has_role(request.user, Role.OPERATOR),
    }


def _read_typed(query: QueryDict) -> dict[str, Any]:
    """What somebody had typed before they chose another kind or catalogue: it comes along in the address."""
    typed: dict[str, Any] = dict(query.items())
    if "aspects" in query:
        typed["aspects"] = query.getlist("aspects")
    return typed


def _ask_for(form: TrainingForm) -> Training | None:
    """The training that was asked for; None where nothing was sent, or where the form now says why not."""
    if not form.is_valid():
        return None
    try:
        return request_training(form.read_wish(), now=timezone.now())
    except TrainingRefused as error:
        form.add_error(error.about if error.about in form.fields else None, str(error))
        return None


def _welcome(request: HttpRequest, training: Training) -> HttpResponseBase:
    """Tell workers of the job, and show the training."""
    assert training.job is not None
    if training.job.state == JobState.DONE:
        messages.info(request, f"“{training.name}” was trained just so before: here it is.")
    else:
        tasks.hint_jobs([training.job])
        messages.success(request, f"“{training.job.title}” is on its way.")
    return redirect("training", pk=training.pk)


def _show_form(request: HttpRequest, subject: SubjectForm, form: TrainingForm | None) -> HttpResponseBase:
    is_wrong = bool(form.errors if form else subject.errors and request.GET) or request.method == "POST"
    context = {"subject": subject, "form": form}
    response = render(request, "trainings/new.html", context, status=422 if is_wrong else 200)
    if form is not None:
        chosen = {"kind": form.kind, "catalogue": form.catalogue.slug}
        replace_url(response, f"{request.path}?{urlencode(chosen)}")
    return response
