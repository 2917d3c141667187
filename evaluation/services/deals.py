"""Dealing: pairs handed to a player, a round of twenty places at a time."""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

import numpy as np
from django.db import transaction

from evaluation.models import Deal, Round, Side
from evaluation.models.holders import holder_of, is_held
from evaluation.models.statements import execute, insert, moment
from evaluation.selectors.extras import find_contest, find_extras, find_repeatable
from evaluation.selectors.hands import ShownDeal, ask_shown, gather_shown
from evaluation.selectors.pools import find_pool
from evaluation.selectors.tables import Dealt, Hall, OpenRound, Seat, Table, read_table
from evaluation.stats.allocation import POLICY_VERSION, Draw
from evaluation.stats.places import Stock, draw_places

DEAL_LIFE = timedelta(hours=24)
ROUND_SIZE = 20
MOST_AT_ONCE = 10
DELETED_AT_ONCE = 500


@dataclass(frozen=True)
class DealRequest:
    """What a deck asks for: ``held`` are deals it still shows, ``round_id`` None resumes or opens a round.

    Without ``may_draw`` it gets back what was dealt to it before, and nothing new.
    """

    key: uuid.UUID
    catalogue: str
    round_id: str | None
    held: frozenset[str]
    count: int
    may_draw: bool = True


@dataclass(frozen=True)
class Hand:
    """The deals handed out, the last ``fresh`` of them new.

    ``round`` is None where there is nothing to deal and nothing to resume.
    """

    round: OpenRound | None
    deals: list[ShownDeal]
    fresh: int
    exhausted: bool


class UnknownCatalogue(Exception):
    """No catalogue has this slug."""


def deal_pairs(
    requests: Sequence[DealRequest], *, now: datetime, rng: np.random.Generator
) -> list[Hand | UnknownCatalogue]:
    """Answer several requests; call it in a transaction. Draws depend on ``rng`` alone.

    Deals of the round that are neither spent nor held are handed out again before new ones are drawn.
    Requests of different players share every query; a second one of the same player sees the first's deals.
    """
    answers: dict[int, Hand | UnknownCatalogue] = {}
    waiting = list(enumerate(requests))
    while waiting:
        wave = {request.key: (turn, request) for turn, request in reversed(waiting)}
        turns = dict(wave.values())
        answers |= _deal_to_different_players(turns, now=now, rng=rng)
        waiting = [(turn, request) for turn, request in waiting if turn not in turns]
    return [answers[turn] for turn in range(len(requests))]


@transaction.atomic
def reveal_round(*, round_: Round, now: datetime) -> bool:
    """Close a finished round to undo, so that its contenders may be shown; False where it is open again."""
    held = Round.objects.select_for_update(no_key=True).get(pk=round_.pk)
    if held.judged != round_.judged:
        return False
    if held.revealed_at is None:
        Round.objects.filter(pk=round_.pk).update(revealed_at=now)
    return True


def is_holder(key: uuid.UUID, round_: Round) -> bool:
    return is_held(key, round_.pk, round_.holder)


def new_id() -> str:
    """128 random bits; never from the injected generator, which others might predict."""
    return secrets.token_hex(16)


@dataclass(frozen=True)
class _Issue:
    """A deal to be stored."""

    pk: str
    draw: Draw
    place: int
    side: Side


@dataclass
class _Plan:
    """What one request will get, before anything is written."""

    round: OpenRound | None
    player: int | None
    again: list[str] = field(default_factory=list)
    fresh: list[_Issue] = field(default_factory=list)
    opened: bool = False
    shrunk: bool = False


def _deal_to_different_players(
    requests: Mapping[int, DealRequest], *, now: datetime, rng: np.random.Generator
) -> dict[int, Hand | UnknownCatalogue]:
    table = read_table(
        slugs={request.catalogue for request in requests.values()},
        keys={request.key for request in requests.values()},
        rounds={request.round_id for request in requests.values() if request.round_id},
        since=now - DEAL_LIFE,
        now=now,
    )
    plans = {
        turn: _plan(request, table, now=now, rng=rng)
        for turn, request in sorted(requests.items())
        if request.catalogue in table.halls
    }
    shown = _write(list(plans.values()), now=now)
    answers: dict[int, Hand | UnknownCatalogue] = {}
    for turn, request in requests.items():
        if turn not in plans:
            answers[turn] = UnknownCatalogue(f"There is no catalogue “{request.catalogue}”.")
            continue
        plan = plans[turn]
        deals = [shown[deal] for deal in (*plan.again, *(issue.pk for issue in plan.fresh))]
        held = bool(request.held) and plan.round is not None and not plan.shrunk
        answers[turn] = Hand(plan.round, deals, len(plan.fresh), exhausted=not deals and not held)
    return answers


