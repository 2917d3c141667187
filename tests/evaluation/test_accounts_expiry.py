"""What the sweeper deletes, and what it must not."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from evaluation.models import Deal, Pair, Player, Round
from evaluation.services.deals import DEAL_LIFE
from evaluation.services.expiry import delete_ended_sessions, delete_unused_rounds
from tests.factories import NOW, make_catalogue, make_contenders

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair() -> Pair:
    make_contenders(make_catalogue(with_images=False), count=1, with_control=False)
    return Pair.objects.all()[0]


def make_round(pair: Pair, number: int, *, player: Player | None) -> Round:
    round_ = Round.objects.create(
        pk=f"{number:032x}", catalogue=pair.catalogue, player=player, created_at=NOW, holder="x"
    )
    Deal.objects.create(
        pk=f"{number:032x}",
        pair=pair,
        round=round_,
        player=player,
        place=1,
        side="question-first",
        policy="test",
        policy_version="1",
        propensity=0.5,
        issued_at=NOW,
        expires_at=NOW + DEAL_LIFE,
    )
    return round_


def test_rounds_that_nobody_voted_in_go_once_they_cannot_be_used(pair):
    make_round(pair, 1, player=None)
    assert delete_unused_rounds(NOW + DEAL_LIFE) == 0
    assert delete_unused_rounds(NOW + 3 * DEAL_LIFE + timedelta(seconds=1)) == 1
    assert not Round.objects.exists() and not Deal.objects.exists()


def test_what_a_player_was_dealt_stays_so_that_it_is_not_dealt_again(pair):
    make_round(pair, 1, player=Player.objects.create(created_at=NOW))
    assert delete_unused_rounds(NOW + timedelta(days=400)) == 0
    assert Deal.objects.count() == 1


def test_sessions_end(client):
    session = client.session
    session.save()
    ends = Session.objects.get().expire_date
    assert delete_ended_sessions(ends - timedelta(seconds=1)) == 0
    assert delete_ended_sessions(ends + timedelta(seconds=1)) == 1
