"""How long private encoders are kept, and what is left of them whoever does what at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from evaluation.models import Player, Taste, TastePair
from evaluation.selectors import taste_answers as answering
from evaluation.selectors.tastes import read_view
from evaluation.services.accounts import link_player
from evaluation.services.players import finish_forgetting, forget_holder
from evaluation.services.tastes import UNUSED_AFTER, TasteRefused, ask_taste, delete_old_jobs, delete_unused
from search.models import Job
from search.services.jobs import retry_job, run_in_foreground
from tests.evaluation.tasting import learn, make_ground, make_taster, tell
from tests.evaluation.teaching import say
from tests.factories import NOW
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_of_people_who_do_not_play_any_more_it_is_deleted() -> None:
    catalogue, vectors = make_ground()
    make_taster(catalogue, vectors)
    assert delete_unused(NOW + UNUSED_AFTER) == 0
    assert delete_unused(NOW + UNUSED_AFTER + DAY) == 1 and not Taste.objects.exists()


def test_who_plays_on_another_device_keeps_what_was_learned() -> None:
    catalogue, vectors = make_ground()
    player, _ = make_taster(catalogue, vectors)
    user = User.objects.create(username="ada")
    Player.objects.filter(pk=player.pk).update(user=user)
    other = Player.objects.create(created_at=NOW, user=user)
    later = NOW + UNUSED_AFTER + DAY
    tell(other, catalogue, vectors, answers=1, at=later - DAY)
    assert delete_unused(later) == 0 and Taste.objects.exists()
    assert delete_unused(later + UNUSED_AFTER) == 1


def test_who_is_forgotten_while_asking_gets_nothing_learned() -> None:
    catalogue, vectors = make_ground()
    player, taste = make_taster(catalogue, vectors)
    tell(player, catalogue, vectors, answers=5, first=40)
    assert forget_holder(key=player.key, now=NOW)
    with pytest.raises(TasteRefused, match="forget you"):
        ask_taste(player, catalogue, now=NOW + timedelta(minutes=1))
    assert not Taste.objects.exists() and not Job.objects.filter(kind="taste").exists()
    Taste.objects.create(player=player, catalogue=catalogue, asked_at=taste.asked_at)  # was on its way
    finish_forgetting(NOW + timedelta(minutes=1))
    assert not Taste.objects.exists()


def test_an_earlier_job_run_again_learns_nothing() -> None:
    catalogue, vectors = make_ground()
    player, before = make_taster(catalogue, vectors)
    tell(player, catalogue, vectors, answers=20, first=40)
    learn(player, catalogue, now=NOW + DAY)
    tell(player, catalogue, vectors, answers=5, first=60)
    assert before.job
    retry_job(job=before.job, now=NOW + 2 * DAY)
    run_in_foreground(job=before.job, report=lambda job: None, now=lambda: NOW + 2 * DAY)
    assert (Taste.objects.get().votes, Taste.objects.get().ready_at) == (60, NOW + DAY)


def test_when_somebody_asked_is_kept_for_the_day() -> None:
    catalogue, vectors = make_ground()
    player, _ = make_taster(catalogue, vectors)
    assert delete_old_jobs(NOW) == 0
    assert delete_old_jobs(NOW + DAY) == 1 and not Job.objects.filter(kind="taste").exists()
    assert read_view(player, catalogue, now=NOW + DAY).state == "compared"


def test_of_two_of_a_catalogue_the_later_stays_when_a_device_joins_an_account() -> None:
    catalogue, vectors = make_ground()
    here, there = (Player.objects.create(created_at=NOW) for _ in range(2))
    user = User.objects.create(username="ada")
    for turn, player in enumerate((here, there)):
        tell(player, catalogue, vectors)
        learn(player, catalogue, now=NOW + turn * DAY)
        link_player(user=user, key=player.key, now=NOW + 2 * DAY)
    assert Taste.objects.get().player == there


def test_who_said_more_than_is_learned_can_have_it_learned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MOST_LEARNED", 40)
    catalogue, vectors = make_ground()
    player, _ = make_taster(catalogue, vectors)
    with pytest.raises(TasteRefused, match="nothing that it has not learned"):
        ask_taste(player, catalogue, now=NOW + DAY)
    tell(player, catalogue, vectors, answers=5, first=40, at=NOW + DAY)
    assert learn(player, catalogue, now=NOW + DAY).votes == 40


def test_what_is_left_to_compare_falls_once_an_answer_counts_and_no_sooner() -> None:
    """Else a look at the page would tell which pairs of a round compare."""
    catalogue, vectors = make_ground()
    player, taste = make_taster(catalogue, vectors)
    before = read_view(player, catalogue, now=NOW).left
    pair = TastePair.objects.filter(taste=taste)[0].pair
    say(player, pair.question, pair.candidate, "dope", at=NOW, policy="taste", settled=False)
    assert read_view(player, catalogue, now=NOW).left == before
    assert read_view(player, catalogue, now=NOW + DAY).left == before - 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time by itself")
def test_asking_waits_for_whoever_forgets_the_person_and_is_refused() -> None:
    catalogue, vectors = make_ground()
    player = Player.objects.create(created_at=NOW)
    tell(player, catalogue, vectors)

    def ask() -> str:
        try:
            ask_taste(player, catalogue, now=NOW)
        except TasteRefused as refused:
            return str(refused)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            forget_holder(key=player.key, now=NOW)
            asked = pool.submit(ask)
            wait_until(lambda: asked.done() or _somebody_waits())
        assert "forget you" in asked.result(30)
    assert not Taste.objects.exists() and not Job.objects.filter(kind="taste").exists()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN"
            " (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
        )
        return bool(cursor.fetchone()[0])
