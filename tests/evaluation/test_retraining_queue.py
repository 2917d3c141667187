"""What people said waits to be taught, is taught once, and can be traced both ways."""

import functools
import uuid
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from evaluation.models import Contender, Player, Retraction, Retraining, Vote
from evaluation.selectors.lessons import read_waiting
from evaluation.selectors.lineage import count_left_out, iterate_lessons, trace_pick, trace_vote
from evaluation.selectors.retrainings import read_queue
from evaluation.services.contenders import retire_contender
from evaluation.services.retrainings import RetrainingRefused
from evaluation.services.verdicts import Grounds, exclude_player
from evaluation.stats.lessons import draw_lessons
from evaluation.stats.places import LESSON, REPEAT
from search.engine.errors import DiskFull
from search.models import Catalogue, Job, JobState, Split
from tests.evaluation.decks import cast, deal_to
from tests.evaluation.finding import Finder, Kind, make_ground
from tests.evaluation.teaching import (
    PARENT,
    fail,
    finish,
    list_trainable,
    make_standing,
    put_in_charge,
    say,
    start,
    teach,
)
from tests.factories import NOW, make_catalogue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def catalogue() -> Catalogue:
    """A catalogue with an encoder in charge that can be taught."""
    catalogue = make_catalogue(items=40, with_images=False)
    put_in_charge(catalogue, make_standing(catalogue))
    return catalogue


def wait_for(catalogue: Catalogue, **since: timedelta) -> dict[str, int]:
    in_charge = Contender.objects.filter(promotions__isnull=False).last()
    waiting = read_waiting(catalogue, in_charge, now=NOW + sum(since.values(), timedelta()))
    return {reason: number for reason, number in waiting.votes.items() if number}


def test_a_dope_and_a_nope_on_one_question_teach_together(catalogue: Catalogue) -> None:
    teach(catalogue, questions=3)
    assert wait_for(catalogue) == {"teaches": 6}


def test_what_does_not_qualify_is_counted_with_the_reason(catalogue: Catalogue) -> None:
    items, player = list_trainable(catalogue), Player.objects.create(created_at=NOW)
    hostile = Player.objects.create(created_at=NOW)
    judging = catalogue.items.filter(split=Split.EVALUATION)[0]
    say(player, items[0], items[1], "dope", settled=False)
    say(player, items[0], items[2], "nope")
    say(hostile, items[1], items[2], "nope")
    say(player, items[3], items[4], "skip")
    say(player, items[5], judging, "dope")
    say(player, judging, items[6], "dope")  # of a question that only judges
    say(hostile, items[0], items[1], "nope", policy=REPEAT)
    Retraction.objects.create(vote=say(player, items[7], items[8], "dope"), retracted_at=NOW)
    exclude_player(hostile.pk, Grounds("votes for one contender"), now=NOW)
    assert wait_for(catalogue) == {"unsettled": 1, "unmatched": 1, "excluded": 1, "judges": 1}
    assert wait_for(catalogue, later=timedelta(days=1)) == {"teaches": 2, "excluded": 1, "judges": 1}