def _plan(request: DealRequest, table: Table, *, now: datetime, rng: np.random.Generator) -> _Plan:
    hall, seat = table.halls[request.catalogue], table.seats.get(request.key)
    plan = _Plan(_find_round(request, hall, seat, table), seat.pk if seat else None)
    dealt = table.dealt.get(plan.round.pk, ()) if plan.round else ()
    seen = table.seen_by(seat)
    spendable = _leave_out_void(dealt, seen)
    most = min(request.count, MOST_AT_ONCE)
    plan.again = [
        one.deal for one in spendable if not one.spent and not one.expired and one.deal not in request.held
    ][:most]
    last = dealt[-1] if dealt else None
    places = len({one.place for one in spendable})  # what was undone stands beside what replaces it
    wanted = min(most - len(plan.again), (plan.round.size if plan.round else ROUND_SIZE) - places)
    if wanted <= 0 or not request.may_draw:
        return plan
    extras = find_extras(hall, now=now)
    draws = draw_places(
        Stock(find_pool(hall, now=now), extras.lessons, extras.identical, extras.random),
        # What this round has compared does not come to count in it as well.
        seen=np.array([*seen, *(one.pair for one in dealt)], dtype=np.int64),
        count=wanted,
        previous_question=last.question if last else None,
        find_repeats=cache(lambda: find_repeatable(seat, hall)),
        rng=rng,
        contest=find_contest(table.taste_of(seat, hall), seat),
    )
    if draws and plan.round is None:
        plan.round, plan.opened = _open_round(request.key, hall, seat), True
    if plan.round is not None:
        first = last.place + 1 if last else 1
        plan.fresh = _issue(draws, first=first, rng=rng)
        if len(draws) < wanted:
            # Every pair was dealt: the round ends with the places it has.
            plan.round.size, plan.shrunk = places + len(draws), True
    return plan


def _leave_out_void(dealt: Sequence[Dealt], seen: Sequence[int]) -> Sequence[Dealt]:
    """Leave out what no vote can spend: dealt to a visitor who, as a player, had the pair from elsewhere."""
    if all(one.claimed for one in dealt):
        return dealt
    known = frozenset(seen)
    return [one for one in dealt if one.claimed or one.pair not in known]


def _find_round(request: DealRequest, hall: Hall, seat: Seat | None, table: Table) -> OpenRound | None:
    """The round asked for, or the player's unfinished one; None where a new one must be opened."""
    for one in table.rounds:
        asked = one.pk == request.round_id if request.round_id else seat and one.player == seat.pk
        if asked and one.catalogue == hall.catalogue and is_held(request.key, one.pk, one.holder):
            return one
    return None


def _open_round(key: uuid.UUID, hall: Hall, seat: Seat | None) -> OpenRound:
    round_id = new_id()
    holder = holder_of(key, round_id)
    return OpenRound(round_id, hall.catalogue, seat.pk if seat else None, holder, size=ROUND_SIZE, judged=0)


def _issue(draws: Sequence[Draw], *, first: int, rng: np.random.Generator) -> list[_Issue]:
    sides = [Side.QUESTION_FIRST, Side.CANDIDATE_FIRST]
    return [
        _Issue(new_id(), draw, place, sides[int(rng.integers(2))])
        for place, draw in enumerate(draws, start=first)
    ]


def _write(plans: Sequence[_Plan], *, now: datetime) -> dict[str, ShownDeal]:
    """Store new rounds and deals; returns all deals of the plans as the page shows them."""
    at, expires = moment(now), moment(now + DEAL_LIFE)
    opened = [plan.round for plan in plans if plan.opened and plan.round]
    new_rounds = insert(
        Round,
        ("id", "catalogue_id", "player_id", "holder", "size", "judged", "created_at"),
        [(one.pk, one.catalogue, one.player, one.holder, one.size, 0, at) for one in opened],
    )
    for plan in plans:
        if plan.shrunk and not plan.opened and plan.round:
            Round.objects.filter(pk=plan.round.pk).update(size=plan.round.size)
    new_deals = insert(
        Deal,
        ("id", "pair_id", "round_id", "player_id", "place", "side", "policy", "policy_version", "propensity",
         "issued_at", "expires_at"),
        [
            (one.pk, one.draw.pair, plan.round.pk, plan.player, one.place, one.side.value, one.draw.policy,
             POLICY_VERSION, one.draw.propensity, at, expires)
            for plan in plans
            if plan.round
            for one in plan.fresh
        ],
    )  # fmt: skip
    handed = [deal for plan in plans for deal in (*plan.again, *(one.pk for one in plan.fresh))]
    return gather_shown(execute(new_rounds, new_deals, ask_shown(handed)))


def delete_abandoned_rounds(now: datetime) -> int:
    """Delete what visitors left who never voted, once no deal of it can be spent; returns how many rounds."""
    abandoned = Round.objects.filter(player=None, created_at__lt=now - 2 * DEAL_LIFE).order_by("created_at")
    pks = list(abandoned.values_list("pk", flat=True)[:DELETED_AT_ONCE])
    Round.objects.filter(pk__in=pks, player=None).delete()
    return len(pks)
