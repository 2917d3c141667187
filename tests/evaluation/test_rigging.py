"""Five hundred votes of people who want one contender to win: what they move, and what is left of it."""

import uuid
from collections.abc import Callable

import pytest

from evaluation.models import Contender, Credit, Player
from evaluation.selectors.board import Filters, Row, read_board
from evaluation.services.recount import find_differences
from evaluation.services.verdicts import Grounds, exclude_player
from tests.evaluation.decks import cast, deal_to
from tests.factories import NOW, make_catalogue, make_contenders

pytestmark = pytest.mark.django_db
HONEST, HOSTILE, EACH = 12, 50, 10


def play(players: int, *, seed: int, says: Callable[[str, int], str]) -> list[uuid.UUID]:
    keys = [uuid.uuid4() for _ in range(players)]
    for number, key in enumerate(keys):
        hand = deal_to(key, now=NOW, count=EACH, seed=seed + number)
        cast(key, {deal.pk: says(deal.pk, deal.place + number) for deal in hand.deals}, now=NOW)
    return keys


def read_rows() -> dict[int, Row]:
    return {row.contender: row for row in read_board(Filters()).rows}


def test_09_five_hundred_hostile_votes_move_no_share_further_than_they_weigh_and_leave_no_trace() -> None:
    """Omnipresent: a dope on all the target found, a nope on everything else, ten votes a player."""
    make_contenders(make_catalogue(items=120, with_images=False), count=4)
    play(HONEST, seed=0, says=lambda deal, number: ("dope", "nope", "dope", "skip")[number % 4])
    before = read_rows()
    target = Contender.objects.order_by("pk")[1]

    def favour(deal: str, number: int) -> str:
        found = Credit.objects.filter(pair__deals=deal, contender=target).exists()
        return "dope" if found else "nope"

    crew = play(HOSTILE, seed=100, says=favour)
    rigged = read_rows()
    assert rigged[target.pk].approval > before[target.pk].approval
    for pk, row in rigged.items():
        weight = (row.votes - before[pk].votes) / row.votes
        assert abs(row.approval - before[pk].approval) <= weight < 1
    for number in Player.objects.filter(key__in=crew).values_list("pk", flat=True):
        exclude_player(number, Grounds("says yes to one contender alone"), now=NOW)
    assert read_rows() == before
    assert find_differences() == []
    [told] = read_board(Filters()).exclusions
    assert (told.players, told.judged) == (HOSTILE, HOSTILE * EACH)
