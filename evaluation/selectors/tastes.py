"""Where a person's private encoders stand, for their own page alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from evaluation.models import Answer, Deal, Player, Round, Taste, TastePair, Vote
from evaluation.models.votes import settled
from evaluation.selectors.taste_answers import (
    LEAST,
    LEAST_OF_EACH,
    Public,
    Told,
    find_public,
    list_players,
    read_told,
)
from evaluation.stats.places import TASTE
from evaluation.stats.taste import Comparison, Heard, compare_taste
from search.models import Catalogue, CatalogueState, Job, JobState

MOST_A_DAY = 3  # times that one person may ask
MOST_OF_ONE = 5  # private encoders of one person, each of another catalogue
MOST_ON_SITE = 1000
NO_MASKS = (
    "The public encoders of this catalogue have no masks, one for each aspect such as colour, that could be "
    "weighted anew for you. Once an operator adds one that has, you can ask here."
)
NOTHING_TOLD = Told(votes=(), picks=(), unsettled=0, latest=None)
State = Literal["none", "learning", "failed", "stale", "equal", "compared"]


@dataclass(frozen=True)
class TasteView:
    """A person's private encoder in one catalogue, or how they may get one.

    ``refusal`` says why they may not ask now, ``reason`` what went wrong; ``shares`` by aspect, largest
    first, of the whole embedding by no name; ``left``: on how many questions to compare nothing counts yet.
    That must not tell which pairs of a round compare, so a question dealt is left until its answer counts.
    """

    catalogue: Catalogue
    taste: Taste | None
    state: State
    reason: str
    refusal: str
    told: Told
    shares: Sequence[tuple[str, float]]
    comparison: Comparison | None
    left: int


def list_views(player: Player, *, now: datetime, slug: str = "") -> list[TasteView]:
    """One for each catalogue that the person has judged in, or has a private encoder in; oldest first.

    ``slug``: of this catalogue alone.
    """
    players = list_players(player)
    judged = Round.objects.filter(catalogue=OuterRef("pk"), player__in=players, judged__gt=0)
    kept = Taste.objects.filter(catalogue=OuterRef("pk"), player__in=players)
    found = Catalogue.objects.filter(Exists(judged) | Exists(kept))
    if slug:
        found = found.filter(slug=slug)
    return [read_view(player, catalogue, now=now) for catalogue in found]


def read_view(player: Player, catalogue: Catalogue, *, now: datetime) -> TasteView:
    players = list_players(player)
    taste = find_taste(players, catalogue)
    public = find_public(catalogue)
    # Asked for every few seconds while it is being learned, when nothing hangs on it.
    is_busy = taste is not None and is_learning(taste)
    told = NOTHING_TOLD if is_busy else read_told(players, catalogue, now=now)
    state, reason = _tell_state(taste, public, told)
    is_compared = taste is not None and taste.is_own
    return TasteView(
        catalogue=catalogue,
        taste=taste,
        state=state,
        reason=reason,
        refusal=find_refusal(players, catalogue, taste, public, told, now=now),
        told=told,
        shares=sorted(taste.shares.items(), key=lambda one: -one[1]) if taste and is_compared else [],
        comparison=read_comparison(taste, players, now=now) if taste and is_compared else None,
        left=_count_left(taste, players, now=now) if taste else 0,
    )


def find_taste(players: QuerySet[Player], catalogue: Catalogue) -> Taste | None:
    """The latest that these players asked for."""
    rows = Taste.objects.filter(player__in=players, catalogue=catalogue)
    return rows.select_related("job", "contender").first()


def find_refusal(
    players: QuerySet[Player],
    catalogue: Catalogue,
    taste: Taste | None,
    public: Public | None,
    told: Told,
    *,
    now: datetime,
) -> str:
    """Why a private encoder may not be asked for now, and what helps; empty where it may."""
    if catalogue.state != CatalogueState.READY:
        return f"“{catalogue.title}” is being changed just now. Come back when that is done."
    if public is None:
        return NO_MASKS
    if taste is not None and is_learning(taste):
        return "It is being learned just now."
    if told.missing:
        return _say_missing(told)
    if taste is not None and _is_up_to_date(taste, public, told):
        return "You have said nothing that it has not learned. Play on, then ask again."
    if taste is None and Taste.objects.filter(player__in=players).count() >= MOST_OF_ONE:
        return f"You have {MOST_OF_ONE} private encoders, which is the most. Delete one to get another."
    if taste is None and Taste.objects.count() >= MOST_ON_SITE:
        return "This site keeps as many private encoders as it can. Try again another day."
    if _count_today(players, now) >= MOST_A_DAY:
        return f"You have asked {MOST_A_DAY} times today, which is the most. Ask again tomorrow (UTC)."
    return ""


def is_learning(taste: Taste) -> bool:
    return taste.job is not None and not taste.job.is_finished


def key_of(player: int, day: str = "", turn: str = "") -> str:
    """Of a job of this player's; without a turn, or a day, what the keys of all such jobs begin with."""
    return ":".join(["taste", f"{player}", *filter(None, [day, turn])]) + ":"


