"""The annotator's pages: projects, and one question at a time.

A question is a form with a button per item, so that it works without JavaScript; keys press the same buttons.
Nothing on it depends on what anybody else said, until nothing is left for this person to answer.
"""

from collections.abc import Callable
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from evaluation.forms import AnnotationForm
from evaluation.models import AnnotationProject, Player
from evaluation.selectors.annotation import (
    Asked,
    find_annotator,
    find_next,
    read_all_progress,
    read_progress,
    show,
)
from evaluation.selectors.pictures import describe_candidate, describe_question
from evaluation.services.annotation import (
    AnnotationRefused,
    answer,
    close_project,
    make_annotator,
    make_ticket,
    reopen_project,
    undo,
)
from search.models import Item, Role
from search.views.access import roles_required


@require_safe
@roles_required(Role.ANNOTATOR, Role.ANALYST, Role.OPERATOR)
def projects(request: HttpRequest) -> HttpResponseBase:
    """Every project, with the person's own progress in it; analysts find what people said there."""
    listed = list(AnnotationProject.objects.all())
    progress = read_all_progress(listed, _find_player(request))
    rows = [{"project": project, "progress": progress[project.pk]} for project in listed]
    return render(request, "annotation/projects.html", {"rows": rows})


@require_safe
@roles_required(Role.ANNOTATOR, Role.OPERATOR)
def question(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The next question of a project."""
    project = get_object_or_404(AnnotationProject.objects.select_related("catalogue"), slug=slug)
    player = _find_player(request)
    asked = find_next(project, player)
    context = {"project": project, "progress": read_progress(project, player), "asked": asked}
    if asked is not None:
        context |= _picture(project, asked) | {"ticket": make_ticket(asked, player)}
    return render(request, "annotation/question.html", context)


@require_POST
@roles_required(Role.ANNOTATOR, Role.OPERATOR)
def take_answer(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Take the answer to a question and ask the next one."""
    project = get_object_or_404(AnnotationProject, slug=slug)
    form = AnnotationForm(request.POST)
    if not form.is_valid():
        return HttpResponse(
            "An answer names a question that was asked and what was chosen. Go back, and press one of the "
            "buttons of the question.",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            content_type="text/plain",
        )
    given = form.cleaned_data
    row = get_object_or_404(project.questions.select_related("project"), place=given["question"])

    def take(player: Player) -> None:
        answer(
            asked=show(row, player, given["turn"]),
            ticket=given["ticket"],
            player=player,
            kind=given["kind"],
            option=given["option"],
            note=given["note"],
            now=timezone.now(),
        )

    return _carry_out(request, slug, take)


@require_POST
@roles_required(Role.ANNOTATOR, Role.OPERATOR)
def undo_answer(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Take the last answer back; its question is asked again at once."""
    project = get_object_or_404(AnnotationProject, slug=slug)
    return _carry_out(request, slug, lambda player: undo(project=project, player=player, now=timezone.now()))


@require_POST
@roles_required(Role.OPERATOR)
def close(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Ask nothing more in a project."""
    close_project(project=get_object_or_404(AnnotationProject, slug=slug), now=timezone.now())
    return redirect("annotate")


@require_POST
@roles_required(Role.OPERATOR)
def reopen(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Go on asking in a project that was closed."""
    reopen_project(project=get_object_or_404(AnnotationProject, slug=slug))
    return redirect("annotate")


def _picture(project: AnnotationProject, asked: Asked) -> dict[str, object]:
    """The target's picture and those of the options, in the order in which this person sees them."""
    row = asked.question
    wanted = [row.target, *row.options]
    items = project.catalogue.items.filter(position__in=wanted).select_related("category")
    by_position: dict[int, Item] = {item.position: item for item in items}
    options = [
        {"key": key, "option": place, "picture": describe_candidate(by_position[row.options[place]])}
        for key, place in enumerate(asked.shown, start=1)
    ]
    return {"target": describe_question(by_position[row.target]), "options": options}


def _find_player(request: HttpRequest) -> Player:
    """Whose answers to show; not stored before the first one."""
    assert isinstance(request.user, User)
    return find_annotator(request.user)


def _carry_out(request: HttpRequest, slug: str, act: Callable[[Player], object]) -> HttpResponseBase:
    """Do what the person asked for and go to the next question; what is refused is told there."""
    assert isinstance(request.user, User)
    try:
        act(make_annotator(user=request.user, now=timezone.now()))
    except AnnotationRefused as refused:
        messages.error(request, str(refused))
    return redirect("annotate-project", slug)
