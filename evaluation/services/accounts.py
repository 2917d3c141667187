"""People's accounts: guessing limited, votes kept, everything handed out or forgotten on request."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils.crypto import salted_hmac

from evaluation.models import Deal, Player, SignInFailures, Vote
from evaluation.selectors.annotation import export_annotations
from evaluation.selectors.game_exports import export_games
from evaluation.selectors.races import export_races
from evaluation.selectors.tastes import export_tastes
from evaluation.services.tastes import keep_latest, lock_players
from evaluation.services.turns import wait_for_turn
from search.models import Webhook
from search.selectors.photos import list_photos_of
from search.services.photos import hand_over_photos

WAIT = timedelta(minutes=5)
# In vain, within the wait: for one account from one network, and for all accounts from one network.
TRIES_PER_ACCOUNT = 5
TRIES_PER_NETWORK = 50


def find_sign_in_wait(*, name: str, network: str, now: datetime) -> timedelta:
    """How long this account stays closed for this network: zero unless too many tries were in vain."""
    limits = {_failure_key(name, network): TRIES_PER_ACCOUNT, _failure_key("", network): TRIES_PER_NETWORK}
    return max(
        (
            failures.last_at + WAIT - now
            for failures in SignInFailures.objects.filter(pk__in=limits)
            if failures.count >= limits[failures.pk]
        ),
        default=timedelta(0),
    )


@transaction.atomic
def record_failed_sign_in(*, name: str, network: str, now: datetime) -> None:
    """Count a failure. What is older than the wait no longer counts, for anybody."""
    SignInFailures.objects.filter(last_at__lte=now - WAIT).delete()
    for key in (_failure_key(name, network), _failure_key("", network)):
        SignInFailures.objects.get_or_create(pk=key, defaults={"last_at": now})
        SignInFailures.objects.filter(pk=key).update(count=F("count") + 1, last_at=now)


def clear_failed_sign_ins(*, name: str, network: str) -> None:
    """The right password came: earlier slips no longer count against this account."""
    SignInFailures.objects.filter(pk=_failure_key(name, network)).delete()


def _failure_key(name: str, network: str) -> str:
    # Keyed, so that the table tells nobody which networks tried which accounts.
    return salted_hmac("sign-in", f"{name.casefold()}\n{network}", algorithm="sha256").hexdigest()


@transaction.atomic
def link_player(*, user: User, key: uuid.UUID | None, now: datetime) -> Player:
    """The player whose votes this user's browser casts from now on.

    The anonymous player of the browser becomes the user's, votes and all. Where the browser has none, or
    somebody else's, it continues with the user's latest. One user may so own several players (one per
    browser); no row is merged into another, so no vote is ever counted twice. Of two private encoders of a
    catalogue the later asked for stays.
    """
    if key is not None:
        nobodys = Player.objects.filter(key=key, user=None, forgotten_at=None)
        if nobodys.exists():
            wait_for_turn()
            lock_players(Player.objects.filter(Q(key=key) | Q(user=user)))
            nobodys.update(user=user)
            keep_latest(user, now=now)
        mine = Player.objects.filter(key=key, user=user).first()
        if mine is not None:
            return mine
    latest = Player.objects.filter(user=user).order_by("-created_at", "-pk").first()
    player = latest or Player.objects.create(user=user, created_at=now)
    if key is not None and not Player.objects.filter(key=key).exists():
        hand_over_photos(old=key, new=player.key)  # who only searched so far has photos and is no player
    return player


def export_account(*, user: User) -> dict[str, Any]:
    """Everything stored about a user, in plain words; contenders are left out, as they were when voting."""
    return {
        "account": {
            "name": user.username,
            "joined_at": user.date_joined,
            "last_signed_in_at": user.last_login,
            "roles": sorted(user.groups.values_list("name", flat=True)),
        },
        "api_tokens": list(
            user.api_tokens.values(
                "name", "prefix", "scopes", "created_at", "expires_at", "revoked_at", "last_used_on"
            )
        ),
        "webhooks": list(
            Webhook.objects.filter(made_by=user.username).values("address", "topics", "is_on", "created_at")
        ),
        "players": [export_player(player=player) for player in user.players.order_by("pk")],
    }


def export_player(*, player: Player) -> dict[str, Any]:
    """Everything stored about one player: votes, also undone ones, unanswered pairs, games, photos."""
    votes = (
        Vote.objects.filter(deal__player=player)
        .select_related(
            "deal__pair__question", "deal__pair__candidate", "deal__pair__catalogue", "retraction"
        )
        .order_by("cast_at", "pk")
    )
    return {
        "since": player.created_at,
        "votes": [
            {
                "catalogue": vote.deal.pair.catalogue.slug,
                "question": vote.deal.pair.question.key,
                "candidate": vote.deal.pair.candidate.key,
                "round": vote.deal.round_id,
                "place": vote.deal.place,
                "side": vote.deal.side,
                "answer": vote.answer,
                "dwell_ms": vote.dwell_ms,
                "modality": vote.modality,
                "cast_at": vote.cast_at,
                "undone": hasattr(vote, "retraction"),
            }
            for vote in votes
        ],
        "unanswered": list(
            Deal.objects.filter(player=player, vote=None)
            .order_by("issued_at", "place")
            .values(
                "issued_at",
                catalogue=F("pair__catalogue__slug"),
                question=F("pair__question__key"),
                candidate=F("pair__candidate__key"),
            )
        ),
        "games": export_games(player),
        "races": export_races(player),
        "annotations": export_annotations(player),
        "photos": list_photos_of(player.key),
        "private_encoders": export_tastes(player),
    }
