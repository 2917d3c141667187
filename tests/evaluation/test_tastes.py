"""Private encoders: learned from one person's answers, refused in clear words, deleted without a trace."""

from datetime import timedelta

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db.models import F, Q

from evaluation.models import Contender, Credit, Pair, Player, Taste, TastePair
from evaluation.selectors import tastes as selecting
from evaluation.selectors.taste_answers import LEAST, find_public, list_players, read_told
from evaluation.selectors.tastes import MOST_A_DAY, read_view
from evaluation.services.accounts import export_player
from evaluation.services.players import forget_holder
from evaluation.services.recount import find_differences
from evaluation.services.tastes import (
    TasteRefused,
    ask_taste,
    delete_spare_pairs,
    drop_taste,
)
from evaluation.services.verdicts import Grounds, exclude_player
from search.artifacts import open_vectors, space_folder, write_items
from search.models import Catalogue, CatalogueState, EmbeddingSpace, Index, Job, JobState, Split
from search.services.jobs import run_in_foreground
from tests.evaluation.tasting import find_contender, learn, make_ground, make_taster, tell
from tests.evaluation.teaching import list_trainable, put_in_charge, say
from tests.factories import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_what_is_learned_weighs_what_the_person_looks_at_and_is_compared_on_questions_that_judge() -> None:
    catalogue, vectors = make_ground()
    before = Contender.objects.count(), EmbeddingSpace.objects.count(), Index.objects.count()
    player, taste = make_taster(catalogue, vectors)
    assert taste.job and taste.job.state == JobState.DONE
    assert (taste.votes, taste.picks, taste.ready_at) == (40, 0, NOW)
    assert taste.contender == find_contender()
    assert taste.shares["colour"] > 0.6 > taste.shares["pattern"]
    assert 0 < taste.differing <= taste.asked == 30
    duels = TastePair.objects.filter(taste=taste).select_related("pair__question")
    for question in {duel.pair.question for duel in duels}:
        private, public = sorted(duels.filter(pair__question=question), key=lambda one: not one.is_private)
        assert (private.is_private, public.is_private) == (True, False)
        assert question.split == private.pair.split == Split.EVALUATION
        assert Credit.objects.filter(pair=public.pair, contender=taste.contender).exists()
        assert not Credit.objects.filter(pair=private.pair, contender=taste.contender).exists()
    assert (Contender.objects.count(), EmbeddingSpace.objects.count(), Index.objects.count()) == before
    view = read_view(player, catalogue, now=NOW)
    assert (view.state, view.left, view.shares[0][0]) == ("compared", duels.count() // 2, "colour")
    assert view.comparison and view.comparison.verdict == "early"


def test_the_encoder_in_charge_comes_first_and_one_with_masks_will_do() -> None:
    catalogue, _ = make_ground()
    public = find_public(catalogue)
    assert (
        public and public.contender == find_contender() and list(public.spaces) == ["", "colour", "pattern"]
    )
    put_in_charge(catalogue, public.contender)
    assert find_public(catalogue) == public
    Contender.objects.filter(pk=public.contender.pk).update(retired_at=NOW)
    assert find_public(catalogue) is None


def test_too_few_answers_are_refused_with_what_is_missing_and_what_comes_later() -> None:
    catalogue, vectors = make_ground()
    player = Player.objects.create(created_at=NOW)
    tell(player, catalogue, vectors, answers=4)
    tell(player, catalogue, vectors, answers=3, first=4, settled=False)
    with pytest.raises(
        TasteRefused, match=f"{LEAST - 4} answers and .* nopes to go. 3 more can still be taken"
    ):
        ask_taste(player, catalogue, now=NOW)
    assert not Taste.objects.exists() and not Job.objects.filter(kind="taste").exists()
    tell(player, catalogue, vectors, answers=LEAST, first=7)
    assert ask_taste(player, catalogue, now=NOW).job


def test_other_peoples_answers_and_those_on_questions_that_judge_teach_nothing() -> None:
    catalogue, vectors = make_ground()
    player, other = (Player.objects.create(created_at=NOW) for _ in range(2))
    tell(other, catalogue, vectors)
    told = Pair.objects.filter(deals__player=other)[:3]
    Pair.objects.filter(pk__in=list(told.values_list("pk", flat=True))).update(split=Split.EVALUATION)
    assert read_told(list_players(player), catalogue, now=NOW).answers == 0
    assert read_told(list_players(other), catalogue, now=NOW).answers == 37


def test_who_is_left_out_of_the_counts_does_not_learn_it_here() -> None:
    catalogue, vectors = make_ground()
    player = Player.objects.create(created_at=NOW)
    tell(player, catalogue, vectors)
    before = read_told(list_players(player), catalogue, now=NOW)
    exclude_player(player.pk, Grounds("looked at"), now=NOW)
    assert read_told(list_players(player), catalogue, now=NOW) == before


def test_without_masks_or_while_the_catalogue_changes_it_is_said_why_not() -> None:
    catalogue, vectors = make_ground(masks=False)
    player = Player.objects.create(created_at=NOW)
    tell(player, catalogue, vectors)
    with pytest.raises(TasteRefused, match="have no masks"):
        ask_taste(player, catalogue, now=NOW)
    Catalogue.objects.update(state=CatalogueState.IMPORTING)
    catalogue.refresh_from_db()
    with pytest.raises(TasteRefused, match="being changed just now"):
        ask_taste(player, catalogue, now=NOW)


def test_one_request_at_a_time_none_without_anything_new_and_a_few_a_day() -> None:
    catalogue, vectors = make_ground()
    player = Player.objects.create(created_at=NOW)
    tell(player, catalogue, vectors)
    taste = ask_taste(player, catalogue, now=NOW)
    assert (
        ask_taste(player, catalogue, now=NOW).job == taste.job
        and Job.objects.filter(kind="taste").count() == 1
    )
    for turn in range(1, MOST_A_DAY):
        drop_taste(player, catalogue, now=NOW + timedelta(minutes=turn))
        learn(player, catalogue, now=NOW + timedelta(minutes=turn))
    with pytest.raises(TasteRefused, match="nothing that it has not learned"):
        ask_taste(player, catalogue, now=NOW + DAY)
    tell(player, catalogue, vectors, answers=5, first=40)
    with pytest.raises(TasteRefused, match="asked 3 times today"):
        ask_taste(player, catalogue, now=NOW + timedelta(hours=1))
    assert learn(player, catalogue, now=NOW + DAY).votes == 45


def test_a_site_and_a_person_keep_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue, vectors = make_ground()
    make_taster(catalogue, vectors)
    other = Player.objects.create(created_at=NOW)
    tell(other, catalogue, vectors)
    monkeypatch.setattr(selecting, "MOST_ON_SITE", 1)
    with pytest.raises(TasteRefused, match="as many private encoders as it can"):
        ask_taste(other, catalogue, now=NOW)
    monkeypatch.setattr(selecting, "MOST_OF_ONE", 0)
    with pytest.raises(TasteRefused, match="which is the most"):
        ask_taste(other, catalogue, now=NOW)


def test_learned_again_it_takes_the_place_of_what_was_there() -> None:
    catalogue, vectors = make_ground()
    player, before = make_taster(catalogue, vectors)
    tell(player, catalogue, vectors, answers=20, first=40)
    after = learn(player, catalogue, now=NOW + DAY)
    assert Taste.objects.get() == before == after
    assert (after.votes, after.ready_at) == (60, NOW + DAY)
    assert delete_spare_pairs(NOW + DAY) == 0, "a deal may be on its way"
    delete_spare_pairs(NOW + 2 * DAY)
    assert not Pair.objects.filter(split=Split.EVALUATION, credits=None, catch=None, tastes=None).exists()


def test_a_job_that_fails_says_why_keeps_what_was_there_and_can_be_asked_for_again() -> None:
    catalogue, vectors = make_ground()
    player, before = make_taster(catalogue, vectors)
    tell(player, catalogue, vectors, answers=20, first=40)
    path = space_folder(EmbeddingSpace.objects.get(mask="colour")) / "items.safetensors"
    kept = path.read_bytes()
    path.unlink()
    later = NOW + DAY
    after = learn(player, catalogue, now=later)
    view = read_view(player, catalogue, now=later)
    assert view.state == "failed" and "Something broke on the way" in view.reason and not view.refusal
    assert after.job and "build the contenders again" in after.job.reason
    assert (after.votes, after.weights) == (40, before.weights) and view.comparison
    path.write_bytes(kept)
    assert learn(player, catalogue, now=later + timedelta(hours=1)).votes == 60


def test_items_that_came_since_the_build_are_left_out_of_what_is_learned() -> None:
    catalogue, vectors = make_ground()
    player, _ = make_taster(catalogue, vectors)
    items = list_trainable(catalogue)
    for position in (60, 61):
        new = catalogue.items.get(position=1)
        new.pk, new.key, new.position = None, f"new-{position}", position
        new.save()
        say(player, items[0], new, "dope")
        say(player, new, items[2], "nope")
    after = learn(player, catalogue, now=NOW + DAY)
    assert after.job and after.job.state == JobState.DONE, after.job
    assert (after.votes, after.asked, after.is_own) == (44, 30, True)
    with pytest.raises(TasteRefused, match="nothing that it has not learned"):
        ask_taste(player, catalogue, now=NOW + 2 * DAY)


def test_an_item_that_a_whole_build_left_out_is_left_out_here() -> None:
    catalogue, vectors = make_ground()
    player, _ = make_taster(catalogue, vectors)
    # One item more in the middle, removed before all was embedded.
    catalogue.items.filter(position__gte=7).update(position=F("position") + 1000)
    catalogue.items.filter(position__gte=7).update(position=F("position") - 999)
    gone = catalogue.items.get(position=6)
    gone.pk, gone.key, gone.position, gone.removed_at = None, "gone", 7, NOW
    gone.split = Split.TRAINABLE
    gone.save()
    for space in EmbeddingSpace.objects.all():
        write_items(space, np.delete(np.arange(61), 7), of=open_vectors(space))
    say(player, list_trainable(catalogue)[0], gone, "nope")
    after = learn(player, catalogue, now=NOW + DAY)
    assert after.job and after.job.state == JobState.DONE, after.job
    assert (after.asked, after.is_own) == (30, True)


def test_removed_items_are_in_no_comparison() -> None:
    catalogue, vectors = make_ground()
    player, before = make_taster(catalogue, vectors)
    duel = TastePair.objects.filter(taste=before).select_related("pair__question", "pair__candidate").first()
    assert duel
    gone = {duel.pair.question_id, duel.pair.candidate_id}
    catalogue.items.filter(pk__in=gone).update(removed_at=NOW)
    tell(player, catalogue, vectors, answers=2, first=40)
    after = learn(player, catalogue, now=NOW + DAY)
    assert after.asked < 30
    pairs = Pair.objects.filter(tastes__taste=after)
    assert pairs.exists() and not pairs.filter(Q(question__in=gone) | Q(candidate__in=gone)).exists()


def test_once_the_public_encoder_is_retired_it_is_said_and_nothing_is_compared() -> None:
    catalogue, vectors = make_ground()
    player, _ = make_taster(catalogue, vectors)
    Contender.objects.filter(pk=find_contender().pk).update(retired_at=NOW)
    view = read_view(player, catalogue, now=NOW)
    assert view.state == "stale" and "has left the blind test" in view.reason
    assert "have no masks" in view.refusal


def test_deleted_while_it_is_learned_nothing_of_it_is_kept() -> None:
    catalogue, vectors = make_ground()
    player = Player.objects.create(created_at=NOW)
    tell(player, catalogue, vectors)
    pairs = set(Pair.objects.values_list("pk", flat=True))
    job = ask_taste(player, catalogue, now=NOW).job
    assert drop_taste(player, catalogue, now=NOW) and not drop_taste(player, catalogue, now=NOW)
    assert job and Job.objects.get(pk=job.pk).state == JobState.CANCELLED
    Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED)  # as a worker that had it already
    run_in_foreground(job=job, report=lambda row: None, now=lambda: NOW)
    assert Job.objects.get(pk=job.pk).state == JobState.DONE
    assert set(Pair.objects.values_list("pk", flat=True)) == pairs
    assert read_view(player, catalogue, now=NOW).state == "none"