def test_votes_that_cannot_teach_keep_no_others_waiting(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluation.selectors.lessons.MOST_READ", 6)
    teach(catalogue)
    items, hostile = list_trainable(catalogue), Player.objects.create(created_at=NOW)
    for number in range(8):
        say(hostile, items[number], items[number + 1], "nope", at=NOW + timedelta(hours=1))
    exclude_player(hostile.pk, Grounds("votes for one contender"), now=NOW)
    assert wait_for(catalogue, later=timedelta(days=1)) == {"teaches": 6, "excluded": 6}


def test_lessons_that_were_dealt_in_the_game_wait(catalogue: Catalogue) -> None:
    key = uuid.uuid4()
    for seed in range(4):
        hand = deal_to(key, now=NOW, count=10, seed=seed)
        cast(key, {deal.pk: "dope" if seed % 2 else "nope" for deal in hand.deals}, now=NOW)
    dealt = Vote.objects.filter(deal__policy=LESSON).count()
    assert dealt
    assert wait_for(catalogue) == {"unsettled": dealt}
    assert sum(wait_for(catalogue, later=timedelta(days=1)).values()) == dealt


def test_nobody_teaches_more_than_the_cap(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    teach(catalogue, questions=6)
    capped = functools.partial(draw_lessons, per_player=2)
    monkeypatch.setattr("evaluation.selectors.lessons.draw_lessons", capped)
    assert wait_for(catalogue) == {"teaches": 4, "capped": 8}


def test_each_lesson_leads_to_its_votes_and_each_vote_to_what_it_taught(catalogue: Catalogue) -> None:
    dope, nope, *_ = teach(catalogue)
    retraining = start(catalogue)
    assert (retraining.votes, retraining.triplets, retraining.players) == (6, 3, 2)
    rows = list(iterate_lessons(retraining))
    assert {row.liked for row in rows} | {row.disliked for row in rows} == set(
        Vote.objects.values_list("pk", flat=True)
    )
    [first] = [row for row in rows if row.liked == dope.pk]
    assert first.anchor == dope.deal.pair.question.key
    assert (first.positive, first.negative) == (dope.deal.pair.candidate.key, nope.deal.pair.candidate.key)
    found = trace_vote(nope.pk)
    assert found is not None
    assert [one.name for one in found.names] == [retraining.name]
    assert [row.number for row in found.lessons] == [first.number]
    assert trace_vote("0" * 32) is None


def test_who_is_left_out_afterwards_is_shown_as_such(catalogue: Catalogue) -> None:
    dope, *_ = teach(catalogue)
    retraining = start(catalogue)
    assert count_left_out(retraining) == 0
    assert dope.deal.player is not None
    exclude_player(dope.deal.player.pk, Grounds("bought"), now=NOW)
    assert count_left_out(retraining) == 3
    assert {row.liked_now for row in iterate_lessons(retraining)} == {"left out"}
    assert {row.disliked_now for row in iterate_lessons(retraining)} == {"counts"}


def test_asked_for_while_it_runs_it_is_the_same_and_what_is_said_meanwhile_waits(
    catalogue: Catalogue,
) -> None:
    teach(catalogue)
    first = start(catalogue)
    teach(catalogue, questions=5)
    assert start(catalogue, now=NOW + timedelta(minutes=5)) == first
    assert first.lessons.count() == 3
    finish(first)
    # Its challenger is not in charge, so what it learned can be taught to its parent again.
    second = start(catalogue, now=NOW + timedelta(minutes=9))
    assert second.votes == 16
    assert second.name != first.name


def test_nothing_is_taught_twice_to_one_line(catalogue: Catalogue) -> None:
    teach(catalogue)
    first = start(catalogue)
    finish(first)
    challenger = make_standing(catalogue, first.name)
    retire_contender(contender=first.rival, now=NOW)
    put_in_charge(catalogue, challenger)
    assert wait_for(catalogue) == {}
    assert read_waiting(catalogue, challenger, now=NOW).taught == 6
    with pytest.raises(RetrainingRefused, match="Nothing waits"):
        start(catalogue, now=NOW + timedelta(days=1))
    teach(catalogue, questions=4)
    assert start(catalogue, now=NOW + timedelta(days=1)).votes == 8


def test_where_nothing_can_be_learned_what_is_missing_is_said(catalogue: Catalogue) -> None:
    items, player = list_trainable(catalogue), Player.objects.create(created_at=NOW)
    say(player, items[0], items[1], "dope")
    with pytest.raises(RetrainingRefused, match="1 votes have no counterpart"):
        start(catalogue)
    assert not Retraining.objects.exists()


def test_without_a_parent_nothing_is_taught() -> None:
    catalogue = make_catalogue(items=40, with_images=False)
    teach(catalogue)
    with pytest.raises(RetrainingRefused, match="Nobody is in charge"):
        start(catalogue)
    with pytest.raises(RetrainingRefused, match="There are: none yet"):
        start(catalogue, parent=PARENT)
    standing = make_standing(catalogue)
    assert start(catalogue, parent=PARENT).rival == standing
    finish(Retraining.objects.get())
    retire_contender(contender=standing, now=NOW)
    with pytest.raises(RetrainingRefused, match="Who was in charge is retired"):
        start(catalogue, now=NOW + timedelta(days=1))


def test_a_parent_that_was_trained_again_is_not_taught_under_its_old_contender(catalogue: Catalogue) -> None:
    teach(catalogue)
    Contender.objects.update(encoder_version="another")
    with pytest.raises(RetrainingRefused, match="has been trained again"):
        start(catalogue)
    assert not Retraining.objects.exists()


def test_a_training_that_fails_is_kept_with_its_reason_and_its_lessons_wait_again(
    catalogue: Catalogue,
) -> None:
    teach(catalogue)
    retraining = start(catalogue)
    fail(retraining, "The parent sees everything in one place.")
    queue = read_queue(catalogue, now=NOW)
    [row] = queue.rows
    assert row.state == "failed"
    assert "one place" in row.reason
    assert queue.triplets == 3
    assert retraining.lessons.count() == 3


def test_by_command_it_is_queued_or_refused(catalogue: Catalogue, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="Nothing waits"):
        call_command("retrain", catalogue="demo", queue=True)
    teach(catalogue)
    call_command("retrain", catalogue="demo", queue=True)
    assert f"{PARENT}-r1 is queued: 3 triplets of 6 votes and 0 picks" in capsys.readouterr().out
    [build] = Job.objects.filter(kind="build")
    assert build.after == Retraining.objects.get().training.job


def test_picks_of_games_that_are_over_teach_what_was_closest() -> None:
    catalogue = make_ground()
    catalogue.items.update(split=Split.TRAINABLE)
    finder = Finder(catalogue)
    shown = finder.state.slates[-1].items
    finder.pick()
    picked = finder.state.moves[1].item_id
    assert read_waiting(catalogue, None, now=NOW).picks["unsettled"] == 1
    finder.move(Kind.GIVE_UP)
    waiting = read_waiting(catalogue, None, now=NOW)
    assert waiting.picks["teaches"] == 1
    assert {(one.anchor, one.positive) for one in waiting.triplets} == {(finder.target, picked)}
    assert {one.negative for one in waiting.triplets} == set(shown) - {picked, finder.target}


def test_a_pick_leads_to_what_it_taught() -> None:
    catalogue = make_ground()
    catalogue.items.update(split=Split.TRAINABLE)
    put_in_charge(catalogue, make_standing(catalogue))
    finder = Finder(catalogue)
    finder.pick()
    finder.move(Kind.GIVE_UP)
    teach(catalogue)
    retraining = start(catalogue)
    [pick] = set(retraining.lessons.filter(pick__isnull=False).values_list("pick", flat=True))
    source = trace_pick(pick)
    assert source is not None and source.now == "counts"
    assert list(source.names) == [retraining]
    assert source.lessons == [row for row in iterate_lessons(retraining) if row.pick]
    assert {(row.pick, row.picked_now, row.liked) for row in source.lessons} == {(pick, "counts", None)}
    assert trace_pick(10**15) is None


def test_only_who_is_in_charge_is_taught(catalogue: Catalogue) -> None:
    make_standing(catalogue, "thimble-siamese")
    teach(catalogue)
    with pytest.raises(RetrainingRefused, match="“thimble-siamese” is not in charge"):
        start(catalogue, parent="thimble-siamese")


def test_a_disk_that_is_full_refuses_and_leaves_nothing(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*given: object, **named: object) -> None:
        raise DiskFull("The disk is full: free some space.")

    monkeypatch.setattr("search.services.retraining.write_lessons", fill)
    teach(catalogue)
    with pytest.raises(RetrainingRefused, match="The disk is full"):
        start(catalogue)
    assert not Retraining.objects.exists()


@pytest.mark.parametrize("end", [JobState.FAILED, JobState.CANCELLED, JobState.DONE])
def test_a_challenger_that_nothing_builds_says_so(catalogue: Catalogue, end: JobState) -> None:
    teach(catalogue)
    retraining = start(catalogue)
    finish(retraining)
    assert read_queue(catalogue, now=NOW).rows[0].state == "being built"
    Job.objects.filter(kind="build").update(state=end)
    [row] = read_queue(catalogue, now=NOW).rows
    assert row.state == "failed" and "Build the contenders again" in row.reason


def test_who_takes_over_from_a_retired_version_is_proposed_first(catalogue: Catalogue) -> None:
    make_standing(catalogue, "another")
    assert read_queue(catalogue, now=NOW).teachable == []
    standing = Contender.objects.get(promotions__isnull=False)
    Contender.objects.filter(pk=standing.pk).update(retired_at=NOW, encoder="another")
    queue = read_queue(catalogue, now=NOW)
    assert queue.is_gone
    assert (queue.teachable[0].encoder, queue.teachable[0].metric) == ("another", standing.metric)
