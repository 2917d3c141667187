"""Invitation links: one person gets one role, once. Only the hash of the link's token is kept."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import Group, User
from django.db import transaction

from evaluation.models import Invitation
from search.models import Role

LIFETIME = timedelta(days=7)


class InvitationUnusable(Exception):
    """The link gives nothing (any more); the text says why, to people."""


def create_invitation(
    *, role: Role, note: str, created_by: User | None, now: datetime
) -> tuple[Invitation, str]:
    """Make an invitation to ``role`` and return it with its token, which is shown now and never again."""
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        token_sha256=_hash(token),
        role=role,
        note=note[:200],
        created_by=created_by,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    return invitation, token


def find_invitation(*, token: str, now: datetime) -> Invitation:
    """The usable invitation behind a token. Raises ``InvitationUnusable``."""
    invitation = Invitation.objects.filter(token_sha256=_hash(token)).first()
    if invitation is None:
        raise InvitationUnusable("This link is not one of ours. Check that it was copied whole.")
    if invitation.accepted_at is not None:
        raise InvitationUnusable("This invitation was used already. If you were the one, sign in.")
    if invitation.expires_at <= now:
        raise InvitationUnusable("This invitation has expired. Ask an operator for a new one.")
    return invitation


@transaction.atomic
def accept_invitation(*, token: str, user: User, now: datetime) -> Invitation:
    """Spend the invitation and give ``user`` its role. Raises ``InvitationUnusable``.

    Of two people who send the same link at once, one gets the role.
    """
    invitation = find_invitation(token=token, now=now)
    spent = Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(
        accepted_by=user, accepted_at=now
    )
    if not spent:
        raise InvitationUnusable("This invitation was used already. If you were the one, sign in.")
    # The three groups exist from their first member on.
    group, _ = Group.objects.get_or_create(name=invitation.role)
    user.groups.add(group)
    invitation.refresh_from_db()
    return invitation


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