def test_who_is_forgotten_leaves_neither_encoder_nor_job_nor_pairs() -> None:
    catalogue, vectors = make_ground()
    pairs = Pair.objects.filter(split=Split.EVALUATION)
    before = set(pairs.values_list("pk", flat=True))
    player, _ = make_taster(catalogue, vectors)
    differences = find_differences()
    assert set(pairs.values_list("pk", flat=True)) > before
    assert export_player(player=player)["private_encoders"][0]["learned_from"] == "beholder"
    forget_holder(key=player.key, now=NOW)
    assert not Taste.objects.exists() and not TastePair.objects.exists()
    assert not Job.objects.filter(kind="taste").exists()
    delete_spare_pairs(NOW + DAY)
    assert set(pairs.values_list("pk", flat=True)) == before
    assert find_differences() == differences


def test_it_is_the_same_on_all_devices_of_an_account() -> None:
    catalogue, vectors = make_ground()
    user = User.objects.create(username="ada")
    player, taste = make_taster(catalogue, vectors)
    other = Player.objects.create(created_at=NOW, user=user)
    Player.objects.filter(pk=player.pk).update(user=user)
    view = read_view(other, catalogue, now=NOW)
    assert view.taste == taste and view.told.answers == 40 and view.left > 0
    assert drop_taste(other, catalogue, now=NOW) and not Taste.objects.exists()


def test_what_fits_everybodys_encoder_as_well_is_not_compared() -> None:
    catalogue, vectors = make_ground()
    player, taste = make_taster(catalogue, vectors)
    TastePair.objects.all().delete()
    Taste.objects.filter(pk=taste.pk).update(weights={"": 1.0, "colour": 0.0, "pattern": 0.0})
    view = read_view(player, catalogue, now=NOW)
    assert (view.state, view.comparison, list(view.shares)) == ("equal", None, [])
