"""The command that makes projects of questions, and what it refuses."""

import pytest
from django.core.management import CommandError, call_command

from evaluation.models import AnnotationProject
from evaluation.services.annotation import AnnotationRefused
from search import artifacts
from tests.evaluation.annotating import make_project
from tests.factories import make_catalogue
from tests.search.spaces import make_space

pytestmark = pytest.mark.django_db


def test_the_command_mixes_drawn_questions_with_known_ones(tmp_path, capsys):
    make_catalogue(items=30)
    path = tmp_path / "gold.csv"
    path.write_text(
        "ref,a,b,votes_a,votes_b\ndemo-00001,demo-00002,demo-00003,1,4\ndemo-00001,demo-00004,demo-00005,2,2\n"
    )
    call_command("make_annotations", "second", catalogue="demo", random=5, gold=path)
    assert "6 questions, at /annotate/second/" in capsys.readouterr().out
    project = AnnotationProject.objects.get()
    [gold] = project.questions.exclude(gold=None)
    assert (gold.target, gold.options, gold.gold, gold.source) == (1, [2, 3], 1, "imported")
    assert {len(one.options) for one in project.questions.filter(source="random")} == {4}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "There is nothing to ask: give --random"),
        ({"random": 3, "seed": -1}, "seed are whole numbers from 0"),
        ({"random": 3, "title": "x" * 201}, "The title is longer than 200 characters"),
        ({"random": 3, "overlap": 32_768}, "--overlap is at most 32,767"),
        ({"random": 3, "repeat_every": 32_768}, "--repeat-every is at most 32,767"),
        ({"random": 3, "slate": 1}, "A slate shows 2 to 9 items, not 1"),
        ({"random": 3, "slate": 9}, "has 8 different items: show fewer"),
        ({"random": -3}, "whole numbers from 0"),
        ({"random": 3, "overlap": 0}, "at least one person"),
        ({"policy": ["nearest"]}, "Name with --space"),
        ({"policy": ["nearest"], "space": "gone"}, "no space named 'gone'"),
    ],
)
def test_what_cannot_be_asked_is_told(options, told):
    make_catalogue(items=8)
    with pytest.raises(CommandError, match=told):
        call_command("make_annotations", "first", catalogue="demo", **options)
    with pytest.raises(CommandError, match="is no name"):
        call_command("make_annotations", "no name", catalogue="demo", random=1)
    with pytest.raises(CommandError, match="name is longer than 50 characters"):
        call_command("make_annotations", "n" * 51, catalogue="demo", random=1)


def test_gold_of_ties_alone_is_told_apart_from_nothing_named(tmp_path):
    make_catalogue(items=8)
    path = tmp_path / "ties.csv"
    path.write_text("ref,a,b,votes_a,votes_b\ndemo-00001,demo-00002,demo-00003,2,2\n")
    with pytest.raises(CommandError, match="a file without majorities as gold"):
        call_command("make_annotations", "first", catalogue="demo", gold=path)


def test_of_two_projects_of_one_name_the_second_is_refused():
    project = make_project(count=1)
    with pytest.raises(AnnotationRefused, match="choose another name"):
        make_project(count=1, catalogue=project.catalogue)
    assert AnnotationProject.objects.count() == 1 and project.questions.count() == 1


def test_a_policy_whose_space_is_gone_is_told():
    catalogue = make_catalogue(items=8)
    space = make_space(catalogue, "line", rows=8, build=False)
    (artifacts.space_folder(space) / "items.safetensors").unlink()
    with pytest.raises(CommandError, match="are gone: build the contenders again"):
        call_command("make_annotations", "first", catalogue="demo", policy=["nearest"], space="line")