def read_comparison(taste: Taste, players: QuerySet[Player], *, now: datetime) -> Comparison:
    """By votes on what the two found differently, dealt since the private encoder is what it is.

    Votes that may still be taken back are left out, so that nobody can look who found something, and answer
    after that.
    """
    found = TastePair.objects.filter(taste=taste, pair=OuterRef("deal__pair"))
    votes = Vote.objects.settled(now).filter(
        deal__policy=TASTE,
        deal__player__in=players,
        deal__issued_at__gte=taste.ready_at,
        retraction=None,
    )
    heard = [
        Heard(*(counts.get(answer, 0) for answer in (Answer.DOPE, Answer.NOPE, Answer.SKIP)))
        for is_private in (True, False)
        for counts in [_count(votes.filter(Exists(found.filter(is_private=is_private))))]
    ]
    return compare_taste(*heard)


def _count_left(taste: Taste, players: QuerySet[Player], *, now: datetime) -> int:
    """Questions of which neither pair was dealt, or what came of it may still change."""
    dealt = Deal.objects.filter(player__in=players, pair__tastes__taste=taste)
    over = dealt.filter(settled(now, "vote__") | Q(vote=None, expires_at__lte=now))
    left = TastePair.objects.filter(taste=taste).exclude(pair__question__in=over.values("pair__question"))
    return left.values("pair__question").distinct().count()


def _count(votes: QuerySet[Vote]) -> Mapping[str, int]:
    return dict(votes.order_by().values_list("answer").annotate(Count("pk")))


def _tell_state(taste: Taste | None, public: Public | None, told: Told) -> tuple[State, str]:
    """In a word, and what went wrong, in words."""
    if taste is None:
        return "none", ""
    if is_learning(taste):
        return "learning", ""
    failure = _find_failure(taste.job, told) if taste.job is not None else ""
    if taste.ready_at is None or failure:
        return "failed", failure or "Its work was lost. Ask again."
    if taste.contender is None or taste.contender.state != "active":
        return "stale", _say_stale(public)
    return ("compared" if taste.is_own else "equal"), ""


def _find_failure(job: Job, told: Told) -> str:
    """In words for the person alone; the job's own are for operators."""
    if job.state == JobState.DONE:
        return ""
    if job.state == JobState.CANCELLED:
        return "It was cancelled."
    if told.missing:
        return "By then there was too little to learn from."
    return "Something broke on the way, and the operators can see what. Ask again later."


def _say_stale(public: Public | None) -> str:
    gone = "The public encoder that it was learned from has left the blind test, so it is compared no more."
    return f"{gone} Learn it again, from the one that stands now." if public is not None else gone


def _say_missing(told: Told) -> str:
    later = f" {told.unsettled} more can still be taken back and count later." if told.unsettled else ""
    return (
        f"You need {LEAST} answers on pairs that teach, or picks in Find it, with at least {LEAST_OF_EACH} "
        f"dopes and {LEAST_OF_EACH} nopes: {told.missing} to go.{later} About one pair in five teaches."
    )


def _is_up_to_date(taste: Taste, public: Public, told: Told) -> bool:
    return (
        taste.ready_at is not None
        and taste.contender_id == public.contender.pk
        and (taste.votes, taste.picks) == (len(told.votes), told.picked)
        # Of much that was said the newest is learned, always as much.
        and (told.latest is None or told.latest <= taste.ready_at)
    )


def _count_today(players: QuerySet[Player], now: datetime) -> int:
    asked = Q()
    for player in players.values_list("pk", flat=True):
        asked |= Q(idempotency_key__startswith=key_of(player, f"{now:%Y-%m-%d}"))
    return Job.objects.filter(asked).count() if asked else 0


def export_tastes(player: Player) -> list[dict[str, object]]:
    """What is kept of a player's private encoders, for their own data."""
    return [
        {
            "catalogue": taste.catalogue.slug,
            "asked_at": taste.asked_at,
            "learned_at": taste.ready_at,
            "learned_from": taste.contender.encoder if taste.contender else None,
            "votes": taste.votes,
            "picks": taste.picks,
            "weights": taste.weights,
            "questions_to_compare": taste.pairs.count() // 2,
        }
        for taste in player.tastes.select_related("catalogue", "contender")
    ]
