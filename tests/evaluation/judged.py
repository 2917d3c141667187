"""People who play a while: what one contender found they like, the rest they mostly do not."""

import uuid
from datetime import datetime

from evaluation.models import Contender, Credit, Player
from evaluation.services.rankings import request_ranking
from search.models import JobState
from search.services.jobs import run_in_foreground
from tests.evaluation.decks import cast, deal_to
from tests.factories import NOW


def play(liked: Contender, *, players: int = 6, rounds: int = 2) -> list[int]:
    """The players' ids; nobody is always of one mind."""
    keys = [uuid.uuid4() for _ in range(players)]
    found = set(Credit.objects.filter(contender=liked).values_list("pair", flat=True))
    for number, key in enumerate(keys):
        for _ in range(rounds):
            hand = deal_to(key, now=NOW, count=10, catalogue=liked.catalogue.slug, seed=number)
            answers = {
                deal.pk: "dope" if (deal.pair in found) != (place < number % 3) else "nope"
                for place, deal in enumerate(hand.deals)
            }
            cast(key, answers, now=NOW)
    return [Player.objects.get(key=key).pk for key in keys]


def rank(liked: Contender, *, now: datetime = NOW) -> None:
    """The night's ranking of its catalogue."""
    job = request_ranking(liked.catalogue, now=now)
    run_in_foreground(job=job, report=lambda job: None, now=lambda: now)
    job.refresh_from_db()
    assert job.state == JobState.DONE, job.reason
