"""Who is in charge: challengers that win blind take over, all others do not, and one click goes back."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection

from evaluation.models import Contender, Deal, Promotion, Retraining
from evaluation.selectors.promotions import find_challenger, find_in_charge, find_last
from evaluation.selectors.retrainings import read_queue
from evaluation.services.challenges import KIND, request_comparison, request_due
from evaluation.services.contenders import retire_contender
from evaluation.services.promotions import QUICKER, PromotionRefused, appoint, promote, roll_back
from search.models import Catalogue, Job, JobState
from search.services.jobs import run_in_foreground
from tests.evaluation.decks import cast, deal_to
from tests.evaluation.teaching import finish, make_standing, put_in_charge, see_kinds, start, teach
from tests.factories import NOW, make_catalogue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def catalogue() -> Catalogue:
    """A catalogue with an encoder in charge that tells its categories apart."""
    catalogue = make_catalogue(items=120, with_images=False)
    put_in_charge(catalogue, make_standing(catalogue, vectors=see_kinds(catalogue, seed=1)))
    return catalogue


def challenge(catalogue: Catalogue, *, vectors: Any = None) -> Retraining:
    """A retraining whose encoder stands in the blind test; usually it tells categories apart."""
    teach(catalogue)
    retraining = start(catalogue)
    finish(retraining)
    make_standing(
        catalogue,
        retraining.name,
        vectors=see_kinds(catalogue, seed=7) if vectors is None else vectors,
    )
    return retraining


def like(encoder: str, *, players: int = 30) -> None:
    """People who mostly approve of what this encoder found, under any metric, and of little else."""
    for seed in range(players):
        key = uuid.uuid4()
        hand = deal_to(key, now=NOW, count=10, seed=seed)
        found = set(Contender.objects.filter(encoder=encoder).values_list("credits__pair__deals", flat=True))
        # Nobody is always of one mind.
        sure = np.random.default_rng(seed).random(len(hand.deals)) < 0.85
        answers = {
            deal.pk: "dope" if (deal.pk in found) == one else "nope"
            for deal, one in zip(hand.deals, sure, strict=True)
        }
        cast(key, answers, now=NOW)


def compare(catalogue: Catalogue, *, after: timedelta = timedelta()) -> Job:
    job = request_comparison(catalogue, now=NOW + after)
    run_in_foreground(job=job, report=lambda row: None, now=lambda: NOW)
    job.refresh_from_db()
    assert job.state == JobState.DONE, job.reason
    return job


def test_a_challenger_that_people_prefer_is_put_in_charge_with_the_evidence(catalogue: Catalogue) -> None:
    retraining = challenge(catalogue)
    like(retraining.name)
    assert f"“{retraining.name}” is in charge now" in compare(catalogue).message
    made = find_last(catalogue)
    assert made is not None
    assert (made.kind, made.made_by, made.retraining) == (Promotion.Kind.PROMOTED, "", retraining)
    assert made.evidence["low"] > 0
    assert made.evidence["gold_challenger"] >= made.evidence["gold_parent"] - made.evidence["gold_margin"]
    assert made.contender.encoder == retraining.name
    teach(catalogue)
    assert start(catalogue, now=NOW + timedelta(days=2)).rival == made.contender


def test_one_that_people_like_less_is_kept_and_not_promoted(catalogue: Catalogue) -> None:
    retraining = challenge(catalogue)
    like(retraining.rival.encoder)
    compare(catalogue)
    [row] = read_queue(catalogue, now=NOW).rows
    assert row.state == "challenger"
    assert row.missing == ["the lower bound of its lead is not above 0"]
    with pytest.raises(PromotionRefused, match="not above 0"):
        promote(retraining, by="olga", now=NOW)
    assert find_in_charge(catalogue) == retraining.rival


def test_one_that_forgot_what_is_plain_is_not_promoted_however_liked(catalogue: Catalogue) -> None:
    retraining = challenge(catalogue, vectors=see_kinds(catalogue, seed=3)[:, 3:])
    like(retraining.name)
    compare(catalogue)
    with pytest.raises(PromotionRefused, match="gold set wrongly"):
        promote(retraining, by="olga", now=NOW)
    retraining.refresh_from_db()
    assert retraining.figures["low"] > 0
    assert retraining.figures["gold_parent"] == 1


def test_who_taught_it_and_what_was_dealt_before_it_entered_decide_nothing(catalogue: Catalogue) -> None:
    retraining = challenge(catalogue)
    like(retraining.rival.encoder)
    entered = Contender.objects.filter(encoder=retraining.name)
    entered.update(entered_at=NOW + timedelta(days=1))
    compare(catalogue)
    retraining.refresh_from_db()
    assert "since it entered" in retraining.figures["failed"]
    entered.update(entered_at=NOW)
    # One of those who judged had taught it.
    lesson = retraining.lessons.first()
    assert lesson is not None
    deal = Deal.objects.get(pk=lesson.liked_id)
    own = Deal.objects.filter(vote__isnull=False, pair__credits__contender=entered.get(metric="l2"))
    judge = own.exclude(pair__credits__contender=retraining.rival).first()
    assert judge is not None
    Deal.objects.filter(pk=deal.pk).update(player=judge.player)
    compare(catalogue, after=timedelta(days=1))
    retraining.refresh_from_db()
    telling = retraining.figures["telling"]
    Deal.objects.filter(pk=deal.pk).update(player=deal.player)
    compare(catalogue, after=timedelta(days=2))
    retraining.refresh_from_db()
    assert 0 < telling < retraining.figures["telling"]


def test_before_it_is_compared_nobody_can_promote_it(catalogue: Catalogue) -> None:
    retraining = challenge(catalogue)
    with pytest.raises(PromotionRefused, match="not been compared"):
        promote(retraining, by="olga", now=NOW)
    compare(catalogue)
    with pytest.raises(PromotionRefused, match="nobody who taught it nothing has judged"):
        promote(retraining, by="olga", now=NOW)


def test_where_no_gold_can_be_drawn_nobody_is_promoted() -> None:
    catalogue = make_catalogue(items=120, categories=0, with_images=False)
    put_in_charge(catalogue, make_standing(catalogue))
    retraining = challenge(catalogue, vectors=np.random.default_rng(5).normal(size=(120, 4)))
    like(retraining.name)
    compare(catalogue)
    with pytest.raises(PromotionRefused, match="there is no gold set"):
        promote(retraining, by="olga", now=NOW)


def test_a_click_goes_back_and_the_rule_leaves_it_at_that(catalogue: Catalogue) -> None:
    retraining = challenge(catalogue)
    like(retraining.name)
    compare(catalogue)
    back = roll_back(catalogue, seen=2, by="olga", now=NOW)
    assert back.kind == Promotion.Kind.ROLLED_BACK
    assert find_in_charge(catalogue) == retraining.rival
    assert "rolled it back" in compare(catalogue, after=timedelta(days=1)).message
    assert find_in_charge(catalogue) == retraining.rival
    with pytest.raises(PromotionRefused, match="compare it again"):
        promote(retraining, by="olga", now=NOW + timedelta(hours=2))
    again = promote(retraining, by="olga", now=NOW)
    assert [one.number for one in Promotion.objects.all()] == [1, 2, 3, 4]
    assert again.evidence["low"] > 0
    assert again.evidence["contender"] == again.contender_id
    assert again.evidence["compared_at"] == NOW.isoformat()
    with pytest.raises(PromotionRefused, match="look again"):
        roll_back(catalogue, seen=2, by="olga", now=NOW)
    roll_back(catalogue, seen=4, by="olga", now=NOW)
    with pytest.raises(PromotionRefused, match="Nobody was in charge of “Demo” before"):
        roll_back(catalogue, seen=5, by="olga", now=NOW)


def test_rollbacks_go_back_step_by_step() -> None:
    catalogue = make_catalogue(items=120, with_images=False)
    standing = [make_standing(catalogue, name, vectors=see_kinds(catalogue, seed=1)) for name in "abc"]
    number = 0
    for one in standing:
        number += 1
        Promotion.objects.create(
            catalogue=catalogue,
            number=number,
            kind=Promotion.Kind.PROMOTED,
            contender=one,
            replaces=find_last(catalogue),
            made_at=NOW,
        )
    for expected in (standing[1], standing[0]):
        assert roll_back(catalogue, seen=number, by="olga", now=NOW).contender == expected
        number += 1


def test_a_network_that_is_trained_again_under_its_name_is_not_what_won(catalogue: Catalogue) -> None:
    retraining = challenge(catalogue)
    like(retraining.name)
    Contender.objects.filter(encoder=retraining.name).update(encoder_version="of another training")
    assert "no challenger" in compare(catalogue).message
    with pytest.raises(PromotionRefused, match="not among the contenders"):
        promote(retraining, by="olga", now=NOW)


def test_a_challenger_that_returns_is_found_before_its_retired_versions(catalogue: Catalogue) -> None:
    retraining = challenge(catalogue)
    standing = find_challenger(retraining)
    assert standing is not None
    facts = {name: getattr(standing, name) for name in ("encoder", "encoder_version", "metric")}
    Contender.objects.create(
        catalogue=catalogue,
        title="older",
        family="trained",
        created_at=NOW,
        entered_at=NOW,
        retired_at=NOW,
        **facts,
    )
    assert find_challenger(retraining) == standing


def test_of_two_promotions_at_once_one_wins(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    retraining = challenge(catalogue)
    like(retraining.name)
    monkeypatch.setattr("evaluation.services.challenges.promote", refuse)
    compare(catalogue)
    both_know = threading.Barrier(2, timeout=60)

    def find_and_wait(of: Catalogue) -> Promotion | None:
        last = find_last(of)
        both_know.wait()
        return last

    monkeypatch.setattr("evaluation.services.promotions.find_last", find_and_wait)
    told = run_at_once(
        lambda: promote(retraining, by="olga", now=NOW), lambda: promote(retraining, by="otto", now=NOW)
    )
    assert sorted(told) == ["made", f"refused: {QUICKER}"]
    assert [one.kind for one in Promotion.objects.all()] == ["appointed", "promoted"]


def refuse(retraining: Retraining, **how: object) -> Promotion:
    raise PromotionRefused("tonight it is only compared")


def run_at_once(*calls: Callable[[], object]) -> list[str]:
    """Each in a thread and a connection of its own."""
    told: list[str] = []

    def run(call: Callable[[], object]) -> None:
        try:
            call()
            told.append("made")
        except PromotionRefused as refused:
            told.append(f"refused: {refused}")
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def test_who_is_in_charge_stays_until_it_is_beaten_or_retired(catalogue: Catalogue) -> None:
    standing = find_in_charge(catalogue)
    assert standing is not None
    other = make_standing(catalogue, "other", vectors=see_kinds(catalogue, seed=2))
    with pytest.raises(PromotionRefused, match="winning blind"):
        appoint(catalogue, other, by="olga", now=NOW)
    retire_contender(contender=standing, now=NOW)
    elsewhere = make_standing(make_catalogue(slug="elsewhere", items=120, with_images=False), "other")
    with pytest.raises(PromotionRefused, match="cannot be in charge"):
        appoint(catalogue, elsewhere, by="olga", now=NOW)
    appoint(catalogue, other, by="olga", now=NOW)
    assert find_in_charge(catalogue) == other
    with pytest.raises(PromotionRefused, match="is retired: build its encoder again"):
        roll_back(catalogue, seen=2, by="olga", now=NOW)


def test_a_challenger_of_who_is_not_in_charge_any_more_is_left_alone(catalogue: Catalogue) -> None:
    retraining = challenge(catalogue)
    retire_contender(contender=retraining.rival, now=NOW)
    put_in_charge(catalogue, make_standing(catalogue, "other", vectors=see_kinds(catalogue, seed=2)))
    assert request_due(NOW) == 0
    with pytest.raises(PromotionRefused, match="not in charge any more"):
        promote(retraining, by="olga", now=NOW)


def test_challengers_are_compared_once_a_day(catalogue: Catalogue) -> None:
    assert request_due(NOW) == 0, "there is none"
    challenge(catalogue)
    assert [request_due(NOW), request_due(NOW), request_due(NOW + timedelta(days=1))] == [1, 0, 1]
    assert Job.objects.filter(kind=KIND).count() == 2
