"""What annotators said, for analysts: how they agree, and files that `measure_agreement` reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from evaluation.models import AnnotationProject
from evaluation.selectors.annotation_picks import list_rows, list_slates
from evaluation.services.slate_agreement import USUAL, SlateTable, Survey, measure_slates, open_survey
from evaluation.stats.agreement import NothingToCompare
from search.catalogues.slate_judgements import SlatePick
from search.engine.errors import ArtifactDamaged
from search.models import Role, Scope
from search.selectors.table_files import Table
from search.services.navigation_terrain import NoSuchSpace, list_spaces, suggest_space
from search.views.access import roles_required
from search.views.tables import answer_table


@dataclass(frozen=True)
class PickedPair:
    """One option that was not picked beside the one that was; see `list_rows`."""

    ref: str
    a: str
    b: str
    person: str
    choice: str
    question: int
    options: int
    source: str
    turn: int


@require_safe
@roles_required(Role.ANALYST, Role.OPERATOR)
def agreement(request: HttpRequest, slug: str) -> HttpResponseBase:
    """How people agree in a project, and the simulated users of one space and of its aspects with them."""
    project = get_object_or_404(AnnotationProject.objects.select_related("catalogue"), slug=slug)
    spaces = list(list_spaces(project.catalogue))
    asked = request.GET.get("space") or suggest_space(project.catalogue)
    context: dict[str, Any] = {"project": project, "spaces": spaces, "asked": asked}
    try:
        survey = open_survey(project)
        try:
            chosen = [name for name in spaces if name == asked or name.startswith(f"{asked}/")]
            if asked and not chosen:
                raise NoSuchSpace(f"There is no space “{asked}” any more: choose another one.")
            context["table"] = _measure(survey, project, chosen)
        except (NoSuchSpace, ArtifactDamaged) as blind:  # people still agree or not
            context |= {"blind": str(blind), "table": _measure(survey, project, [])}
    except NothingToCompare as refused:
        context["refused"] = str(refused)
    return render(request, "annotation/agreement.html", context)


@require_safe
@roles_required(Role.ANALYST, Role.OPERATOR, scope=Scope.READ_ANNOTATIONS)
def export_pairs(request: HttpRequest, slug: str, suffix: str) -> HttpResponseBase:
    """What people picked, as pairs that `measure_agreement` reads."""
    project = get_object_or_404(AnnotationProject, slug=slug)
    rows = (PickedPair(**row) for row in list_rows(project))
    return answer_table(Table(PickedPair, rows), name=slug, suffix=suffix)


@require_safe
@roles_required(Role.ANALYST, Role.OPERATOR, scope=Scope.READ_ANNOTATIONS)
def export_slates(request: HttpRequest, slug: str, suffix: str) -> HttpResponseBase:
    """What people answered as whole slates, an answer a row."""
    project = get_object_or_404(AnnotationProject, slug=slug)
    return answer_table(Table(SlatePick, list_slates(project)), name=f"{slug}-slates", suffix=suffix)


def _measure(survey: Survey, project: AnnotationProject, spaces: Sequence[str]) -> SlateTable:
    return measure_slates(
        survey, catalogue=project.catalogue, spaces=spaces, noisy=USUAL, say=lambda what, done, total: None
    )
