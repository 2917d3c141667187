"""Personal taste: a private encoder asked for, and deleted again. What the job does is in `taste_run`.

Whoever asks or deletes has the rows of the person's players meanwhile; whoever deletes has the turn first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from evaluation.models import Pair, Player, SparePair, Taste, TastePair, Vote
from evaluation.selectors.taste_answers import find_public, list_players, read_told
from evaluation.selectors.tastes import find_refusal, find_taste, is_learning, key_of
from evaluation.services.turns import wait_for_turn
from search.models import Catalogue, Job, JobState, Split
from search.services.jobs import cancel_job, create_job

KIND = "taste"
# Of somebody who gave no vote for so long, who may have lost their cookie, a private encoder is deleted.
UNUSED_AFTER = timedelta(days=90)
# No deal is on its way for longer.
SPARE_FOR = timedelta(minutes=10)
DELETED_AT_ONCE = 100
PAIRS_DELETED_AT_ONCE = 1000


class TasteRefused(Exception):
    """Nothing is learned; the text says why, and what is missing."""


@transaction.atomic
def ask_taste(player: Player, catalogue: Catalogue, *, now: datetime) -> Taste:
    """Have this person's private encoder learned, anew where there is one. Raises TasteRefused.

    While it is being learned, asking again changes nothing.
    """
    players = list_players(player)
    # What takes long comes first: votes of the person wait for whoever has their players.
    public, told = find_public(catalogue), read_told(players, catalogue, now=now)
    # One request of a person at a time: of two at once the second finds the first one's.
    if any(one.forgotten_at is not None for one in lock_players(players)):
        raise TasteRefused("You had this site forget you: nothing is left to learn from.")
    taste = find_taste(players, catalogue)
    if taste is not None and is_learning(taste):
        return taste
    refusal = find_refusal(players, catalogue, taste, public, told, now=now)
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


def lock_players(players: QuerySet[Player]) -> Sequence[Player]:
    """Have these players' rows, as they are now, until the transaction ends."""
    return list(players.select_for_update(no_key=True).order_by("pk"))


@transaction.atomic
def drop_taste(player: Player, catalogue: Catalogue, *, now: datetime) -> bool:
    """Delete what this person's private encoder in a catalogue is; False where there is none."""
    wait_for_turn()
    players = list_players(player)
    lock_players(players)
    return delete_tastes(Taste.objects.filter(player__in=players, catalogue=catalogue), now=now) > 0


def delete_tastes(tastes: QuerySet[Taste], *, now: datetime) -> int:
    """Delete private encoders, and give up pairs that were made for them; returns how many encoders.

    Call it in a transaction that has the turn and then their players.
    """
    for job in Job.objects.filter(taste__in=tastes).unfinished():
        cancel_job(job=job, now=now)
    give_up_pairs(TastePair.objects.filter(taste__in=tastes).values_list("pair", flat=True), now=now)
    deleted = tastes.count()
    tastes.delete()
    return deleted


def give_up_pairs(pairs: Iterable[int], *, now: datetime) -> None:
    """Have pairs that a private encoder is compared on no more deleted soon, where they are for nothing."""
    spare = set(pairs)
    SparePair.objects.filter(pair__in=spare).delete()
    SparePair.objects.bulk_create(SparePair(pair_id=pair, since=now) for pair in spare)


@transaction.atomic
def delete_spare_pairs(now: datetime) -> int:
    """Delete pairs given up a while ago that nobody found, and nobody was ever dealt; returns how many."""
    due = SparePair.objects.filter(since__lte=now - SPARE_FOR).order_by("since")
    pks = list(due.values_list("pk", flat=True)[:PAIRS_DELETED_AT_ONCE])
    if not pks:
        return 0
    wait_for_turn()  # no contender is credited with such a pair meanwhile
    SparePair.objects.filter(pk__in=pks).delete()
    left = Pair.objects.filter(pk__in=pks, split=Split.EVALUATION, credits=None, catch=None)
    unused = list(left.filter(deals=None, tastes=None).values_list("pk", flat=True))
    Pair.objects.filter(pk__in=unused).delete()
    return len(unused)


def forget_tastes(players: Sequence[Player], *, now: datetime) -> None:
    """Delete the private encoders of people who are forgotten, and what says that they asked for them.

    As `delete_tastes`.
    """
    delete_tastes(Taste.objects.filter(player__in=players), now=now)
    for player in players:
        Job.objects.filter(idempotency_key__startswith=key_of(player.pk)).delete()


def keep_latest(user: User, *, now: datetime) -> None:
    """Of an account's private encoders of one catalogue, asked for on several devices, keep the latest.

    As `delete_tastes`.
    """
    tastes = Taste.objects.filter(player__user=user)
    kept: dict[int, int] = {}
    for taste in tastes.order_by("asked_at", "pk"):
        kept[taste.catalogue_id] = taste.pk
    delete_tastes(tastes.exclude(pk__in=kept.values()), now=now)


@transaction.atomic
def delete_unused(now: datetime) -> int:
    """Delete private encoders of people who did not play for long, on any device; returns how many."""
    lately = Vote.objects.filter(cast_at__gt=now - UNUSED_AFTER)
    unused = Taste.objects.filter(
        ~Exists(lately.filter(deal__player=OuterRef("player"))),
        ~Exists(lately.filter(deal__player__user=OuterRef("player__user"))),
        asked_at__lt=now - UNUSED_AFTER,
    )
    if not unused.exists():
        return 0
    wait_for_turn()
    pks = list(unused.values_list("pk", flat=True)[:DELETED_AT_ONCE])
    lock_players(Player.objects.filter(pk__in=Taste.objects.filter(pk__in=pks).values("player")))
    return delete_tastes(Taste.objects.filter(pk__in=pks, asked_at__lt=now - UNUSED_AFTER), now=now)


def delete_old_jobs(now: datetime) -> int:
    """Delete what says when people asked on earlier days (UTC), but why the last one failed."""
    today = datetime.combine(now.astimezone(UTC), time(), UTC)
    ended = Job.objects.filter(kind=KIND, finished_at__lt=today, created_at__lt=today)
    return ended.filter(Q(taste=None) | Q(state=JobState.DONE)).delete()[0]
