"""What webhooks are told of the leaderboard, and what they are not."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest

from evaluation.models import Contender, Player, Ranking
from evaluation.selectors.rankings import find_led
from evaluation.services.contenders import retire_contender, take_place
from evaluation.services.news import tell_ranking
from evaluation.services.rankings import request_ranking
from evaluation.services.verdicts import Grounds, exclude_player
from search.models import Delivery, Topic
from search.services.jobs import run_in_foreground
from search.services.webhooks import register_webhook
from tests.evaluation.decks import cast, deal_to
from tests.evaluation.judged import play
from tests.factories import NOW, make_catalogue, make_contender, make_contenders

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def hook() -> None:
    register_webhook(address="https://hooks.example/", topics=list(Topic), made_by="ada", now=NOW)


def told() -> list[tuple[str, dict[str, Any]]]:
    """Everything so far, which is thereby heard."""
    heard = [json.loads(one.body) for one in Delivery.objects.all()]
    Delivery.objects.all().delete()
    return [(one["type"], one["data"]) for one in heard]


def test_contenders_that_come_and_go() -> None:
    [first] = make_contenders(make_catalogue(with_images=False), count=1, with_control=False)
    ((topic, data),) = told()
    assert (topic, data["contender"], data["catalogue"]) == ("contender.entered", first.pk, "demo")
    second = make_contender(first.catalogue, encoder="second")
    told()
    Contender.objects.filter(pk=second.pk).update(encoder=first.encoder, metric=first.metric)
    second.refresh_from_db()
    take_place(contender=second, now=NOW + DAY)
    ((topic, data),) = [one for one in told() if one[0] == "contender.retired"]
    assert (data["contender"], data["replaced_by"]["contender"]) == (first.pk, second.pk)
    retire_contender(contender=second, now=NOW + DAY)
    retire_contender(contender=second, now=NOW + DAY)
    ((topic, data),) = told()
    assert (topic, data["change"], data["contender"]) == ("contender.retired", "retired", second.pk)


def test_who_is_alone_leads_and_a_ranking_without_votes_changes_no_leader() -> None:
    catalogue = make_catalogue(items=4, with_images=False)
    [alone] = make_contenders(catalogue, count=1, with_control=False)
    told()
    row = {"contender": alone.pk, "share": 0.5}
    common = {"catalogue": catalogue, "tallied": 1, "players": 1}
    led = Ranking(made_at=NOW, votes=1, figures={"rows": [row], "lead": None}, **common)
    tell_ranking(led, None)
    assert dict(told()).keys() == {"ranking.made", "leader.changed"}
    led.save()
    Ranking.objects.create(made_at=NOW + DAY, votes=0, figures={"rows": [], "lead": None}, **common)
    before = find_led(catalogue)
    assert before == led
    tell_ranking(led, before)
    ((topic, data),) = told()
    assert topic == "ranking.made" and data["leader"]["contender"] == alone.pk


def test_rankings_and_their_leaders_and_verdicts() -> None:
    catalogue = make_catalogue(items=40, with_images=False)
    make_contenders(catalogue, count=2, with_control=False)
    for seed in range(3):
        key = uuid.uuid4()
        hand = deal_to(key, now=NOW, count=8, seed=seed)
        cast(key, {deal.pk: ("dope", "nope")[deal.place % 2] for deal in hand.deals}, now=NOW)
    told()

    def rank(at) -> dict[str, dict[str, Any]]:
        job = request_ranking(catalogue, now=at)
        run_in_foreground(job=job, report=lambda job: None, now=lambda: at)
        return dict(told())

    first = rank(NOW)
    assert first["ranking.made"]["votes"] == 24 and first["ranking.made"]["players"] == 3
    leader = first["ranking.made"]["leader"]
    assert first["leader.changed"]["leader"] == leader
    assert first["leader.changed"]["former_leader"] is None
    assert set(rank(NOW + DAY)) == {"ranking.made"}, "the same leader is no news"

    play(Contender.objects.exclude(pk=leader["contender"]).get())
    changed = rank(NOW + 2 * DAY)
    assert changed["ranking.made"]["leader"] == changed["leader.changed"]["leader"] != leader
    assert changed["leader.changed"]["former_leader"] == leader

    player = Player.objects.first()
    exclude_player(player.pk, Grounds("answers at random", by="ada"), now=NOW)
    ((topic, data),) = told()
    assert (topic, data["player"], data["ruling"]) == ("player.judged", player.pk, "excluded")
    assert "ada" not in json.dumps(data) and str(player.key) not in json.dumps(data)
