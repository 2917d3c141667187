"""Personal taste: a private encoder asked for, and deleted again. What the job does is in `taste_run`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from evaluation.models import Pair, Player, Taste, TastePair, Vote
from evaluation.selectors.taste_answers import find_public, list_players, read_told
from evaluation.selectors.tastes import find_refusal, find_taste, is_learning, key_of
from evaluation.services.turns import wait_for_turn
from search.models import Catalogue, Job, Split
from search.services.jobs import cancel_job, create_job

KIND = "taste"
# Of somebody who gave no vote for so long, who may have lost their cookie, a private encoder is deleted.
UNUSED_AFTER = timedelta(days=90)
DELETED_AT_ONCE = 100


class TasteRefused(Exception):
    """Nothing is learned; the text says why, and what is missing."""


@transaction.atomic
def ask_taste(player: Player, catalogue: Catalogue, *, now: datetime) -> Taste:
    """Have this person's private encoder learned, anew where there is one. Raises TasteRefused.

    While it is being learned, asking again changes nothing.
    """
    players = list_players(player)
    # One request of a person at a time: of two at once the second finds the first one's.
    list(players.select_for_update(no_key=True).order_by("pk"))
    taste = find_taste(players, catalogue)
    if taste is not None and is_learning(taste):
        return taste
    told = read_told(players, catalogue, now=now)
    refusal = find_refusal(players, catalogue, taste, find_public(catalogue), told, now=now)
    if refusal:
        raise TasteRefused(refusal)
    if taste is None:
        taste = Taste(player=player, catalogue=catalogue)
    taste.asked_at = now
    taste.save()
    taste.job = create_job(
        kind=KIND,
        arguments={"taste": taste.pk},
        key=key_of(taste.player_id, f"{now:%Y-%m-%d}", f"{now:%H%M%S.%f}"),
        title=f"Learn a private taste in {catalogue.title}",
        # No catalogue: the home page shows the work on each, and this concerns one person alone.
        catalogue=None,
        now=now,
    )
    taste.save(update_fields=["job"])
    return taste


@transaction.atomic
def drop_taste(player: Player, catalogue: Catalogue, *, now: datetime) -> bool:
    """Delete what this person's private encoder in a catalogue is; False where there is none."""
    wait_for_turn()
    tastes = Taste.objects.filter(player__in=list_players(player), catalogue=catalogue)
    return delete_tastes(tastes, now=now) > 0


def delete_tastes(tastes: QuerySet[Taste], *, now: datetime) -> int:
    """Delete private encoders, and pairs that were made for them and never dealt; returns how many.

    Call it in a transaction that has the turn: no contender is credited with such a pair meanwhile.
    """
    for job in Job.objects.filter(taste__in=tastes).unfinished():
        cancel_job(job=job, now=now)
    pairs = list(TastePair.objects.filter(taste__in=tastes).values_list("pair", flat=True))
    deleted = tastes.count()
    tastes.delete()
    delete_orphans(pairs)
    return deleted


def delete_orphans(pairs: list[int]) -> None:
    """Of these pairs, those that are for nothing: nobody found them, and nobody was ever dealt them."""
    left = Pair.objects.filter(pk__in=pairs, split=Split.EVALUATION, credits=None, catch=None)
    left.filter(deals=None, tastes=None).delete()


def forget_tastes(players: Sequence[Player], *, now: datetime) -> None:
    """Delete the private encoders of people who are forgotten, and what says that they asked for them.

    As `delete_tastes`.
    """
    delete_tastes(Taste.objects.filter(player__in=players), now=now)
    for player in players:
        Job.objects.filter(idempotency_key__startswith=key_of(player.pk)).delete()


@transaction.atomic
def delete_unused(now: datetime) -> int:
    """Delete private encoders of people who did not play for long; returns how many."""
    lately = Vote.objects.filter(deal__player=OuterRef("player"), cast_at__gt=now - UNUSED_AFTER)
    unused = Taste.objects.filter(~Exists(lately), asked_at__lt=now - UNUSED_AFTER)
    pks = list(unused.values_list("pk", flat=True)[:DELETED_AT_ONCE])
    if pks:
        wait_for_turn()
        delete_tastes(Taste.objects.filter(pk__in=pks), now=now)
    return len(pks)
