"""The annotator's work as a person meets it: asked, asked again, undone, told how it goes, and handed out."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.models import Annotation, AnnotationKind, Player
from evaluation.selectors.annotation import (
    find_annotator,
    find_next,
    read_all_progress,
    read_progress,
    show,
)
from evaluation.selectors.annotation_picks import list_rows
from evaluation.services.annotation import (
    AnnotationRefused,
    answer,
    close_project,
    make_annotator,
    make_ticket,
    reopen_project,
    undo,
)
from search.catalogues.judgements import read_judgements
from tests.evaluation.annotating import make_player, make_project, pick, work_through
from tests.factories import NOW, make_catalogue

pytestmark = pytest.mark.django_db


def test_every_question_is_answered_by_as_many_people_as_were_wanted():
    project = make_project(count=12, overlap=2)
    people = [make_player() for _ in range(3)]
    assert [work_through(project, person) for person in people] == [12, 12, 0]
    assert Annotation.objects.count() == 24


def test_what_somebody_began_is_finished_before_more_is_begun():
    project = make_project(count=12)
    one, other = make_player(), make_player()
    begun = {pick(project, one).question_id for _ in range(4)}
    assert {pick(project, other).question_id for _ in range(4)} == begun


def test_gold_is_asked_of_everybody_and_told_at_the_end():
    project = make_project(count=6, overlap=1, gold=1)
    for person, option in ((make_player(), 1), (make_player(), 0)):
        for _ in range(6):
            assert read_progress(project, person).account is None
            pick(project, person, option)
        account = read_progress(project, person).account
        assert (account.right, account.of_gold) == (6 * option, 6)


def test_a_person_is_asked_again_and_told_how_often_they_said_the_same():
    project = make_project(count=40, repeat_every=10)
    person = make_player()
    assert work_through(project, person) == 44
    again = list(Annotation.objects.filter(turn=2).order_by("id"))
    first = Annotation.objects.filter(turn=1).order_by("id")
    assert [one.question_id for one in again] == [one.question_id for one in first[:4]]
    for one in again:  # not at once, or it would be remembered
        since = Annotation.objects.filter(pk__lt=one.pk, pk__gt=first.get(question=one.question).pk).count()
        assert since >= 10
    progress = read_progress(project, person)
    assert (progress.answered, progress.account.repeated, progress.account.of_repeats) == (40, 4, 4)


def test_an_undone_answer_is_asked_next_and_counts_no_more():
    project = make_project()
    person = make_player()
    pick(project, person)
    last = pick(project, person, option=0)
    assert undo(project=project, player=person, now=NOW) == last.question
    assert find_next(project, person).question == last.question
    assert read_progress(project, person).answered == 1
    assert pick(project, person, option=1).attempt == 2
    assert read_progress(project, person).answered == 2
    assert [row["choice"] for row in list_rows(project)] == ["a", "b"]


def test_answers_that_were_undone_are_asked_again_in_the_order_in_which_they_were_given():
    project = make_project()
    person = make_player()
    given = [pick(project, person).question for _ in range(4)]
    for _ in range(3):
        undo(project=project, player=person, now=NOW)
    assert [pick(project, person).question for _ in range(4)][:3] == given[1:]


def test_skipped_and_flagged_questions_are_left_to_others():
    project = make_project(count=1, overlap=1)
    for kind in (AnnotationKind.SKIP, AnnotationKind.FLAG):
        person = make_player()
        pick(project, person, None, kind=kind, note="blurred")
        assert find_next(project, person) is None
        progress = read_progress(project, person)
        assert (progress.answered, progress.left_out, progress.questions) == (0, 1, 1)
    pick(project, make_player(), None, kind=AnnotationKind.UNSURE)
    assert find_next(project, make_player()) is None
    assert list_rows(project) == []


def test_a_doubled_request_changes_nothing_and_another_answer_is_refused():
    project = make_project()
    person = make_player()
    asked = find_next(project, person)
    first = pick(project, person)
    again = show(asked.question, person, 2)
    how = {"asked": asked, "player": person, "kind": AnnotationKind.PICK, "now": NOW}
    how["ticket"] = make_ticket(asked, person)
    assert answer(**how, option=0) == first
    with pytest.raises(AnnotationRefused, match="answered this question before"):
        answer(**how, option=1)
    with pytest.raises(AnnotationRefused, match="one of the items"):
        answer(**how | {"asked": again}, option=2)
    with pytest.raises(AnnotationRefused, match="one of the items"):
        answer(**how | {"kind": AnnotationKind.SKIP}, option=0)
    undo(project=project, player=person, now=NOW)
    with pytest.raises(AnnotationRefused, match="not asked this question"):  # again, before it was answered
        answer(**how | {"asked": again, "ticket": make_ticket(again, person)}, option=0)
    with pytest.raises(AnnotationRefused, match="no answer to undo"):
        undo(project=project, player=person, now=NOW)


def test_what_was_not_asked_is_not_taken_and_what_was_asked_is_though_others_were_quicker():
    project = make_project(overlap=1)
    one, other = make_player(), make_player()
    asked = find_next(project, one)
    how = {"player": one, "kind": AnnotationKind.PICK, "option": 0, "now": NOW}
    later = show(project.questions.get(place=7), one, 1)
    for ticket in ("", make_ticket(asked, one), make_ticket(later, other)):
        with pytest.raises(AnnotationRefused, match="not asked this question"):
            answer(asked=later, ticket=ticket, **how)
    ticket = make_ticket(asked, one)
    assert pick(project, other).question == asked.question
    assert find_next(project, one).question != asked.question
    assert answer(asked=asked, ticket=ticket, **how).question == asked.question


def test_a_closed_project_asks_nothing_and_tells_how_one_answered():
    project = make_project(gold=1)
    person = make_player()
    pick(project, person, 1)
    asked = find_next(project, person)
    close_project(project=project, now=NOW)
    project.refresh_from_db()
    assert find_next(project, person) is None
    assert read_progress(project, person).account.right == 1
    with pytest.raises(AnnotationRefused, match="closed"):
        asked = show(project.questions.select_related("project").get(pk=asked.question.pk), person, 1)
        ticket = make_ticket(asked, person)
        answer(asked=asked, ticket=ticket, player=person, kind=AnnotationKind.PICK, option=0, now=NOW)
    with pytest.raises(AnnotationRefused, match="no answer to undo"):
        undo(project=project, player=person, now=NOW)
    reopen_project(project=project)
    project.refresh_from_db()
    assert find_next(project, person).question == asked.question
    assert read_progress(project, person).account is None


def test_agreement_with_others_is_told_once_nothing_is_left_to_answer():
    project = make_project(count=12)
    one, other = make_player(), make_player()
    work_through(project, one)
    for number in range(12):
        assert read_progress(project, other).account is None
        pick(project, other, option=int(number < 3))
    account = read_progress(project, other).account
    assert (account.agreement, account.of_compared) == (pytest.approx(0.75), 12)
    few = make_project(count=9, slug="few", catalogue=project.catalogue)
    for person in (one, other):
        work_through(few, person)
    assert read_progress(few, other).account.agreement is None


def test_who_was_told_how_they_answered_undoes_nothing_more():
    project = make_project(count=2, gold=1)
    person = make_player()
    pick(project, person)
    undo(project=project, player=person, now=NOW)
    work_through(project, person)
    with pytest.raises(AnnotationRefused, match="told already"):
        undo(project=project, player=person, now=NOW)
    untold = make_project(count=2, slug="untold", catalogue=project.catalogue)
    work_through(untold, person)
    assert undo(project=untold, player=person, now=NOW)


def test_a_user_is_one_person_whatever_browsers_made_players_of_them():
    project = make_project(count=12)
    user = User.objects.create(username="anna")
    oldest = Player.objects.create(user=user, created_at=NOW)
    first = make_annotator(user=user, now=NOW)
    assert first == oldest
    newer = Player.objects.create(user=user, created_at=NOW + timedelta(days=1))
    pick(project, newer)  # as it was when a user went on with their latest player
    assert find_annotator(user) == newer == make_annotator(user=user, now=NOW)
    Player.objects.create(user=user, created_at=NOW + timedelta(days=2))
    assert find_annotator(user) == newer
    pick(project, oldest)
    for player in (oldest, newer):
        assert read_progress(project, player).answered == 2
        assert find_next(project, player).question.place == 3
    work_through(project, newer)
    assert read_progress(project, newer).account.of_compared == 0  # nobody else said anything
    assert {row["person"] for row in list_rows(project)} == {f"annotator-{newer.pk}"}
    work_through(project, make_player())
    assert read_progress(project, newer).account.of_compared == 12


def test_a_question_looks_the_same_before_and_after_somebody_is_known_as_an_annotator():
    """What is stored as shown is what was shown, of the first answer too."""
    project = make_project(options=4)
    user = User.objects.create(username="anna")
    asked = find_next(project, find_annotator(user))
    given = pick(project, make_annotator(user=user, now=NOW))
    assert tuple(given.shown) == asked.shown


def test_reading_takes_as_many_queries_however_much_there_is(django_assert_num_queries):
    catalogue = make_catalogue(items=30)
    projects = [
        make_project(count=12, slug=f"p{number}", catalogue=catalogue, repeat_every=10) for number in range(4)
    ]
    one, other = make_player(), make_player()
    for project in projects:
        work_through(project, one)
    for project in projects[1:3]:
        for _ in range(11):
            pick(project, other)
    work_through(projects[0], other)
    with django_assert_num_queries(3):
        read_all_progress(projects, other)
    for project in projects:  # nothing answered yet, some of it, one to be asked again, and nothing left
        with CaptureQueriesContext(connection) as made:
            find_next(project, other)
        assert len(made) <= 2


def test_what_people_said_cannot_be_changed_behind_their_back():
    pick(make_project(), make_player())
    for statement in ("UPDATE evaluation_annotation SET option = 1", "DELETE FROM evaluation_annotation"):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=20))
def test_an_export_read_again_holds_what_was_picked(tmp_path_factory, picks):
    with transaction.atomic():
        project = make_project(count=10, options=4)
        people = [make_player(), make_player()]
        said = set()
        for who, option in picks:
            if find_next(project, people[who]):
                one = pick(project, people[who], option)
                said.add((who, one.question.place, option))
        rows = list_rows(project)
        path = tmp_path_factory.mktemp("export") / "answers.jsonl"
        path.write_text("\n".join(map(json.dumps, rows)))
        read = read_judgements(path)
        assert read.votes.sum() == 3 * len(said)
        keys = dict(project.catalogue.items.values_list("position", "key"))
        places = dict(project.questions.values_list("place", "options"))
        for row in rows:
            who = [f"annotator-{person.pk}" for person in people].index(row["person"])
            picked = row["a"] if row["choice"] == "a" else row["b"]
            option = [keys[position] for position in places[row["question"]]].index(picked)
            assert (who, row["question"], option) in said
        transaction.set_rollback(True)
