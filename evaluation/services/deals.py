"""Dealing: pairs handed to a player, a round of twenty places at a time."""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction

from evaluation.models import Deal, Pair, Player, Round, Side
from evaluation.selectors.pools import find_pool, list_seen_pairs
from evaluation.stats.allocation import POLICY, POLICY_VERSION, Draw, draw_pairs
from search.models import Catalogue

DEAL_LIFE = timedelta(hours=24)
ROUND_SIZE = 20
MOST_AT_ONCE = 10
DROPPED_AT_ONCE = 3


@dataclass(frozen=True)
class DealRequest:
    """What a deck asks for: ``held`` are deals it still shows, ``round_id`` None resumes or opens a round."""

    key: uuid.UUID
    catalogue: str
    round_id: str | None
    held: frozenset[str]
    count: int


@dataclass(frozen=True)
class Hand:
    """The deals handed out; ``round`` is None where there is nothing to deal and nothing to resume."""

    round: Round | None
    deals: list[Deal]
    exhausted: bool


class UnknownCatalogue(Exception):
    """No catalogue has this slug."""


def deal_pairs(
    requests: Sequence[DealRequest], *, now: datetime, rng: np.random.Generator
) -> list[Hand | UnknownCatalogue]:
    """Answer several requests in turn; call it in a transaction. Draws depend on ``rng`` alone.

    Deals of the round that are neither spent nor held are handed out again before new ones are drawn.
    """
    return [_deal(request, now=now, rng=rng) for request in requests]


@transaction.atomic
def reveal_round(*, round_: Round, now: datetime) -> bool:
    """Close a finished round to undo, so that its contenders may be shown; False where it is open again."""
    held = Round.objects.select_for_update().get(pk=round_.pk)
    if held.judged != round_.judged:
        return False
    if held.revealed_at is None:
        Round.objects.filter(pk=round_.pk).update(revealed_at=now)
    return True


def holder_of(key: uuid.UUID, round_id: str) -> str:
    """What binds a round to a player's key without storing the key."""
    return hashlib.sha256(f"{key.hex}:{round_id}".encode()).hexdigest()


def is_holder(key: uuid.UUID, round_: Round) -> bool:
    return hmac.compare_digest(holder_of(key, round_.pk), round_.holder)


def new_id() -> str:
    """128 random bits; never from the injected generator, which others might predict."""
    return secrets.token_hex(16)


def _deal(request: DealRequest, *, now: datetime, rng: np.random.Generator) -> Hand | UnknownCatalogue:
    catalogue = Catalogue.objects.filter(slug=request.catalogue).first()
    if catalogue is None:
        return UnknownCatalogue(f"There is no catalogue “{request.catalogue}”.")
    player = Player.objects.filter(key=request.key).first()
    round_ = _find_round(request, catalogue, player, now=now)
    dealt = _list_deals(round_) if round_ else []
    again = [
        deal
        for deal in dealt
        if not hasattr(deal, "vote") and deal.pk not in request.held and deal.expires_at > now
    ][: request.count]
    wanted = min(request.count, MOST_AT_ONCE) - len(again)
    last = max(dealt, key=lambda deal: deal.place, default=None)
    free = (round_.size if round_ else ROUND_SIZE) - (last.place if last else 0)
    if wanted <= 0 or free <= 0:
        return Hand(round_, again, exhausted=False)

    seen = list_seen_pairs(player) if player else np.array([deal.pair_id for deal in dealt], dtype=np.int64)
    draws = draw_pairs(
        find_pool(catalogue.pk, now=now),
        seen=seen,
        count=min(wanted, free),
        previous_question=last.pair.question_id if last else None,
        rng=rng,
    )
    if draws and round_ is None:
        round_ = _open_round(request.key, catalogue, player, now=now)
    fresh = _issue(draws, round_, player, first=last.place + 1 if last else 1, now=now, rng=rng)
    if round_ is not None and len(draws) < min(wanted, free):
        # Every pair was dealt: the round ends with the places it has.
        round_.size = (last.place if last else 0) + len(draws)
        round_.save(update_fields=["size"])
    deals = again + fresh
    return Hand(round_, deals, exhausted=not deals)


def _find_round(
    request: DealRequest, catalogue: Catalogue, player: Player | None, *, now: datetime
) -> Round | None:
    """The round asked for, or the player's unfinished one; None where a new one must be opened."""
    rounds = Round.objects.filter(
        catalogue=catalogue, revealed_at=None, created_at__gt=now - DEAL_LIFE
    ).order_by("-created_at", "pk")
    if request.round_id is not None:
        rounds = rounds.filter(pk=request.round_id)
    elif player is not None:
        rounds = rounds.filter(player=player)
    else:
        return None
    return next((one for one in rounds[:5] if one.judged < one.size and is_holder(request.key, one)), None)


def _open_round(key: uuid.UUID, catalogue: Catalogue, player: Player | None, *, now: datetime) -> Round:
    _drop_abandoned(now)
    round_id = new_id()
    return Round.objects.create(
        pk=round_id,
        catalogue=catalogue,
        player=player,
        holder=holder_of(key, round_id),
        size=ROUND_SIZE,
        created_at=now,
    )


def _drop_abandoned(now: datetime) -> None:
    """Remove what visitors left who never voted: with each new round a few, so that they cannot pile up."""
    abandoned = Round.objects.filter(player=None, created_at__lt=now - 2 * DEAL_LIFE).order_by("created_at")
    Round.objects.filter(pk__in=list(abandoned.values_list("pk", flat=True)[:DROPPED_AT_ONCE])).delete()


def _list_deals(round_: Round) -> list[Deal]:
    return list(
        Deal.objects.filter(round=round_).select_related("vote", *SHOWN).order_by("place", "issued_at")
    )


# What the page shows of a deal.
SHOWN = ("pair__question__category", "pair__candidate__category")


def _issue(
    draws: Sequence[Draw],
    round_: Round | None,
    player: Player | None,
    *,
    first: int,
    now: datetime,
    rng: np.random.Generator,
) -> list[Deal]:
    if round_ is None or not draws:
        return []
    sides = [Side.QUESTION_FIRST, Side.CANDIDATE_FIRST]
    pairs = Pair.objects.select_related("question__category", "candidate__category").in_bulk(
        [draw.pair for draw in draws]
    )
    return Deal.objects.bulk_create(
        Deal(
            pk=new_id(),
            pair=pairs[draw.pair],
            round=round_,
            player=player,
            place=place,
            side=sides[int(rng.integers(2))],
            policy=POLICY,
            policy_version=POLICY_VERSION,
            propensity=draw.propensity,
            issued_at=now,
            expires_at=now + DEAL_LIFE,
        )
        for place, draw in enumerate(draws, start=first)
    )
